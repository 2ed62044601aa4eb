// Bench measures the index of package rag beside a search engine that others
// use, bleve with its cjk analyzer on disk, over one retrieval set in one run.
// Times of one run compare with each other only.
//
//	cd internal/bench && go run . DIR
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"math"
	"os"
	"slices"
	"time"

	"zhengda/rag"
)

// engine is something that finds clauses by words.
type engine interface {
	// Build indexes the clauses.
	Build(clauses []clause) error
	// Search returns the IDs of the best clauses, at most k, best first.
	Search(question string, k int) ([]string, error)
}

// result is what one engine shows; times in seconds and milliseconds.
type result struct {
	Engine string  `json:"engine"`
	Build  float64 `json:"build_s"`
	P50    float64 `json:"query_p50_ms"`
	P95    float64 `json:"query_p95_ms"`
	NDCG   float64 `json:"ndcg@10"`
	Recall float64 `json:"recall@10"`
}

// depth of every search, and of the two measures.
const depth = 10

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("usage: bench DIR, a folder with corpus.jsonl, queries.jsonl and qrels.tsv")
	}
	clauses, questions, err := read(os.Args[1])
	if err != nil {
		log.Fatal(err)
	}
	dir, err := os.MkdirTemp("", "bench")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)

	ours, err := measure("zhengda rag, words alone", new(ragEngine), clauses, questions)
	if err != nil {
		log.Fatal(err)
	}
	theirs, err := measure("bleve 2.5.7, cjk, on disk", &bleveEngine{dir: dir}, clauses, questions)
	if err != nil {
		log.Fatal(err)
	}
	out, err := json.MarshalIndent([]result{ours, theirs}, "", "  ")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(out))
	fmt.Printf("median query %.1f times faster, build %.1f times faster, nDCG@10 %+.4f\n",
		theirs.P50/ours.P50, theirs.Build/ours.Build, ours.NDCG-theirs.NDCG)
}

func measure(name string, e engine, clauses []clause, questions []question) (result, error) {
	start := time.Now()
	if err := e.Build(clauses); err != nil {
		return result{}, fmt.Errorf("%s: build: %w", name, err)
	}
	r := result{Engine: name, Build: time.Since(start).Seconds()}
	var times []float64
	for _, q := range questions {
		start := time.Now()
		ids, err := e.Search(q.text, depth)
		if err != nil {
			return result{}, fmt.Errorf("%s: search: %w", name, err)
		}
		times = append(times, float64(time.Since(start).Nanoseconds())/1e6)
		gain, ideal, found := 0.0, 0.0, 0
		for i, id := range ids {
			if q.relevant[id] {
				gain += 1 / math.Log2(float64(i)+2)
				found++
			}
		}
		for i := range min(depth, len(q.relevant)) {
			ideal += 1 / math.Log2(float64(i)+2)
		}
		r.NDCG += gain / ideal / float64(len(questions))
		r.Recall += float64(found) / float64(len(q.relevant)) / float64(len(questions))
	}
	slices.Sort(times)
	r.P50, r.P95 = times[len(times)/2], times[len(times)*95/100]
	return r, nil
}

// ragEngine is the index of this project without vectors.
type ragEngine struct{ index *rag.Index }

func (e *ragEngine) Build(clauses []clause) (err error) {
	docs := make([]rag.Document, 0, len(clauses))
	place := make(map[string]int)
	for _, c := range clauses {
		i, ok := place[c.Title]
		if !ok {
			i = len(docs)
			place[c.Title] = i
			docs = append(docs, rag.Document{ID: fmt.Sprintf("d%07d", i), Title: c.Title})
		}
		docs[i].Clauses = append(docs[i].Clauses, rag.Clause{ID: c.ID, Document: docs[i].ID, Text: c.Text})
	}
	e.index, err = rag.Build(context.Background(), docs, rag.Options{})
	return err
}

func (e *ragEngine) Search(question string, k int) ([]string, error) {
	found, err := e.index.Search(context.Background(), rag.Query{Text: question, K: k})
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.Clause.ID
	}
	return ids, err
}
