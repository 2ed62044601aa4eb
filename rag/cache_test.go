package rag

import (
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"zhengda/rag/embed"
)

func key(i int) Key { return sha256.Sum256(fmt.Append(nil, i)) }

func vector(i int) []float32 { return []float32{float32(i), 0.5, -1} }

// expect says that a cache holds just the vectors of the numbers in want, of
// the first n.
func expect(t *testing.T, c VectorCache, n int, want ...int) {
	t.Helper()
	keys := make([]Key, n)
	for i := range keys {
		keys[i] = key(i)
	}
	got, err := c.Get("e", keys)
	if err != nil || len(got) != n {
		t.Fatalf("%d vectors, error %v", len(got), err)
	}
	for i, v := range got {
		if has := slices.Contains(want, i); has && !slices.Equal(v, vector(i)) || !has && v != nil {
			t.Errorf("vector %d is %v, want it: %v", i, v, has)
		}
	}
}

func put(t *testing.T, c VectorCache, numbers ...int) {
	t.Helper()
	var keys []Key
	var vectors [][]float32
	for _, i := range numbers {
		keys, vectors = append(keys, key(i)), append(vectors, vector(i))
	}
	if err := c.Put("e", keys, vectors); err != nil {
		t.Fatal(err)
	}
}

func TestVectorDir(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "vectors")
	a, b := OpenVectors(dir), OpenVectors(dir) // as two processes
	defer a.Close()
	defer b.Close()
	expect(t, a, 3)
	put(t, a, 0, 1)
	expect(t, a, 3, 0, 1)
	expect(t, b, 3, 0, 1)
	put(t, b, 2)
	expect(t, a, 4, 0, 1, 2)
	if got, err := a.Get("another", []Key{key(0)}); err != nil || got[0] != nil {
		t.Errorf("another embedder has %v, %v", got, err)
	}
	shipped := OpenVectors(t.TempDir(), os.DirFS(dir))
	expect(t, shipped, 4, 0, 1, 2)
	put(t, shipped, 3)
	expect(t, shipped, 4, 0, 1, 2, 3)
	expect(t, a, 4, 0, 1, 2)
}

// However much of the last record is there, the records before it and those
// appended after it are found.
func TestVectorDirCutOff(t *testing.T) {
	dir := t.TempDir()
	put(t, OpenVectors(dir), 0, 1)
	name := filepath.Join(dir, vectorName("e"))
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for n := len(whole) / 2; n < len(whole); n++ {
		if err := os.WriteFile(name, whole[:n], 0o644); err != nil {
			t.Fatal(err)
		}
		c := OpenVectors(dir)
		expect(t, c, 3, 0)
		put(t, c, 2)
		expect(t, c, 3, 0, 2)
		c.Close()
	}
	for n := range whole { // any byte changed costs one record
		b := slices.Clone(whole)
		b[n] ^= 0xff
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
		c := OpenVectors(dir)
		put(t, c, 2)
		expect(t, c, 3, 1-n/(len(whole)/2), 2)
		c.Close()
	}
}

func TestVectorDirTogether(t *testing.T) {
	dir := t.TempDir()
	var wg sync.WaitGroup
	var all []int
	for p := range 4 {
		c := OpenVectors(dir)
		defer c.Close()
		for i := range 25 {
			all = append(all, p*25+i)
		}
		wg.Go(func() {
			for i := range 25 {
				put(t, c, p*25+i)
				if _, err := c.Get("e", []Key{key(i)}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	expect(t, OpenVectors(dir), 101, all...)
}

func FuzzVectorFile(f *testing.F) {
	f.Add(appendRecord(appendRecord(nil, key(0), vector(0)), key(1), vector(1)))
	f.Add([]byte(recordMark + recordMark))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		if err := os.WriteFile(filepath.Join(dir, vectorName("e")), appendRecord(b, key(7), vector(7)), 0o644); err != nil {
			t.Fatal(err)
		}
		c := OpenVectors(dir)
		defer c.Close()
		got, err := c.Get("e", []Key{key(7)})
		if err != nil || !slices.Equal(got[0], vector(7)) {
			t.Errorf("after %q: %v, %v", b, got, err)
		}
	})
}

// counting counts the texts it embeds.
type counting struct {
	embed.Embedder
	texts int
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	c.texts += len(texts)
	return c.Embedder.Embed(ctx, texts)
}

func TestNothingIsEmbeddedTwice(t *testing.T) {
	e := &counting{Embedder: embed.NewHashed(64)}
	var done, total int
	o := Options{Embedder: e, Cache: OpenVectors(t.TempDir()), Progress: func(d, n int) { done, total = d, n }}
	x := build(t, o)
	if e.texts == 0 || done != total || total != len(x.vectors.chunks) {
		t.Errorf("embedded %d, progress %d of %d", e.texts, done, total)
	}
	first := e.texts
	build(t, o)
	if e.texts != first {
		t.Errorf("second build embedded %d texts", e.texts-first)
	}
	docs := sample()
	docs[0].Clauses[0].Text += "另有补充。"
	build(t, o, docs...)
	if n := e.texts - first; n != 2 {
		t.Errorf("a sentence more embedded %d texts, want it and its clause", n)
	}
}
