package rag

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"sync"

	"github.com/philippgille/chromem-go"

	"zhengda/internal/zh"
	"zhengda/rag/embed"
)

// Sizes of a chunk, in runes, about as many tokens. A clause with its headings
// above chunkLimit is embedded in parts of at most that.
const (
	chunkLimit = 400
	chunkLeast = 150 // text in a chunk, however long the headings are
)

// chunk is a part of a clause that has a vector of its own: a whole clause, a
// piece of a long one, or a sentence. Start and end are rune offsets in the
// clause's text.
type chunk struct {
	clause     uint32
	start, end uint32
	sentence   bool
}

// dense is an immutable set of chunks with their vectors, chunks of a clause
// side by side and clauses in order.
type dense struct {
	embedder embed.Embedder
	chunks   []chunk
	vectors  [][]float32
	first    []uint32 // chunks of clause c are first[c]:first[c+1]

	questions recent

	once       sync.Once
	collection *chromem.Collection
	broken     error // why there is no collection
}

func newDense(e embed.Embedder, clauses int, chunks []chunk, vectors [][]float32) *dense {
	d := &dense{embedder: e, chunks: chunks, vectors: vectors, first: make([]uint32, clauses+1)}
	for _, c := range chunks {
		d.first[c.clause+1]++
	}
	for i := range clauses {
		d.first[i+1] += d.first[i]
	}
	return d
}

// open fills the collection at the first search over all chunks: a search in
// one document does without.
func (d *dense) open() error {
	d.once.Do(func() {
		ctx := context.Background()
		d.collection, d.broken = chromem.NewDB().CreateCollection("chunks", nil,
			func(context.Context, string) ([]float32, error) { return nil, errors.New("texts are embedded outside") })
		for i := 0; i < len(d.vectors) && d.broken == nil; i++ {
			d.broken = d.collection.AddDocument(ctx, chromem.Document{ID: strconv.Itoa(i), Embedding: d.vectors[i]})
		}
	})
	return d.broken
}

// top returns the clauses of the spans that are most like the question, the nearest first and equal ones in the order of the index.
func (d *dense) top(ctx context.Context, question []float32, spans []span, depth int) ([]hit, error) {
	n := 0
	for _, s := range spans {
		n += int(s.hi - s.lo)
	}
	if n <= depth || n*4 < len(d.first) {
		return d.scan(question, spans, depth), nil
	}
	if err := d.open(); err != nil {
		return nil, fmt.Errorf("open vectors: %w", err)
	}
	// A clause of several chunks takes several places, and which of equal
	// scores come is random: ask for more, and sort.
	want := min(2*depth, len(d.chunks))
	for {
		results, err := d.collection.QueryEmbedding(ctx, question, want, nil, nil)
		if err != nil {
			return nil, fmt.Errorf("search vectors: %w", err)
		}
		best := make(map[uint32]float32, depth)
		for _, r := range results {
			i, _ := strconv.Atoi(r.ID)
			c := d.chunks[i].clause
			if _, ok := best[c]; !ok && within(spans, c) {
				best[c], _ = d.score(question, c)
			}
		}
		if len(best) >= min(depth, n) || want == len(d.chunks) {
			hits := make([]hit, 0, len(best))
			for c, s := range best {
				hits = append(hits, hit{c, s})
			}
			slices.SortFunc(hits, better)
			return hits[:min(depth, len(hits))], nil
		}
		want = min(4*want, len(d.chunks))
	}
}

// scan compares the question with every chunk of the spans.
func (d *dense) scan(question []float32, spans []span, depth int) []hit {
	best := newTop(depth)
	for _, s := range spans {
		for c := s.lo; c < s.hi; c++ {
			if score, ok := d.score(question, c); ok {
				best.add(hit{c, score})
			}
		}
	}
	return best.sorted()
}

// score is the mean of the cosines of the question to the clause's nearest
// piece and to its nearest sentence, where sentences have vectors: a sentence
// alone may be like the question by chance, and a long clause holds much that
// is not asked for.
func (d *dense) score(question []float32, clause uint32) (score float32, ok bool) {
	none := float32(math.Inf(-1))
	piece, sentence := none, none
	for i := d.first[clause]; i < d.first[clause+1]; i++ {
		if s := dot(question, d.vectors[i]); d.chunks[i].sentence {
			sentence = max(sentence, s)
		} else {
			piece = max(piece, s)
		}
	}
	switch {
	case sentence == none:
		return piece, piece != none
	case piece == none:
		return sentence, true
	}
	return (piece + sentence) / 2, true
}

