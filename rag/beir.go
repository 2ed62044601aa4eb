package rag

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// BeirReport is what a retrieval set shows of an index. Shares are in [0, 1].
type BeirReport struct {
	Clauses int `json:"clauses"`
	Queries int `json:"queries"`
	Ranking
	BuildSeconds float64 `json:"build_s"`
	// LexicalSeconds is the part of the build that words take.
	LexicalSeconds float64        `json:"lexical_build_s"`
	Milliseconds   Percentiles    `json:"query_ms"`
	Embedder       string         `json:"embedder,omitempty"`
	Legs           map[string]Leg `json:"legs"`
}

// Leg is what one leg does alone.
type Leg struct {
	Ranking
	Milliseconds *Percentiles `json:"query_ms,omitempty"`

	queries int
	times   []float64
}

// Ranking are means over queries: Recall by depth is the share of the relevant
// clauses among the first; MRR and NDCG look at ten.
type Ranking struct {
	Recall map[string]float64 `json:"recall"`
	MRR    float64            `json:"mrr@10"`
	NDCG   float64            `json:"ndcg@10"`
}

// Percentiles of times in milliseconds.
type Percentiles struct {
	P50 float64 `json:"p50"`
	P95 float64 `json:"p95"`
}

// Beir builds an index over dir/corpus.jsonl and searches it for every query
// of dir/queries.jsonl that has a relevant clause in dir/qrels.tsv, files in
// the form of the BEIR benchmark (Thakur et al., 2021); qrels may go without
// the headline. Queries run one after another, and their time includes that of
// the embedder.
func Beir(ctx context.Context, dir string, o Options) (BeirReport, error) {
	set, err := readBeir(dir)
	if err != nil {
		return BeirReport{}, err
	}
	o.SentenceLimit = -1
	words := o
	words.Embedder = nil
	start := time.Now()
	x, err := Build(ctx, set.docs, words)
	if err != nil {
		return BeirReport{}, err
	}
	r := BeirReport{Clauses: len(x.clauses), Queries: len(set.queries), Legs: map[string]Leg{}}
	r.LexicalSeconds = time.Since(start).Seconds()
	if o.Embedder != nil {
		x.options = o
		if err := x.buildVectors(ctx); err != nil {
			return BeirReport{}, err
		}
		if err := x.Health(); err != nil {
			return BeirReport{}, err
		}
		r.Embedder = x.Embedder()
	}
	r.BuildSeconds = time.Since(start).Seconds()

	if x.vectors != nil {
		if err := x.vectors.open(); err != nil {
			return BeirReport{}, err
		}
	}
	if err := set.measure(ctx, x, &r); err != nil {
		return BeirReport{}, err
	}
	return r, nil
}

// measure searches for every query, by words and then by everything; the order
// of the dense leg comes out of the latter.
func (b *beirSet) measure(ctx context.Context, x *Index, r *BeirReport) error {
	var all, lexical, dense Leg
	for _, q := range b.queries {
		start := time.Now()
		f := x.find(ctx, Query{Text: q.text, Weights: &Weights{Lexical: 1}})
		lexical.count(x, x.order(f.lexical), q, time.Since(start))
		if x.vectors == nil {
			continue
		}
		start = time.Now()
		f = x.find(ctx, Query{Text: q.text})
		hits := x.order(fuse(f.lexical, f.dense, f.weights))
		all.count(x, hits, q, time.Since(start))
		dense.count(x, x.order(f.dense), q, 0)
		if err := x.Health(); err != nil {
			return fmt.Errorf("query %s: %w", q.id, err)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("query %s: %w", q.id, err)
		}
	}
	r.Legs["lexical"] = lexical.mean()
	if x.vectors == nil {
		all = r.Legs["lexical"]
	} else {
		all, r.Legs["dense"] = all.mean(), dense.mean()
	}
	r.Ranking, r.Milliseconds = all.Ranking, *all.Milliseconds
	return nil
}

// count adds what one search found, and how long it took; zero is not known.
func (l *Leg) count(x *Index, hits []hit, q beirQuery, took time.Duration) {
	ids := make([]string, len(hits))
	for i, h := range hits {
		ids[i] = x.clauses[h.clause].ID
	}
	l.add(ids, q.relevant)
	l.queries++
	if took > 0 {
		l.times = append(l.times, float64(took.Nanoseconds())/1e6)
	}
}

