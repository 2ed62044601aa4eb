package rag

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"zhengda/internal/zh"
)

// ScoredSentence is a sentence of a clause with its scores for a question.
type ScoredSentence struct {
	Clause     *Clause
	Start, End int    // rune offsets in the clause's text
	Text       string // verbatim
	// Lexical is the BM25 score with idf among the sentences given, Dense the
	// cosine to the question, zero without a dense leg, and Score both
	// standardised among these sentences and weighted as in a search.
	Lexical, Dense, Score float64
	// Coverage is the share of the question's idf weight found in the
	// sentence.
	Coverage float64
}

// Sentences scores every sentence of the clauses for the text and words of a
// query, in reading order within each clause and clauses as given. The error
// is that of ctx; an embedder that fails shows in Health.
func (x *Index) Sentences(ctx context.Context, q Query, clauses []*Clause) ([]ScoredSentence, error) {
	out, chunks := x.split(clauses)
	if len(out) == 0 {
		return nil, ctx.Err()
	}
	t := &tokens{names: make(map[string]uint32)}
	s := x.segmenter()
	for _, o := range out {
		s.terms(zh.Fold(o.Text), t.add)
		t.endClause()
	}
	words := newLexical([]*tokens{t})
	all := []span{{0, uint32(len(out))}}
	terms := words.weigh(x.questionTerms(q.Text+"\n"+q.Words), all)
	lexical, dense := make([]hit, len(out)), []hit(nil)
	coverage := 0.0 // the best of any sentence
	for i := range out {
		out[i].Lexical, out[i].Coverage = words.score(terms, uint32(i))
		coverage = max(coverage, out[i].Coverage)
		lexical[i] = hit{uint32(i), float32(out[i].Lexical)}
	}
	if x.vectors != nil {
		scores, err := x.sentenceCosines(ctx, q.Text, out, chunks)
		if err == nil {
			dense = make([]hit, len(out))
			for i, c := range scores {
				out[i].Dense, dense[i] = float64(c), hit{uint32(i), c}
			}
		}
		x.fail(err)
	}
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("score sentences: %w", err)
	}
	weights := Weights{Lexical: 1}
	if dense != nil {
		weights = weightsOf(x.vectors.embedder, coverage)
	}
	for _, h := range fuse(lexical, dense, weights) {
		out[h.clause].Score = float64(h.score)
	}
	return out, nil
}

// split cuts clauses into sentences; chunks holds the number of the chunk that
// is the same sentence, or -1.
func (x *Index) split(clauses []*Clause) (out []ScoredSentence, chunks []int) {
	for _, c := range clauses {
		r := []rune(c.Text)
		for _, p := range zh.Sentences(c.Text) {
			out = append(out, ScoredSentence{Clause: c, Start: p.Start, End: p.End, Text: string(r[p.Start:p.End])})
			chunks = append(chunks, x.sentenceChunk(c, p))
		}
	}
	return out, chunks
}

func (x *Index) sentenceChunk(c *Clause, p zh.Span) int {
	place, ok := x.places[c.ID]
	if !ok || x.clauses[place] != c || x.vectors == nil {
		return -1
	}
	lo, hi := x.vectors.first[place], x.vectors.first[place+1]
	for i, k := range x.vectors.chunks[lo:hi] {
		if k.sentence && k.start == uint32(p.Start) && k.end == uint32(p.End) {
			return int(lo) + i
		}
	}
	return -1
}

// sentenceCosines compares the question with every sentence, embedding those
// that have no vector yet.
func (x *Index) sentenceCosines(ctx context.Context, question string, sentences []ScoredSentence, chunks []int) ([]float32, error) {
	q, err := x.vectors.question(ctx, clip(question, questionLimit))
	if err != nil {
		return nil, err
	}
	vectors := make([][]float32, len(sentences))
	var texts []string
	var places []int
	for i, s := range sentences {
		if chunks[i] >= 0 {
			vectors[i] = x.vectors.vectors[chunks[i]]
		} else if v, ok := x.sentences.Load(s.Text); ok {
			vectors[i] = v.([]float32)
		} else {
			texts, places = append(texts, s.Text), append(places, i)
		}
	}
	if len(texts) > 0 {
		o := x.options
		o.Progress = nil
		got, failure, err := embedAll(ctx, texts, o)
		if err != nil {
			return nil, err
		}
		if failure != nil {
			return nil, failure
		}
		for i, v := range got {
			vectors[places[i]] = v
			x.sentences.Store(texts[i], v)
		}
	}
	out := make([]float32, len(vectors))
	for i, v := range vectors {
		out[i] = dot(q, v)
	}
	return out, nil
}

// BestSentence returns the sentence with the highest score, the first of equal
// ones, and whether there is any.
func BestSentence(sentences []ScoredSentence) (ScoredSentence, bool) {
	if len(sentences) == 0 {
		return ScoredSentence{}, false
	}
	return slices.MaxFunc(sentences, func(a, b ScoredSentence) int { return cmp.Compare(a.Score, b.Score) }), true
}