// question embeds a question, or remembers it: one question is searched for in
// several documents, and its sentences are scored.
func (d *dense) question(ctx context.Context, text string) ([]float32, error) {
	if v, ok := d.questions.get(text); ok {
		return v, nil
	}
	v, err := embedQuestion(ctx, d.embedder, text)
	if err != nil {
		return nil, fmt.Errorf("embed question: %w", err)
	}
	d.questions.put(text, v)
	return v, nil
}

func embedQuestion(ctx context.Context, e embed.Embedder, text string) ([]float32, error) {
	var vectors [][]float32
	var err error
	if q, ok := e.(embed.QueryEmbedder); ok {
		vectors = make([][]float32, 1)
		vectors[0], err = q.EmbedQuery(ctx, text)
	} else {
		vectors, err = e.Embed(ctx, []string{text})
	}
	if err == nil {
		err = checkVectors(e, vectors, 1)
	}
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// recent keeps the vectors of the latest questions.
type recent struct {
	mu      sync.Mutex
	vectors map[string][]float32
}

// recentMost is how many questions are kept before all are forgotten.
const recentMost = 256

func (r *recent) get(text string) ([]float32, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	v, ok := r.vectors[text]
	return v, ok
}

func (r *recent) put(text string, v []float32) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.vectors == nil || len(r.vectors) >= recentMost {
		r.vectors = make(map[string][]float32)
	}
	r.vectors[text] = v
}

// checkVectors guards the index against an embedder that breaks its promise:
// one vector of another length would break every later search, one NaN spoil
// every order.
func checkVectors(e embed.Embedder, vectors [][]float32, n int) error {
	if len(vectors) != n {
		return fmt.Errorf("embedder %s: %d vectors for %d texts", e.Name(), len(vectors), n)
	}
	for _, v := range vectors {
		if len(v) != e.Dim() {
			return fmt.Errorf("embedder %s: vector of length %d, want %d", e.Name(), len(v), e.Dim())
		}
		norm := dot(v, v)
		if !(math.Abs(float64(norm)-1) < 1e-3) {
			return fmt.Errorf("embedder %s: vector of squared norm %v, want 1", e.Name(), norm)
		}
	}
	return nil
}

func dot(a, b []float32) float32 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float32
	i := 0
	for ; i+4 <= len(a); i += 4 {
		s0 += a[i] * b[i]
		s1 += a[i+1] * b[i+1]
		s2 += a[i+2] * b[i+2]
		s3 += a[i+3] * b[i+3]
	}
	for ; i < len(a); i++ {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + s2 + s3
}

func within(spans []span, c uint32) bool {
	_, ok := slices.BinarySearchFunc(spans, c, func(s span, c uint32) int {
		if c < s.lo {
			return 1
		}
		if c >= s.hi {
			return -1
		}
		return 0
	})
	return ok
}

// pieces cuts text that is too long for one chunk, at ends of sentences where
// there are some; each piece begins with the last sentence of the one before
// if that is short.
func pieces(text string, room int) []zh.Span {
	room = max(room, chunkLeast)
	n := len([]rune(text))
	if n <= room {
		return []zh.Span{{Start: 0, End: n}}
	}
	var units []zh.Span
	for _, s := range zh.Sentences(text) {
		for s.End-s.Start > room {
			units = append(units, zh.Span{Start: s.Start, End: s.Start + room})
			s.Start += room * 3 / 4
		}
		units = append(units, s)
	}
	var out []zh.Span
	for i := 0; i < len(units); {
		p := units[i]
		j := i + 1
		for j < len(units) && units[j].End-p.Start <= room {
			p.End = max(p.End, units[j].End)
			j++
		}
		out = append(out, p)
		if j < len(units) && j-1 > i && units[j-1].End-units[j-1].Start <= room/4 {
			j--
		}
		i = j
	}
	return out
}