// mean ends the counting.
func (l Leg) mean() Leg {
	l.divide(l.queries)
	if slices.Sort(l.times); len(l.times) > 0 {
		l.Milliseconds = &Percentiles{percentile(l.times, .5), percentile(l.times, .95)}
	}
	return l
}

// depths of Recall.
var depths = map[string]int{"1": 1, "5": 5, "10": 10, "20": 20, "100": 100}

// add counts one query: NDCG with binary gains (Järvelin and Kekäläinen, 2002).
func (r *Ranking) add(ids []string, relevant map[string]bool) {
	var gain, ideal float64
	first := 0
	for i := range min(10, len(relevant)) {
		ideal += 1 / math.Log2(float64(i)+2)
	}
	for i, id := range ids[:min(10, len(ids))] {
		if relevant[id] {
			gain += 1 / math.Log2(float64(i)+2)
			if first == 0 {
				first = i + 1
			}
		}
	}
	r.NDCG += gain / ideal
	if first > 0 {
		r.MRR += 1 / float64(first)
	}
	if r.Recall == nil {
		r.Recall = make(map[string]float64)
	}
	for name, depth := range depths {
		n := 0
		for _, id := range ids[:min(depth, len(ids))] {
			if relevant[id] {
				n++
			}
		}
		r.Recall[name] += float64(n) / float64(len(relevant))
	}
}

func (r *Ranking) divide(n int) {
	round := func(sum float64) float64 { return math.Round(sum/float64(max(n, 1))*1e4) / 1e4 }
	r.NDCG, r.MRR = round(r.NDCG), round(r.MRR)
	for name := range r.Recall {
		r.Recall[name] = round(r.Recall[name])
	}
}

// percentile of sorted values by the nearest rank, to a thousandth.
func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(p*float64(len(sorted)))) - 1
	return math.Round(sorted[max(i, 0)]*1e3) / 1e3
}

type beirSet struct {
	docs    []Document
	queries []beirQuery
}

type beirQuery struct {
	id, text string
	relevant map[string]bool
}

func readBeir(dir string) (*beirSet, error) {
	set := new(beirSet)
	byTitle := make(map[string]int)
	err := readLines(filepath.Join(dir, "corpus.jsonl"), func(line []byte) error {
		var c struct {
			ID          string `json:"id"`
			UnderlineID string `json:"_id"`
			Title, Text string
		}
		if err := json.Unmarshal(line, &c); err != nil {
			return err
		}
		at, ok := byTitle[c.Title]
		if !ok {
			at = len(set.docs)
			byTitle[c.Title] = at
			set.docs = append(set.docs, Document{ID: fmt.Sprintf("beir-%07d", at), Title: c.Title})
		}
		d := &set.docs[at]
		d.Clauses = append(d.Clauses, Clause{ID: c.ID + c.UnderlineID, Document: d.ID, Text: c.Text})
		return nil
	})
	if err != nil {
		return nil, err
	}
	relevant := make(map[string]map[string]bool)
	err = readLines(filepath.Join(dir, "qrels.tsv"), func(line []byte) error {
		f := strings.Split(string(line), "\t")
		if len(f) != 3 {
			return fmt.Errorf("want three columns, got %d", len(f))
		}
		if relevant[f[0]] == nil {
			relevant[f[0]] = make(map[string]bool)
		}
		if f[2] != "0" {
			relevant[f[0]][f[1]] = true
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	err = readLines(filepath.Join(dir, "queries.jsonl"), func(line []byte) error {
		var q struct {
			ID          string `json:"id"`
			UnderlineID string `json:"_id"`
			Text        string
		}
		if err := json.Unmarshal(line, &q); err != nil {
			return err
		}
		if r := relevant[q.ID+q.UnderlineID]; len(r) > 0 {
			set.queries = append(set.queries, beirQuery{q.ID + q.UnderlineID, q.Text, r})
		}
		return nil
	})
	return set, err
}

// readLines calls f with every line that is not blank.
func readLines(name string, f func(line []byte) error) error {
	file, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read retrieval set: %w", err)
	}
	defer file.Close()
	r := bufio.NewReader(file)
	for n := 1; ; n++ {
		line, err := r.ReadBytes('\n')
		if s := strings.TrimSpace(string(line)); s != "" {
			if err := f([]byte(s)); err != nil {
				return fmt.Errorf("read retrieval set: %s line %d: %w", name, n, err)
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read retrieval set: %w", err)
		}
	}
}
