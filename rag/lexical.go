package rag

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
)

// BM25 parameters (Robertson and Zaragoza, The Probabilistic Relevance
// Framework, 2009). Clauses are short and say a thing once: repeating a term
// hardly matters, and length is punished half as much as usual.
const (
	bm25K1 = 0.2
	bm25B  = 0.45
)

// lexical is an immutable inverted index: for every term, in the order of the
// sorted terms, the clauses that hold it in ascending order.
type lexical struct {
	terms   []string
	start   []uint32 // postings of terms[i] are start[i]:start[i+1]
	clauses []uint32
	counts  []uint8  // occurrences in that clause, 255 and more as 255
	lengths []uint32 // terms in each clause

	norms []float32 // k1·(1−b+b·length/average), of each clause
	pool  sync.Pool // *[]float32, one zero score per clause
}

// hit is a clause, by its place in the index, with one leg's raw score.
type hit struct {
	clause uint32
	score  float32
}

// span is a range of clauses.
type span struct{ lo, hi uint32 }

// tokens are the terms of some clauses one after another, each a number in
// names.
type tokens struct {
	names  map[string]uint32
	ids    []uint32
	bounds []uint32 // bounds[i] is where clause i ends in ids
}

func (t *tokens) add(term string) {
	id, ok := t.names[term]
	if !ok {
		id = uint32(len(t.names))
		t.names[term] = id
	}
	t.ids = append(t.ids, id)
}

func (t *tokens) endClause() { t.bounds = append(t.bounds, uint32(len(t.ids))) }

// newLexical inverts the parts, which hold consecutive runs of clauses.
func newLexical(parts []*tokens) *lexical {
	all := make(map[string]struct{})
	for _, p := range parts {
		for name := range p.names {
			all[name] = struct{}{}
		}
	}
	l := &lexical{terms: slices.Sorted(maps.Keys(all))}
	rank := make(map[string]uint32, len(l.terms))
	for i, t := range l.terms {
		l.terms[i] = strings.Clone(t) // a term must not hold on to its text
		rank[t] = uint32(i)
	}

	// A counting sort by term keeps the clauses of a term in order.
	total := 0
	next := make([]uint32, len(l.terms)+1)
	for _, p := range parts {
		global := make([]uint32, len(p.names))
		for name, id := range p.names {
			global[id] = rank[name]
		}
		for i, id := range p.ids {
			p.ids[i] = global[id]
			next[global[id]+1]++
		}
		total += len(p.ids)
	}
	for i := 1; i < len(next); i++ {
		next[i] += next[i-1]
	}
	starts := slices.Clone(next)
	places := make([]uint32, total)
	clause := uint32(0)
	for _, p := range parts {
		from := uint32(0)
		for _, to := range p.bounds {
			for _, id := range p.ids[from:to] {
				places[next[id]] = clause
				next[id]++
			}
			l.lengths = append(l.lengths, to-from)
			from = to
			clause++
		}
	}

	l.start = make([]uint32, 1, len(l.terms)+1)
	for i := range l.terms {
		for run := places[starts[i]:starts[i+1]]; len(run) > 0; {
			n := 1
			for n < len(run) && run[n] == run[0] {
				n++
			}
			l.clauses = append(l.clauses, run[0])
			l.counts = append(l.counts, uint8(min(n, math.MaxUint8)))
			run = run[n:]
		}
		l.start = append(l.start, uint32(len(l.clauses)))
	}
	l.clauses, l.counts = slices.Clip(l.clauses), slices.Clip(l.counts)
	l.prepare()
	return l
}

// prepare computes what is derived from the stored fields.
func (l *lexical) prepare() {
	var sum float64
	for _, n := range l.lengths {
		sum += float64(n)
	}
	average := max(sum/float64(max(len(l.lengths), 1)), 1)
	l.norms = make([]float32, len(l.lengths))
	for i, n := range l.lengths {
		l.norms[i] = float32(bm25K1 * (1 - bm25B + bm25B*float64(n)/average))
	}
	l.pool.New = func() any { s := make([]float32, len(l.lengths)); return &s }
}

// postings returns where the clauses of a term are within a span.
func (l *lexical) postings(term string, s span) (lo, hi uint32) {
	i, ok := slices.BinarySearch(l.terms, term)
	if !ok {
		return 0, 0
	}
	lo, hi = l.start[i], l.start[i+1]
	if s.lo == 0 && s.hi == uint32(len(l.lengths)) {
		return lo, hi
	}
	run := l.clauses[lo:hi]
	a := sort.Search(len(run), func(j int) bool { return run[j] >= s.lo })
	b := a + sort.Search(len(run)-a, func(j int) bool { return run[a+j] >= s.hi })
	return lo + uint32(a), lo + uint32(b)
}

