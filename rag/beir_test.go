package rag

import (
	"encoding/json"
	"flag"
	"math"
	"os"
	"path/filepath"
	"testing"

	"zhengda/rag/embed"
)

var update = flag.Bool("update", false, "write the golden figures of retrieval")

// q1 finds its clause first. q2 finds a1 and, without a word in common, never
// b2: one gain at place one or two of an ideal of two.
func TestBeir(t *testing.T) {
	r, err := Beir(t.Context(), "testdata/beir", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Clauses != 4 || r.Queries != 2 || r.Recall["100"] != .75 || r.Recall["10"] != .75 {
		t.Errorf("%+v", r)
	}
	x := build(t, Options{}, must(readBeir("testdata/beir")).docs...)
	place := 1.0
	if got := search(t, x, Query{Text: "孵化器场地和法人资格"}); got[0] != "a1" {
		place = 2
	}
	round := func(v float64) float64 { return math.Round(v*1e4) / 1e4 }
	ideal := 1 + 1/math.Log2(3)
	if want := round((1 + 1/math.Log2(place+1)/ideal) / 2); r.NDCG != want {
		t.Errorf("nDCG %v, want %v", r.NDCG, want)
	}
	if want := round((1 + 1/place) / 2); r.MRR != want {
		t.Errorf("MRR %v, want %v", r.MRR, want)
	}

	r, err = Beir(t.Context(), "testdata/beir", Options{Embedder: embed.NewHashed(64)})
	if err != nil || r.Embedder != "hashed/64" || r.Legs["dense"].Recall["100"] != 1 || r.Legs["lexical"].NDCG == 0 {
		t.Errorf("with vectors: %+v, %v", r, err)
	}
	if _, err := Beir(t.Context(), t.TempDir(), Options{}); err == nil {
		t.Error("an empty folder is measured")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// golden are the figures kept in the repository.
type golden struct {
	Words   Ranking `json:"words"`
	Dense   Ranking `json:"dense"`
	Builtin Ranking `json:"builtin"`
}

// falls is how far a figure may fall before a test fails.
const falls = .003

func (r Ranking) check(t *testing.T, name string, want Ranking) {
	t.Helper()
	for figure, v := range map[string][2]float64{
		"ndcg@10": {r.NDCG, want.NDCG}, "mrr@10": {r.MRR, want.MRR}, "recall@10": {r.Recall["10"], want.Recall["10"]}, "recall@100": {r.Recall["100"], want.Recall["100"]},
	} {
		if v[0] < v[1]-falls {
			t.Errorf("%s: %s is %v, was %v", name, figure, v[0], v[1])
		}
	}
}

// TestRetrieval compares retrieval with the figures in testdata/beir.json: by
// words, and where ZHENGDA_TEST_VECTORS names a folder to keep vectors in (the
// first run embeds 28,000 clauses), with the built-in model. Run with -update
// to write what is measured.
func TestRetrieval(t *testing.T) {
	dir := shared(t, "legal_dc")
	const name = "testdata/beir.json"
	var want golden
	b, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(b, &want)
	}
	if err != nil && !*update {
		t.Fatal(err)
	}
	got := want
	o := Options{}
	if vectors := os.Getenv("ZHENGDA_TEST_VECTORS"); vectors != "" {
		e, err := embed.Builtin()
		if err != nil {
			t.Fatal(err)
		}
		cache := OpenVectors(filepath.Clean(vectors))
		defer cache.Close()
		o = Options{Embedder: e, Cache: cache}
	}
	r, err := Beir(t.Context(), dir, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("build %.1f s, query %+v ms", r.BuildSeconds, r.Milliseconds)
	got.Words = r.Legs["lexical"].Ranking
	got.Words.check(t, "words", want.Words)
	if o.Embedder != nil {
		got.Dense, got.Builtin = r.Legs["dense"].Ranking, r.Ranking
		got.Dense.check(t, "dense", want.Dense)
		got.Builtin.check(t, "fused", want.Builtin)
	}
	if *update {
		b, err := json.MarshalIndent(got, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, append(b, '\n'), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// Character n-grams beside the words must not spoil them.
func TestWeakVectorsDoNotSpoil(t *testing.T) {
	if testing.Short() {
		t.Skip("hashes 28,000 clauses")
	}
	r, err := Beir(t.Context(), shared(t, "legal_dc"), Options{Embedder: embed.NewHashed(256)})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("words %v, vectors %v, both %v", r.Legs["lexical"].NDCG, r.Legs["dense"].NDCG, r.NDCG)
	if r.NDCG < r.Legs["lexical"].NDCG-falls {
		t.Errorf("nDCG@10 %v by words, %v with weak vectors", r.Legs["lexical"].NDCG, r.NDCG)
	}
}
