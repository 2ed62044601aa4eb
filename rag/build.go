package rag

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"zhengda/internal/zh"
)

// Build makes an index over documents, which must not be changed afterwards.
// When the embedder fails the index goes without vectors and Health says why;
// vectors that the embedder gave before are in the cache for the next time.
// The error is about the documents, the cache or ctx.
func Build(ctx context.Context, docs []Document, o Options) (*Index, error) {
	x, err := newIndex(docs, o)
	if err != nil {
		return nil, err
	}
	if x.corpus, err = hashDocuments(docs); err != nil {
		return nil, err
	}
	if err := x.buildWords(ctx); err != nil {
		return nil, fmt.Errorf("index %d clauses: %w", len(x.clauses), err)
	}
	if o.Embedder != nil {
		if err := x.buildVectors(ctx); err != nil {
			return nil, fmt.Errorf("embed %d clauses: %w", len(x.clauses), err)
		}
	}
	return x, nil
}

func hashDocuments(docs []Document) (sum [32]byte, err error) {
	h := sha256.New()
	if err := json.NewEncoder(h).Encode(docs); err != nil {
		return sum, fmt.Errorf("hash documents: %w", err)
	}
	return [32]byte(h.Sum(nil)), nil
}

// headings are what stands above a clause's text: the document's title, the
// chapters, and the run-in title where the text does not begin with it.
func (x *Index) headings(clause uint32) string {
	c := x.clauses[clause]
	lines := make([]string, 0, 2+len(c.Path))
	lines = append(lines, x.documents[x.owner[clause]].Title)
	lines = append(lines, c.Path...)
	if !strings.HasPrefix(c.Text, c.Title) {
		lines = append(lines, c.Title)
	}
	return strings.Join(slices.DeleteFunc(lines, func(s string) bool { return s == "" }), "\n")
}

// buildWords cuts the clauses into terms and inverts them. Strings that the
// first cut leaves in single characters again and again become terms too, and
// the clauses that hold them are cut a second time.
func (x *Index) buildWords(ctx context.Context) error {
	own := make(map[string]bool)
	for _, t := range x.options.Terms {
		if t = zh.Fold(t); isTerm(t, quotedMost) {
			own[t] = true
		}
	}
	for _, d := range x.documents {

		marked(d, own)
	}
	texts := make([]string, len(x.clauses))
	terms := slices.Sorted(maps.Keys(own))
	s := newSegmenter(terms)
	strangers := newLoose()
	var mu sync.Mutex
	err := parallel(ctx, len(texts), func(_, lo, hi int) {
		l := newLoose()
		for i := lo; i < hi; i++ {
			texts[i] = zh.Fold(x.headings(uint32(i)) + "\n" + x.clauses[i].Text)
			s.words(texts[i], l.add)
			l.endClause()
		}
		mu.Lock()
		defer mu.Unlock()
		for k, n := range l.counts {
			strangers.counts[k] += n
		}
	})
	if err != nil {
		return err
	}
	if more := strangers.terms(); len(more) > 0 {
		terms = append(terms, more...)
		slices.Sort(terms)
		s = newSegmenter(terms)
	}
	x.segmenter = func() *segmenter { return s }

	f := newFinder(terms)
	counts := make([]int, len(terms))
	parts := make([]*tokens, runtime.GOMAXPROCS(0))
	err = parallel(ctx, len(texts), func(part, lo, hi int) {
		t := &tokens{names: make(map[string]uint32)}
		parts[part] = t
		mine, seen := make([]int, len(terms)), make(map[int]bool)
		for i := lo; i < hi; i++ {
			s.terms(texts[i], t.add)
			t.endClause()
			clear(seen)
			f.in(texts[i], func(term int) {
				if !seen[term] {
					seen[term] = true
					mine[term]++
				}
			})
		}
		mu.Lock()
		defer mu.Unlock()
		for term, n := range mine {
			counts[term] += n
		}
	})
	if err != nil {
		return err
	}
	x.words = newLexical(slices.DeleteFunc(parts, func(t *tokens) bool { return t == nil }))
	for i, t := range terms {
		x.terms = append(x.terms, Term{t, counts[i]})
	}
	slices.SortStableFunc(x.terms, func(a, b Term) int { return cmp.Compare(b.Clauses, a.Clauses) })
	return nil
}

