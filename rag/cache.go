package rag

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"sync"
)

// Key is the SHA-256 of an embedded text.
type Key = [sha256.Size]byte

// VectorCache keeps vectors by the name of the embedder and the hash of the
// text. It is safe for concurrent use.
type VectorCache interface {
	// Get returns one vector per key, in order, nil where there is none.
	Get(embedder string, keys []Key) ([][]float32, error)
	// Put keeps one vector per key. What it kept before an error stays.
	Put(embedder string, keys []Key, vectors [][]float32) error
}

// VectorDir is a VectorCache of one file per embedder in a folder. A file is
// only ever appended to, each record in one write with a checksum of its own,
// so that several processes may use the folder at once and a process that is
// killed loses at most what it was writing.
type VectorDir struct {
	dir     string
	shipped []fs.FS
	mu      sync.Mutex
	files   map[string]*vectorFile
}

var _ VectorCache = (*VectorDir)(nil)

// OpenVectors returns the cache in a folder, which is made when something is
// put into it. Folders of the same form that ship with the program are looked
// into as well and never written.
func OpenVectors(dir string, shipped ...fs.FS) *VectorDir {
	return &VectorDir{dir: dir, shipped: shipped, files: make(map[string]*vectorFile)}
}

// Close closes the files.
func (d *VectorDir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	var errs []error
	for name, f := range d.files {
		errs = append(errs, f.file.Close())
		delete(d.files, name)
	}
	return errors.Join(errs...)
}

// Get implements VectorCache. Records that are damaged count as absent.
func (d *VectorDir) Get(embedder string, keys []Key) ([][]float32, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	vectors := d.fromShipped(embedder, keys)
	f, err := d.open(embedder, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return vectors, nil
	}
	if err != nil {
		return nil, fmt.Errorf("open vector cache: %w", err)
	}
	if err := f.scan(); err != nil {
		return nil, fmt.Errorf("read vector cache %s: %w", f.file.Name(), err)
	}
	for i, k := range keys {
		if at, ok := f.places[k]; ok && vectors[i] == nil {
			if vectors[i], err = f.read(at); err != nil {
				return nil, fmt.Errorf("read vector cache %s: %w", f.file.Name(), err)
			}
		}
	}
	return vectors, nil
}

// fromShipped gets what the program brings along; a folder without a file for
// the embedder has nothing.
func (d *VectorDir) fromShipped(embedder string, keys []Key) [][]float32 {
	vectors := make([][]float32, len(keys))
	for _, folder := range d.shipped {
		b, err := fs.ReadFile(folder, vectorName(embedder))
		if err != nil {
			continue
		}
		found := make(map[Key][]byte)
		for len(b) > 0 {
			k, v, n := record(b)
			if n == 0 {
				break
			}
			found[k], b = v, b[n:]
		}
		for i, k := range keys {
			if v, ok := found[k]; ok {
				vectors[i] = floats(v)
			}
		}
	}
	return vectors
}

// vectorName is the name of an embedder's file.
func vectorName(embedder string) string {
	sum := sha256.Sum256([]byte(embedder))
	return fmt.Sprintf("%x.vectors", sum[:12])
}

// Put implements VectorCache.
func (d *VectorDir) Put(embedder string, keys []Key, vectors [][]float32) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		return fmt.Errorf("make vector cache: %w", err)
	}
	f, err := d.open(embedder, os.O_RDWR|os.O_APPEND|os.O_CREATE)
	if err != nil {
		return fmt.Errorf("open vector cache: %w", err)
	}
	var b []byte
	for i, k := range keys {
		b = appendRecord(b, k, vectors[i])
	}
	if _, err := f.file.Write(b); err != nil {
		return fmt.Errorf("write vector cache %s: %w", f.file.Name(), err)
	}
	if err := f.file.Sync(); err != nil {
		return fmt.Errorf("sync vector cache %s: %w", f.file.Name(), err)
	}
	return nil
}