// weighted is a term of a question with the weight it has among the clauses
// that are searched: idf times its occurrences in the question.
type weighted struct {
	term   string
	idf    float32
	weight float32
}

// weigh finds the terms of a question, sorted, with weights by the clauses in
// spans alone; a term that occurs in none of them weighs most.
func (l *lexical) weigh(terms []string, spans []span) []weighted {
	slices.Sort(terms)
	n := 0
	for _, s := range spans {
		n += int(s.hi - s.lo)
	}
	var out []weighted
	for len(terms) > 0 {
		t, times := terms[0], 1
		for times < len(terms) && terms[times] == t {
			times++
		}
		terms = terms[times:]
		found := 0
		for _, s := range spans {
			lo, hi := l.postings(t, s)
			found += int(hi - lo)
		}
		w := idf(n, found)
		out = append(out, weighted{t, w, w * float32(times)})
	}
	return out
}

// idf is the weight of a term found in some of n clauses, never negative.
func idf(n, found int) float32 {
	return float32(math.Log(1 + (float64(n-found)+0.5)/(float64(found)+0.5)))
}

// top returns the best clauses of the spans with a score above zero, the best
// first and equal ones in the order of the index.
func (l *lexical) top(q []weighted, spans []span, depth int) []hit {
	p := l.pool.Get().(*[]float32)
	scores := *p
	for _, w := range q {
		for _, s := range spans {
			lo, hi := l.postings(w.term, s)
			counts := l.counts[lo:hi]
			for i, c := range l.clauses[lo:hi] {
				n := float32(counts[i])
				scores[c] += w.weight * (bm25K1 + 1) * n / (n + l.norms[c])
			}
		}
	}
	best := newTop(depth)
	for _, s := range spans {
		for i, score := range scores[s.lo:s.hi] {
			if score > best.floor {
				best.add(hit{s.lo + uint32(i), score})
			}
		}
		clear(scores[s.lo:s.hi])
	}
	l.pool.Put(p)
	return best.sorted()
}

// score returns the BM25 score of one clause and the share of the question's
// idf weight that is found in it.
func (l *lexical) score(q []weighted, clause uint32) (score, coverage float64) {
	var found, all float64
	for _, w := range q {
		all += float64(w.idf)
		lo, hi := l.postings(w.term, span{clause, clause + 1})
		if lo == hi {
			continue
		}
		n := float64(l.counts[lo])
		found += float64(w.idf)
		score += float64(w.weight) * (bm25K1 + 1) * n / (n + float64(l.norms[clause]))
	}
	if all == 0 {
		return score, 0
	}
	return score, found / all
}

// top keeps the best few hits seen: a heap with the worst one first.
type top struct {
	heap  []hit
	size  int
	floor float32 // no score at or below it is among the best
}

func newTop(size int) *top { return &top{heap: make([]hit, 0, size), size: size} }

// better orders hits: the higher score first, then the earlier clause.
func better(a, b hit) int {
	return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.clause, b.clause))
}

// add takes hits in the order of the index, so that a later one with an equal
// score never replaces an earlier one.
func (t *top) add(h hit) {
	if len(t.heap) < t.size {
		t.heap = append(t.heap, h)
		for i := len(t.heap) - 1; i > 0 && better(t.heap[i], t.heap[(i-1)/2]) > 0; i = (i - 1) / 2 {
			t.heap[i], t.heap[(i-1)/2] = t.heap[(i-1)/2], t.heap[i]
		}
	} else if h.score > t.heap[0].score {
		t.heap[0] = h
		for i := 0; ; {
			child := 2*i + 1
			if child >= len(t.heap) {
				break
			}
			if child+1 < len(t.heap) && better(t.heap[child+1], t.heap[child]) > 0 {
				child++
			}
			if better(t.heap[child], t.heap[i]) <= 0 {
				break
			}
			t.heap[i], t.heap[child] = t.heap[child], t.heap[i]
			i = child
		}
	}
	if len(t.heap) == t.size {
		t.floor = t.heap[0].score
	}
}

func (t *top) sorted() []hit {
	slices.SortFunc(t.heap, better)
	return t.heap
}
