package rag

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"zhengda/internal/zh"
	"zhengda/rag/embed"
)

// Options say how an index is made and searched. The zero value makes an index
// that searches by words alone.
type Options struct {
	// Embedder gives the index its second leg; nil leaves it out.
	Embedder embed.Embedder
	// Terms are words of the field that no document may contain yet.
	Terms []string
	// Cache keeps vectors from one build to the next; nil keeps none.
	Cache VectorCache
	// Progress is called while texts are embedded, from one goroutine at a
	// time, with the number of texts that have a vector and of all.
	Progress func(done, total int)
	// SentenceLimit is the greatest number of sentences that are embedded when
	// the index is built. In a larger corpus, sentences are embedded when they
	// are asked for. Zero means 6,000, negative none.
	SentenceLimit int
	// Tag names the corpus, for example by its generation. Load takes only a
	// snapshot with the same tag, unless the tag is empty.
	Tag string
	// Reranker, if any, puts the best passages of every search in its own
	// order.
	Reranker Reranker
}

// defaultSentences bounds what sentences add to a build and a snapshot: about
// a minute of a small model, and 12 MB of vectors of 512.
const defaultSentences = 6000

// Index finds the clauses of a corpus that answer a question. It never changes
// and is safe for concurrent use: a changed corpus gets a new Index.
type Index struct {
	options   Options
	corpus    [32]byte // hash of the documents
	documents []*Document
	clauses   []*Clause
	spans     map[string]span   // clauses of a document, by its ID
	owner     []uint32          // document of each clause
	places    map[string]uint32 // clause by its ID
	words     *lexical
	terms     []Term
	vectors   *dense // nil without an embedder or while it fails

	segmenter func() *segmenter
	failure   atomic.Pointer[error]
	sentences sync.Map // text → []float32 of sentences embedded when asked for
}

// newIndex lays out the documents, ordered by ID.
func newIndex(docs []Document, o Options) (*Index, error) {
	x := &Index{options: o, spans: make(map[string]span, len(docs)), places: make(map[string]uint32)}
	for i := range docs {
		x.documents = append(x.documents, &docs[i])
	}
	slices.SortStableFunc(x.documents, func(a, b *Document) int { return cmp.Compare(a.ID, b.ID) })
	for n, d := range x.documents {
		if _, twice := x.spans[d.ID]; twice {
			return nil, fmt.Errorf("index: two documents with ID %q", d.ID)
		}
		lo := uint32(len(x.clauses))
		for i := range d.Clauses {
			c := &d.Clauses[i]
			if _, twice := x.places[c.ID]; twice {
				return nil, fmt.Errorf("index: two clauses with ID %q in document %q", c.ID, d.ID)
			}
			x.places[c.ID] = uint32(len(x.clauses))
			x.clauses = append(x.clauses, c)
			x.owner = append(x.owner, uint32(n))
		}
		x.spans[d.ID] = span{lo, uint32(len(x.clauses))}
	}
	return x, nil
}

// Documents returns the documents of the index ordered by ID. They must not be
// changed.
func (x *Index) Documents() []*Document { return x.documents }

// Document returns the document with that ID.
func (x *Index) Document(id string) (*Document, bool) {
	i, ok := slices.BinarySearchFunc(x.documents, id, func(d *Document, id string) int { return cmp.Compare(d.ID, id) })
	if !ok {
		return nil, false
	}
	return x.documents[i], true
}

// Clause returns the clause with that ID.
func (x *Index) Clause(id string) (*Clause, bool) {
	i, ok := x.places[id]
	if !ok {
		return nil, false
	}
	return x.clauses[i], true
}

// Cut returns the words of text in order, folded, without punctuation: the
// words that the index knows clauses by.
func (x *Index) Cut(text string) []string {
	var out []string
	x.segmenter().words(zh.Fold(text), func(w string) { out = append(out, w) })
	return out
}

// IDF returns how rare a word, or a pair of characters, is among the clauses:
// ln(1 + (N−n+½)/(n+½)) for n of N clauses, so that an unknown word weighs
// most.
func (x *Index) IDF(term string) float64 {
	lo, hi := x.words.postings(zh.Fold(term), span{0, uint32(len(x.clauses))})
	return float64(idf(len(x.clauses), int(hi-lo)))
}

// Vocabulary returns the corpus' own terms, the most frequent first, then by
// text.
func (x *Index) Vocabulary() []Term { return x.terms }

// Embedder names what made the vectors of the index; it is empty when the
// index has none.
func (x *Index) Embedder() string {
	if x.vectors == nil {
		return ""
	}
	return x.vectors.embedder.Name()
}