// open returns the file of an embedder. One that was opened to read is opened
// again to write.
func (d *VectorDir) open(embedder string, flag int) (*vectorFile, error) {
	f := d.files[embedder]
	if f != nil && (f.flag == flag || flag == os.O_RDONLY) {
		return f, nil
	}
	file, err := os.OpenFile(filepath.Join(d.dir, vectorName(embedder)), flag, 0o644)
	if err != nil {
		return nil, err
	}
	if f == nil {
		f = &vectorFile{places: make(map[Key]place)}
		d.files[embedder] = f
	} else {
		f.file.Close()
	}
	f.file, f.flag = file, flag
	return f, nil
}

// A record is the mark, the key, the length of the vector as 32 bits, its
// numbers as 32 bits each, and the CRC-32C of all that; little-endian. The
// mark lets a reader go on behind a record that was cut off.
const (
	recordMark = "\xffzdvec\x01\n"
	recordHead = len(recordMark) + sha256.Size + 4
	maxDim     = 1 << 16
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func appendRecord(b []byte, k Key, v []float32) []byte {
	start := len(b)
	b = append(b, recordMark...)
	b = append(b, k[:]...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(v)))
	b = appendFloats(b, v)
	return binary.LittleEndian.AppendUint32(b, crc32.Checksum(b[start:], castagnoli))
}

func appendFloats(b []byte, v []float32) []byte {
	for _, x := range v {
		b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
	}
	return b
}

func floats(b []byte) []float32 {
	v := make([]float32, len(b)/4)
	for i := range v {
		v[i] = math.Float32frombits(binary.LittleEndian.Uint32(b[4*i:]))
	}
	return v
}

// record returns the key and the vector's bytes at the beginning of b, and the
// length of the record; length 0 if there is no whole record.
func record(b []byte) (k Key, vector []byte, length int) {
	if len(b) < recordHead || string(b[:len(recordMark)]) != recordMark {
		return k, nil, 0
	}
	dim := binary.LittleEndian.Uint32(b[recordHead-4:])
	if dim > maxDim || len(b) < recordHead+4*int(dim)+4 {
		return k, nil, 0
	}
	end := recordHead + 4*int(dim)
	if crc32.Checksum(b[:end], castagnoli) != binary.LittleEndian.Uint32(b[end:]) {
		return k, nil, 0
	}
	return Key(b[len(recordMark):]), b[recordHead:end], end + 4
}

// vectorFile is an open file and what was seen of it.
type vectorFile struct {
	file    *os.File
	flag    int
	scanned int64 // everything before it is in places
	places  map[Key]place
}

// place is where the numbers of a vector are in the file.
type place struct {
	offset int64
	length int
}

// scan reads what was appended since the last scan, by this or another
// process. It stops before an unfinished record, which may still be being
// written.
func (f *vectorFile) scan() error {
	r := bufio.NewReaderSize(io.NewSectionReader(f.file, f.scanned, math.MaxInt64-f.scanned), recordHead+4*maxDim+4)
	for {
		b, err := r.Peek(recordHead)
		if err == nil {
			b, err = r.Peek(recordHead + 4*int(min(binary.LittleEndian.Uint32(b[recordHead-4:]), maxDim)) + 4)
		}
		if err != nil && err != io.EOF {
			return err
		}
		k, vector, n := record(b)
		if n > 0 {
			f.places[k] = place{f.scanned + int64(recordHead), len(vector)}
		} else if n = nextMark(b); n == 0 {
			if err == io.EOF {
				return nil
			}
			n = len(b) - len(recordMark) + 1
		}
		f.scanned += int64(n)
		if _, err := r.Discard(n); err != nil {
			return err
		}
	}
}

// nextMark returns where the next mark in b is, 0 if there is none.
func nextMark(b []byte) int {
	if len(b) == 0 {
		return 0
	}
	return bytes.Index(b[1:], []byte(recordMark)) + 1
}

func (f *vectorFile) read(p place) ([]float32, error) {
	b := make([]byte, p.length)
	if _, err := f.file.ReadAt(b, p.offset); err != nil {
		return nil, err
	}
	return floats(b), nil
}
