package rag

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"zhengda/rag/embed"
)

func TestSnapshot(t *testing.T) {
	docs := sample()
	docs[0].Meta = Meta{Number: "市科发〔2024〕1号", Year: 2024, Issued: time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC)}
	docs[0].Chapters = []Chapter{{Label: "一", Number: 1, Title: "总则", Path: []string{"一、总则"}}}
	docs[0].Clauses[1].Path = []string{"一、总则"}
	o := Options{Embedder: embed.NewHashed(64), Terms: []string{"揭榜挂帅"}, Tag: "7"}
	x := build(t, o, docs...)
	path := filepath.Join(t.TempDir(), "index")
	for range 2 { // the second replaces the first
		if err := x.Save(path); err != nil {
			t.Fatal(err)
		}
	}
	if left, _ := filepath.Glob(path + "*"); len(left) != 1 {
		t.Errorf("files left: %v", left)
	}
	y, err := Load(path, o)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(x.Documents(), y.Documents()) || !reflect.DeepEqual(x.Vocabulary(), y.Vocabulary()) {
		t.Error("documents or vocabulary differ")
	}
	for _, text := range []string{"先投后股有哪些支持", "秦创原揭榜挂帅", "孵化器"} {
		if a, b := x.Cut(text), y.Cut(text); !slices.Equal(a, b) {
			t.Errorf("Cut(%q): %q before, %q after", text, a, b)
		}
		for _, q := range []Query{{Text: text}, {Text: text, Documents: []string{"a-rules"}}} {
			a, _ := x.Search(t.Context(), q)
			b, _ := y.Search(t.Context(), q)
			if !reflect.DeepEqual(a, b) {
				t.Errorf("search %v: %v before, %v after", q, a, b)
			}
		}
		a, _ := x.Sentences(t.Context(), Query{Text: text}, x.clauses)
		b, _ := y.Sentences(t.Context(), Query{Text: text}, y.clauses)
		if !reflect.DeepEqual(a, b) {
			t.Errorf("sentences for %q differ", text)
		}
	}
}

func TestSnapshotOfOthers(t *testing.T) {
	o := Options{Embedder: embed.NewHashed(64), Tag: "7"}
	path := filepath.Join(t.TempDir(), "index")
	if err := build(t, o).Save(path); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]Options{
		"no embedder":    {Tag: "7"},
		"other embedder": {Embedder: embed.NewHashed(65), Tag: "7"},
		"other terms":    {Embedder: embed.NewHashed(64), Terms: []string{"词"}, Tag: "7"},
		"other corpus":   {Embedder: embed.NewHashed(64), Tag: "8"},
		"no sentences":   {Embedder: embed.NewHashed(64), SentenceLimit: -1},
	} {
		if _, err := Load(path, o); !errors.Is(err, ErrOther) {
			t.Errorf("%s: %v, want ErrOther", name, err)
		}
	}
	if _, err := Load(path+"x", o); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	o.Tag = ""
	if _, err := Load(path, o); err != nil {
		t.Errorf("without a tag: %v", err)
	}
}

// Every truncation and every changed byte is noticed, and nothing is read
// beyond it.
func TestDamagedSnapshot(t *testing.T) {
	o := Options{Embedder: embed.NewHashed(8), SentenceLimit: -1}
	b := build(t, o, doc("d", "办法", "秦创原平台。")).snapshot()
	for n := range b {
		if _, err := read(b[:n], o); !errors.Is(err, ErrDamaged) {
			t.Fatalf("first %d bytes: %v", n, err)
		}
		for _, flip := range []byte{1, 0x80, 0xff} {
			c := bytes.Clone(b)
			c[n] ^= flip
			if _, err := read(c, o); !errors.Is(err, ErrDamaged) {
				t.Fatalf("byte %d changed: %v", n, err)
			}
		}
	}
	if _, err := read(append(bytes.Clone(b), 0), o); !errors.Is(err, ErrDamaged) {
		t.Errorf("a byte more: %v", err)
	}
}

// Without the checksum, a damaged body is still refused or safe to search.
func FuzzDecode(f *testing.F) {
	o := Options{Embedder: embed.NewHashed(8)}
	f.Add(build(f, o).encode())
	f.Add(build(f, o, doc("d", "办法", "秦创原。")).encode())
	f.Add([]byte{})
	cut := newSegmenter(nil)
	f.Fuzz(func(t *testing.T, b []byte) {
		x, err := decode(b, o)
		if err != nil {
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrOther) {
				t.Fatalf("untyped error: %v", err)
			}
			return
		}
		x.segmenter = func() *segmenter { return cut } // loading one takes most of the time
		for _, q := range []Query{{Text: "秦创原"}, {Text: "企业", Documents: []string{"d", "a-rules"}}} {
			if _, err := x.Search(t.Context(), q); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := x.Sentences(t.Context(), Query{Text: "秦创原"}, x.clauses); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOpen(t *testing.T) {
	o := Options{Embedder: embed.NewHashed(64)}
	path := filepath.Join(t.TempDir(), "index")
	changed := sample()
	changed[0].Clauses[0].Text += "补充。"
	for _, step := range []struct {
		name    string
		docs    []Document
		before  func()
		rebuilt bool
	}{
		{"missing", sample(), func() {}, true},
		{"present", sample(), func() {}, false},
		{"changed document", changed, func() {}, true},
		{"damaged", changed, func() { os.Truncate(path, 100) }, true},
		{"repaired", changed, func() {}, false},
		{"empty file", changed, func() { os.Truncate(path, 0) }, true},
	} {
		step.before()
		x, rebuilt, err := Open(t.Context(), path, step.docs, o)
		if err != nil || rebuilt != step.rebuilt {
			t.Fatalf("%s: rebuilt %v, error %v", step.name, rebuilt, err)
		}
		if got := search(t, x, Query{Text: "先投后股"}); len(got) == 0 || got[0] != "b-plan#1" {
			t.Errorf("%s: found %v", step.name, got)
		}
	}
	x, _, err := Open(t.Context(), filepath.Join(path, "in", "a", "file"), sample(), o)
	if err == nil || x == nil {
		t.Errorf("cannot be saved: index %v, error %v; want both", x, err)
	}
}

// BenchmarkLoad is what a process waits for before it can search: the
// snapshot, with 1,000 clauses and their sentences.
func BenchmarkLoad(b *testing.B) {
	var docs []Document
	for i := range 20 {
		d := Document{ID: fmt.Sprintf("d%02d", i), Title: "管理办法"}
		for j := range 50 {
			d.Clauses = append(d.Clauses, Clause{ID: fmt.Sprintf("%s#%d", d.ID, j), Document: d.ID,
				Text: fmt.Sprintf("第%d类企业申请认定的，应当提交材料。主管部门在%d日内答复。", i, j)})
		}
	}
	o := Options{Embedder: embed.NewHashed(512)}
	path := filepath.Join(b.TempDir(), "index")
	if err := build(b, o, docs...).Save(path); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := Load(path, o); err != nil {
			b.Fatal(err)
		}
	}
}