// parallel splits 0:n into consecutive parts, one for each processor, and
// works on all at once. Parts are numbered in order.
func parallel(ctx context.Context, n int, work func(part, lo, hi int)) error {
	var wg sync.WaitGroup
	procs := runtime.GOMAXPROCS(0)
	for p := range procs {
		if lo, hi := n*p/procs, n*(p+1)/procs; lo < hi {
			wg.Go(func() { work(p, lo, hi) })
		}
	}
	wg.Wait()
	return ctx.Err()
}

// buildVectors embeds the clauses, and the sentences of a small corpus.
func (x *Index) buildVectors(ctx context.Context) error {
	chunks := x.chunks()
	texts := make([]string, len(chunks))
	for i, c := range chunks {
		texts[i] = x.chunkText(c)
	}
	vectors, failure, err := embedAll(ctx, texts, x.options)
	if err != nil {
		return err
	}
	x.fail(failure)
	if failure == nil {
		x.vectors = newDense(x.options.Embedder, len(x.clauses), chunks, vectors)
	}
	return nil
}

// chunks are the parts of all clauses, in order.
func (x *Index) chunks() []chunk {
	var out []chunk
	sentences := 0
	spans := make([][]zh.Span, len(x.clauses))
	limit := cmp.Or(x.options.SentenceLimit, defaultSentences)
	for i, c := range x.clauses {
		if limit < 0 || sentences > limit {
			break
		}
		spans[i] = zh.Sentences(c.Text)
		sentences += len(spans[i])
	}
	for i, c := range x.clauses {
		room := chunkLimit - utf8.RuneCountInString(x.headings(uint32(i)))
		for _, p := range pieces(c.Text, room) {
			out = append(out, chunk{uint32(i), uint32(p.Start), uint32(p.End), false})
		}
		if limit >= 0 && sentences <= limit {
			for _, p := range spans[i] {
				out = append(out, chunk{uint32(i), uint32(p.Start), uint32(p.End), true})
			}
		}
	}
	return out
}

// chunkText is what is embedded of a chunk.
func (x *Index) chunkText(c chunk) string {
	r := []rune(x.clauses[c.clause].Text)
	text := string(r[c.start:c.end])
	if c.sentence {
		return text
	}
	return strings.TrimPrefix(x.headings(c.clause)+"\n"+text, "\n")
}

// embedBatch is how many texts go to the embedder at once, of similar length.
const embedBatch = 64

// embedAll returns a vector for every text, from the cache where it has one.
// Failure is the embedder's error, err anything else.
func embedAll(ctx context.Context, texts []string, o Options) (vectors [][]float32, failure, err error) {
	name := o.Embedder.Name()
	vectors = make([][]float32, len(texts))
	keys := make([]Key, len(texts))
	for i, t := range texts {
		keys[i] = sha256.Sum256([]byte(t))
	}
	if o.Cache != nil {
		if vectors, err = o.Cache.Get(name, keys); err != nil {
			return nil, nil, err
		}
		for i, v := range vectors {
			if v != nil && len(v) != o.Embedder.Dim() {
				vectors[i] = nil
			}
		}
	}
	missing := make(map[Key][]int) // places of every text without a vector
	for i, v := range vectors {
		if v == nil {
			missing[keys[i]] = append(missing[keys[i]], i)
		}
	}
	order := slices.SortedFunc(maps.Keys(missing), func(a, b Key) int {
		i, j := missing[a][0], missing[b][0]
		return cmp.Or(cmp.Compare(len(texts[i]), len(texts[j])), cmp.Compare(i, j))
	})
	done := len(texts) - len(order)
	for batch := range slices.Chunk(order, embedBatch) {
		if o.Progress != nil {
			o.Progress(done, len(texts))
		}
		some := make([]string, len(batch))
		for i, k := range batch {
			some[i] = texts[missing[k][0]]
		}
		got, failure := o.Embedder.Embed(ctx, some)
		if err := ctx.Err(); err != nil {
			return nil, nil, err
		}
		if failure == nil {
			failure = checkVectors(o.Embedder, got, len(some))
		}
		if failure != nil {
			return nil, failure, nil
		}
		if o.Cache != nil {
			if err := o.Cache.Put(name, batch, got); err != nil {
				return nil, nil, err
			}
		}
		for i, k := range batch {
			for _, place := range missing[k] {
				vectors[place] = got[i]
			}
		}
		done += len(batch)
	}
	if o.Progress != nil {
		o.Progress(done, len(texts))
	}
	return vectors, nil, nil
}