// Health returns the error of the embedder or reranker that the latest search,
// or the build, had to do without, or nil. A search that goes on without them
// is worse, not wrong: the caller may warn.
func (x *Index) Health() error {
	if p := x.failure.Load(); p != nil {
		return *p
	}
	return nil
}

func (x *Index) fail(err error) {
	if err == nil {
		x.failure.Store(nil)
	} else {
		x.failure.Store(&err)
	}
}

// Query is one search.
type Query struct {
	Text string
	// Words are further words for the search by words alone: other names of
	// what Text says, which would move its vector elsewhere.
	Words string
	// Documents restricts the search to documents of these IDs. Terms are then
	// weighed by these documents alone. Unknown IDs find nothing.
	Documents []string
	// K is the number of passages wanted; zero means 10.
	K int
	// Weights replace those of the index's embedder.
	Weights *Weights
}

// Passage is a clause that was found.
type Passage struct {
	Clause   *Clause
	Document *Document
	// Score orders the passages of one search; those of two searches do not
	// compare.
	Score float64
	// Lexical is the clause's BM25 score, Dense its likeness to the question, a
	// cosine in [-1, 1]: of the whole and its nearest sentence, the mean. Zero
	// where the leg was not searched.
	Lexical, Dense float64
	// Coverage is the share, in [0, 1], of the question's idf weight that is
	// found in the clause and the headings above it.
	Coverage float64
}

// Search returns the best passages for a question, the best first, equal ones
// by clause ID. Words that occur nowhere and an embedder that fails make fewer
// passages, never an error: the error is that of ctx.
func (x *Index) Search(ctx context.Context, q Query) ([]Passage, error) {
	k := q.K
	if k <= 0 {
		k = 10
	}
	f := x.find(ctx, q)
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	hits := x.order(fuse(f.lexical, f.dense, f.weights))
	if x.options.Reranker != nil {
		hits = x.rerank(ctx, q.Text, hits)
	}
	hits = hits[:min(k, len(hits))]
	out := make([]Passage, len(hits))
	for i, h := range hits {
		p := Passage{Clause: x.clauses[h.clause], Document: x.documents[x.owner[h.clause]], Score: float64(h.score)}
		p.Lexical, p.Coverage = x.words.score(f.terms, h.clause)
		if f.question != nil {
			d, _ := x.vectors.score(f.question, h.clause)
			p.Dense = float64(d)
		}
		out[i] = p
	}
	return out, nil
}

// order sorts hits, the best first and equal ones by clause ID.
func (x *Index) order(hits []hit) []hit {
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(x.clauses[a.clause].ID, x.clauses[b.clause].ID))
	})
	return hits
}

// found is what the legs of one search found.
type found struct {
	terms          []weighted
	question       []float32 // nil when there is no dense leg
	lexical, dense []hit
	weights        Weights
}

func (x *Index) find(ctx context.Context, q Query) found {
	var f found
	spans := x.within(q.Documents)
	f.terms = x.words.weigh(x.questionTerms(q.Text+"\n"+q.Words), spans)
	f.lexical = x.words.top(f.terms, spans, legDepth)
	f.weights = x.weights(q.Weights, f)
	if f.weights.Dense > 0 && strings.TrimSpace(q.Text) != "" {
		var err error
		if f.question, err = x.vectors.question(ctx, clip(q.Text, questionLimit)); err == nil {
			f.dense, err = x.vectors.top(ctx, f.question, spans, legDepth)
		}
		if err != nil {
			f.question, f.dense = nil, nil
		}
		x.fail(err)
	}
	return f
}

// weights are those asked for, or those of the embedder for what the words
// found.
func (x *Index) weights(asked *Weights, f found) Weights {
	switch {
	case x.vectors == nil:
		return Weights{Lexical: 1}
	case asked != nil && asked.Lexical+asked.Dense > 0:
		return *asked
	}
	coverage := 0.0
	if len(f.lexical) > 0 {
		_, coverage = x.words.score(f.terms, f.lexical[0].clause)
	}
	return weightsOf(x.vectors.embedder, coverage)
}

// questionLimit bounds the runes of a question that are looked at.
const questionLimit = 2000

func (x *Index) questionTerms(text string) []string {
	var out []string
	x.segmenter().terms(zh.Fold(clip(text, questionLimit)), func(t string) { out = append(out, t) })
	return out
}

// clip returns the first n runes of s.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// within returns the clauses of the documents with these IDs, all for none, as
// spans in order.
func (x *Index) within(ids []string) []span {
	if len(ids) == 0 {
		return []span{{0, uint32(len(x.clauses))}}
	}
	var out []span
	for _, id := range ids {
		if s, ok := x.spans[id]; ok && !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.lo, b.lo) })
	return out
}
