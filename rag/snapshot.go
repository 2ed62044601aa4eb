package rag

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
)

// Errors of Load. A caller builds the index anew for either.
var (
	// ErrDamaged means that the file is no whole snapshot of this form.
	ErrDamaged = errors.New("index snapshot is damaged")
	// ErrOther means that the snapshot is sound but was made of another
	// corpus, by another embedder or with other options.
	ErrOther = errors.New("index snapshot is of another corpus or embedder")
)

// A snapshot is the magic, whose last byte is the version of the form, the
// parts in the order of encode, and the SHA-256 of all that.
const snapshotMagic = "zhengda index\n\x01"

// Save writes the index to a file in one step: whoever reads path finds the
// old snapshot or the new one, whole.
func (x *Index) Save(path string) error {
	if err := writeFile(path, x.snapshot()); err != nil {
		return fmt.Errorf("save index: %w", err)
	}
	return nil
}

func (x *Index) snapshot() []byte {
	b := append([]byte(snapshotMagic), x.encode()...)
	sum := sha256.Sum256(b)
	return append(b, sum[:]...)
}

func writeFile(path string, b []byte) (err error) {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	if _, err = f.Write(b); err != nil {
		return err
	}
	if err = f.Sync(); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	if err = os.Rename(f.Name(), path); err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	dir.Sync() // not every file system can; the rename is atomic all the same
	return dir.Close()
}

// Load reads a snapshot. The error is ErrDamaged, ErrOther, fs.ErrNotExist or
// another of reading the file.
func Load(path string, o Options) (*Index, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load index: %w", err)
	}
	x, err := read(b, o)
	if err != nil {
		return nil, fmt.Errorf("load index %s: %w", path, err)
	}
	go x.segmenter() // the first question will need it
	return x, nil
}

// read checks the magic and the sum around the body, and decodes it.
func read(b []byte, o Options) (*Index, error) {
	end := len(b) - sha256.Size
	if end < len(snapshotMagic) || string(b[:len(snapshotMagic)]) != snapshotMagic {
		return nil, ErrDamaged
	}
	if sha256.Sum256(b[:end]) != [sha256.Size]byte(b[end:]) {
		return nil, fmt.Errorf("checksum: %w", ErrDamaged)
	}
	return decode(b[len(snapshotMagic):end], o)
}

// Open loads the snapshot at path if it is one of these documents, and
// otherwise builds the index and saves it there. When it cannot be saved, the
// index comes with the error, rebuilt and fit for use.
func Open(ctx context.Context, path string, docs []Document, o Options) (x *Index, rebuilt bool, err error) {
	if x, err := Load(path, o); err == nil {
		if corpus, err := hashDocuments(docs); err == nil && corpus == x.corpus {
			return x, false, nil
		}
	}
	if x, err = Build(ctx, docs, o); err != nil {
		return nil, false, err
	}
	return x, true, x.Save(path)
}

// identity is what of the options changes an index.
func (o Options) identity() string {
	name := ""
	if o.Embedder != nil {
		name = fmt.Sprintf("%s %d", o.Embedder.Name(), o.Embedder.Dim())
	}
	terms := sha256.Sum256([]byte(strings.Join(o.Terms, "\n")))
	dict := sha256.Sum256(dictionary)
	return fmt.Sprintf("%q %d %x %x", name, o.SentenceLimit, terms, dict[:8])
}

func (x *Index) encode() []byte {
	var e encoder
	o := x.options
	if x.vectors == nil {
		o.Embedder = nil // an index whose embedder failed is not one of it
	}
	e.string(o.identity())
	e.string(o.Tag)
	e.string(string(x.corpus[:]))

	var docs bytes.Buffer
	gob.NewEncoder(&docs).Encode(x.documents) // plain structs and a buffer cannot fail
	e.string(docs.String())

	e.uint(len(x.terms))
	for _, t := range x.terms {
		e.string(t.Text)
		e.uint(t.Clauses)
	}
	e.uint(len(x.words.terms))
	for _, t := range x.words.terms {
		e.string(t)
	}
	e.uint32s(x.words.start)
	e.uint32s(x.words.clauses)
	e.string(string(x.words.counts))
	e.uint32s(x.words.lengths)

	if x.vectors != nil {
		e.uint(len(x.vectors.chunks))
		for i, c := range x.vectors.chunks {
			e.uint(int(c.clause))
			e.uint(int(c.start))
			e.uint(int(c.end))
			e.uint(map[bool]int{true: 1}[c.sentence])
			e.b = appendFloats(e.b, x.vectors.vectors[i])
		}
	}
	return e.b
}

// decode is the inverse of encode. Whatever b is, it returns an index that can
// be searched, ErrOther or ErrDamaged.
func decode(b []byte, o Options) (*Index, error) {
	d := &decoder{b: b}
	identity, tag, corpus := d.string(), d.string(), d.string()
	if d.failed || len(corpus) != sha256.Size {
		return nil, ErrDamaged
	}
	if identity != o.identity() || o.Tag != "" && tag != o.Tag {
		return nil, ErrOther
	}
	o.Tag = tag
	var stored []Document
	if err := gob.NewDecoder(strings.NewReader(d.string())).Decode(&stored); err != nil {
		return nil, fmt.Errorf("documents: %w", ErrDamaged)
	}
	x, err := newIndex(stored, o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	copy(x.corpus[:], corpus)
	for range d.len(2) {
		x.terms = append(x.terms, Term{d.string(), d.uint()})
	}
	l := &lexical{terms: make([]string, d.len(1))}
	for i := range l.terms {
		l.terms[i] = d.string()
	}
	l.start, l.clauses, l.counts, l.lengths = d.uint32s(), d.uint32s(), []byte(d.string()), d.uint32s()
	if d.failed || !l.sound(len(x.clauses)) {
		return nil, fmt.Errorf("words: %w", ErrDamaged)
	}
	l.prepare()
	x.words = l
	if o.Embedder != nil {
		if x.vectors = d.dense(x); x.vectors == nil {
			return nil, fmt.Errorf("vectors: %w", ErrDamaged)
		}
	}
	if d.failed || len(d.b) != 0 {
		return nil, ErrDamaged
	}
	x.segmenter = sync.OnceValue(func() *segmenter {
		terms := make([]string, len(x.terms))
		for i, t := range x.terms {
			terms[i] = t.Text
		}
		slices.Sort(terms)
		return newSegmenter(terms)
	})
	return x, nil
}

// sound reports whether the tables fit each other, so that no search can leave
// them.
func (l *lexical) sound(clauses int) bool {
	n := uint32(len(l.clauses))
	if len(l.start) != len(l.terms)+1 || l.start[0] != 0 || l.start[len(l.terms)] != n ||
		len(l.counts) != len(l.clauses) || len(l.lengths) != clauses ||
		!slices.IsSorted(l.start) || !slices.IsSorted(l.terms) {
		return false
	}
	for i := range l.terms {
		run := l.clauses[l.start[i]:l.start[i+1]]
		if !slices.IsSorted(run) || len(run) > 0 && int(run[len(run)-1]) >= clauses {
			return false
		}
	}
	return true
}

func (d *decoder) dense(x *Index) *dense {
	dim := x.options.Embedder.Dim()
	n := d.len(4 + 4*dim)
	chunks, vectors := make([]chunk, n), make([][]float32, n)
	last := 0
	for i := range n {
		c, start, end, sentence := d.uint(), d.uint(), d.uint(), d.uint()
		if d.failed || c < last || c >= len(x.clauses) || start > end || len(d.b) < 4*dim {
			return nil
		}
		last = c
		chunks[i] = chunk{uint32(c), uint32(start), uint32(end), sentence == 1}
		vectors[i] = floats(d.b[:4*dim])
		d.b = d.b[4*dim:]
	}
	if checkVectors(x.options.Embedder, vectors, n) != nil {
		return nil
	}
	return newDense(x.options.Embedder, len(x.clauses), chunks, vectors)
}

// encoder appends numbers as varints, strings and tables with their length.
type encoder struct{ b []byte }

func (e *encoder) uint(n int) { e.b = binary.AppendUvarint(e.b, uint64(n)) }

func (e *encoder) string(s string) {
	e.uint(len(s))
	e.b = append(e.b, s...)
}

func (e *encoder) uint32s(s []uint32) {
	e.uint(len(s))
	for _, n := range s {
		e.b = binary.LittleEndian.AppendUint32(e.b, n)
	}
}

// decoder reads what an encoder wrote, front to back. After the first thing
// that is not there, failed is set and everything reads as empty.
type decoder struct {
	b      []byte
	failed bool
}

func (d *decoder) uint() int {
	n, size := binary.Uvarint(d.b)
	if size <= 0 || n > 1<<40 {
		d.failed, d.b = true, nil
		return 0
	}
	d.b = d.b[size:]
	return int(n)
}

// len reads the length of a list of elements of at least size bytes each.
func (d *decoder) len(size int) int {
	n := d.uint()
	if n > len(d.b)/max(size, 1) {
		d.failed, d.b = true, nil
		return 0
	}
	return n
}

func (d *decoder) string() string {
	n := d.len(1)
	s := string(d.b[:n])
	d.b = d.b[n:]
	return s
}

func (d *decoder) uint32s() []uint32 {
	n := d.len(4)
	out := make([]uint32, n)
	for i := range out {
		out[i] = binary.LittleEndian.Uint32(d.b[4*i:])
	}
	d.b = d.b[4*n:]
	return out
}
