package rag

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"zhengda/rag/embed"
)

// doc makes a document of one clause per text; "title: text" gives a clause a
// run-in title.
func doc(id, title string, texts ...string) Document {
	d := Document{ID: id, Title: title, Version: "1"}
	for i, t := range texts {
		c := Clause{ID: fmt.Sprintf("%s#%d", id, i+1), Document: id, Label: fmt.Sprintf("第%d条", i+1), Number: i + 1, Text: t}
		if run, _, ok := strings.Cut(t, "。"); ok && strings.Contains(t, "。") && len([]rune(run)) < 12 {
			c.Title = run
		}
		d.Clauses = append(d.Clauses, c)
	}
	return d
}

func sample() []Document {
	return []Document{
		doc("b-plan", "某市科学技术局2024年度工作要点",
			"推进科技金融结合。探索开展“先投后股”试点工作,支持一批科技成果转化企业。",
			"建设秦创原平台。秦创原总窗口新增企业100家,秦创原科学家加工程师队伍300支。",
			"深化三项改革。推广“三项改革”经验,完善秦创原服务。",
			"支持企业创新。国家高新技术企业达到13000家,科技型中小企业超过16000家。"),
		doc("a-rules", "某省科技企业孵化器管理办法",
			"申请孵化器认定的单位应当具备独立法人资格。",
			"孵化器场地面积不少于3000平方米。",
			"省科技厅每年组织一次评价。评价不合格的，取消资格。"),
	}
}

func build(t testing.TB, o Options, docs ...Document) *Index {
	t.Helper()
	if docs == nil {
		docs = sample()
	}
	x, err := Build(t.Context(), docs, o)
	if err != nil {
		t.Fatal(err)
	}
	return x
}

func search(t testing.TB, x *Index, q Query) []string {
	t.Helper()
	found, err := x.Search(t.Context(), q)
	if err != nil {
		t.Fatalf("search %q: %v", q.Text, err)
	}
	ids := make([]string, len(found))
	for i, p := range found {
		ids[i] = p.Clause.ID
		if p.Document.ID != p.Clause.Document {
			t.Errorf("clause %s comes with document %s", p.Clause.ID, p.Document.ID)
		}
		if p.Coverage < 0 || p.Coverage > 1 || math.IsNaN(p.Score) {
			t.Errorf("clause %s: coverage %v, score %v", p.Clause.ID, p.Coverage, p.Score)
		}
	}
	return ids
}

func TestSearch(t *testing.T) {
	for name, o := range map[string]Options{"words": {}, "words and vectors": {Embedder: embed.NewHashed(256)}} {
		t.Run(name, func(t *testing.T) {
			x := build(t, o)
			for question, want := range map[string]string{
				"先投后股有哪些支持?":     "b-plan#1",
				"秦创原新增多少家企业":     "b-plan#2",
				"“三项改革”":         "b-plan#3",
				"场地要多大面积":        "a-rules#2",
				"孵化器 法人资格":       "a-rules#1",
				"１３０００家是什么企业的目标": "b-plan#4",
			} {
				if got := search(t, x, Query{Text: question}); len(got) == 0 || got[0] != want {
					t.Errorf("%s: %v, want %s first", question, got, want)
				}
			}
		})
	}
}

func TestSearchInDocuments(t *testing.T) {
	x := build(t, Options{Embedder: embed.NewHashed(256)})
	for _, q := range []Query{{Text: "企业", Documents: []string{"a-rules"}}, {Text: "企业", Documents: []string{"a-rules", "none", "a-rules"}, K: 99}} {
		for _, id := range search(t, x, q) {
			if !strings.HasPrefix(id, "a-rules") {
				t.Errorf("%v found %s", q.Documents, id)
			}
		}
	}
	if got := search(t, x, Query{Text: "企业", Documents: []string{"none"}}); len(got) != 0 {
		t.Errorf("an unknown document has clauses %v", got)
	}
	if got := search(t, x, Query{Text: "企业", Documents: []string{"a-rules", "b-plan"}}); len(got) != 7 {
		t.Errorf("two documents: %d passages, want all 7", len(got))
	}
}

// In one document a word of its title says nothing: it stands before every
// clause.
func TestWeightsWithinDocument(t *testing.T) {
	x := build(t, Options{})
	inside := x.words.weigh([]string{"孵化器"}, x.within([]string{"a-rules"}))
	whole := x.words.weigh([]string{"孵化器"}, x.within(nil))
	if inside[0].idf >= whole[0].idf {
		t.Errorf("idf %v inside its document, %v in the corpus", inside[0].idf, whole[0].idf)
	}
}

func TestTies(t *testing.T) {
	var docs []Document
	for i := range 20 {
		docs = append(docs, doc(fmt.Sprintf("d%02d", (i*7)%20), "同名办法", "同一条款的同一文字。"))
	}
	x := build(t, Options{Embedder: embed.NewHashed(64)}, docs...)
	for range 20 {
		got := search(t, x, Query{Text: "同一条款", K: 20})
		if len(got) != 20 || !slices.IsSorted(got) {
			t.Fatalf("equal clauses come as %v", got)
		}
	}
}

func TestHostileQuestions(t *testing.T) {
	x := build(t, Options{Embedder: embed.NewHashed(64)})
	for _, q := range []string{"", " \n", "？！", "\x00\x01", "\xff\xfe", strings.Repeat("政策", 50000), "🙂", "What is the GDP target?", "　"} {
		search(t, x, Query{Text: q, K: 1000})
		if got := x.Cut(q); slices.Contains(got, "") {
			t.Errorf("Cut(%.20q) has an empty word", q)
		}
	}
}

func TestEmptyCorpus(t *testing.T) {
	for _, docs := range [][]Document{{}, {{ID: "empty", Title: "空"}}} {
		x := build(t, Options{Embedder: embed.NewHashed(64)}, docs...)
		if got := search(t, x, Query{Text: "先投后股"}); len(got) != 0 {
			t.Errorf("found %v", got)
		}
	}
}

func TestRepeatedIDs(t *testing.T) {
	d := doc("x", "办法", "一。", "二。")
	if _, err := Build(t.Context(), []Document{d, d}, Options{}); err == nil {
		t.Error("two documents with one ID are indexed")
	}
	d.Clauses[1].ID = d.Clauses[0].ID
	if _, err := Build(t.Context(), []Document{d}, Options{}); err == nil {
		t.Error("two clauses with one ID are indexed")
	}
}

func TestCut(t *testing.T) {
	x := build(t, Options{Terms: []string{"揭榜挂帅"}})
	for text, want := range map[string][]string{
		"以秦创原为平台，探索先投后股": {"以", "秦创原", "为", "平台", "探索", "先投后股"},
		"“三项改革”、揭榜挂帅。":   {"三项改革", "揭榜挂帅"},
		"ＧＤＰ增长12.5%":     {"gdp", "增长", "12", "5"},
		"企业。\n\n企业":      {"企业", "企业"},
	} {
		if got := x.Cut(text); !slices.Equal(got, want) {
			t.Errorf("Cut(%q) = %q, want %q", text, got, want)
		}
	}
}

func TestVocabulary(t *testing.T) {
	x := build(t, Options{})
	counts := make(map[string]int)
	for _, v := range x.Vocabulary() {
		counts[v.Text] = v.Clauses
	}
	for term, want := range map[string]int{"先投后股": 1, "三项改革": 1, "秦创原": 2} {
		if counts[term] != want {
			t.Errorf("%s is in %d clauses, want %d", term, counts[term], want)
		}
	}
	if x.IDF("秦创原") >= x.IDF("先投后股") || x.IDF("先投后股") >= x.IDF("没有的词") {
		t.Error("IDF does not fall with the number of clauses")
	}
}

// failing is an Embedder that answers as told.
type failing struct {
	embed.Embedder
	broken atomic.Bool
	answer func(vectors [][]float32) ([][]float32, error)
}

func (f *failing) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	v, err := f.Embedder.Embed(ctx, texts)
	if f.broken.Load() {
		return f.answer(v)
	}
	return v, err
}

// Whatever an embedder does, words go on, and Health says why.
func TestEmbedderFails(t *testing.T) {
	for name, answer := range map[string]func([][]float32) ([][]float32, error){
		"error":      func([][]float32) ([][]float32, error) { return nil, errors.New("service down") },
		"too few":    func(v [][]float32) ([][]float32, error) { return v[1:], nil },
		"too many":   func(v [][]float32) ([][]float32, error) { return append(v, v[0]), nil },
		"other size": func(v [][]float32) ([][]float32, error) { v[0] = v[0][1:]; return v, nil },
		"zero":       func(v [][]float32) ([][]float32, error) { clear(v[0]); return v, nil },
		"nan":        func(v [][]float32) ([][]float32, error) { v[0][0] = float32(math.NaN()); return v, nil },
	} {
		t.Run(name, func(t *testing.T) {
			e := &failing{Embedder: embed.NewHashed(64), answer: answer}
			q := Query{Text: "先投后股有哪些支持"}
			x := build(t, Options{Embedder: e})
			if search(t, x, q); x.Health() != nil {
				t.Fatalf("health: %v", x.Health())
			}
			e.broken.Store(true)
			for _, weights := range []*Weights{nil, {Dense: 1}} {
				q.Weights, q.Text = weights, q.Text+"?" // not asked before
				if got := search(t, x, q); len(got) == 0 || got[0] != "b-plan#1" {
					t.Errorf("found %v", got)
				}
				if x.Health() == nil {
					t.Error("a failing embedder does not show")
				}
			}
			e.broken.Store(false)
			if search(t, x, Query{Text: "秦创原"}); x.Health() != nil {
				t.Errorf("health after recovery: %v", x.Health())
			}

			e.broken.Store(true)
			x = build(t, Options{Embedder: e})
			if got := search(t, x, Query{Text: q.Text}); len(got) == 0 || got[0] != "b-plan#1" {
				t.Errorf("built while it failed: found %v", got)
			}
			if x.Health() == nil || x.Embedder() != "" {
				t.Errorf("built while it failed: health %v, embedder %q", x.Health(), x.Embedder())
			}
			// Such an index is never taken for one with vectors.
			path := filepath.Join(t.TempDir(), "index")
			if err := x.Save(path); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path, Options{Embedder: e}); !errors.Is(err, ErrOther) {
				t.Errorf("load: %v, want ErrOther", err)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	x := build(t, Options{Embedder: embed.NewHashed(64)})
	cancel()
	if _, err := x.Search(ctx, Query{Text: "企业"}); !errors.Is(err, context.Canceled) {
		t.Errorf("search: %v", err)
	}
	if _, err := Build(ctx, sample(), Options{Embedder: embed.NewHashed(64)}); !errors.Is(err, context.Canceled) {
		t.Errorf("build: %v", err)
	}
}

// A reader sees the index of one generation, never a mixture, while others are
// built and swapped in.
func TestConcurrentSwap(t *testing.T) {
	generation := func(n int) *Index {
		return build(t, Options{Embedder: embed.NewHashed(64)},
			doc("d", "办法", fmt.Sprintf("秦创原第%d版甲。", n), fmt.Sprintf("秦创原第%d版乙。", n)))
	}
	var live atomic.Pointer[Index]
	live.Store(generation(0))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				x := live.Load()
				found, err := x.Search(context.Background(), Query{Text: "秦创原"})
				if err != nil || len(found) != 2 || strings.Trim(found[0].Clause.Text, "甲乙。") != strings.Trim(found[1].Clause.Text, "甲乙。") {
					t.Errorf("torn: %v %v", found, err)
					return
				}
				if _, err := x.Sentences(context.Background(), Query{Text: "秦创原"}, []*Clause{found[0].Clause}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for n := 1; n <= 10; n++ {
		live.Store(generation(n))
	}
	close(stop)
	wg.Wait()
}

func TestLongClause(t *testing.T) {
	var long strings.Builder
	for i := range 60 {
		fmt.Fprintf(&long, "第%d项任务由相关部门按照职责分工负责落实。", i+1)
	}
	long.WriteString("海洋观测浮标布放二百个。")
	x := build(t, Options{Embedder: embed.NewHashed(1024), SentenceLimit: -1},
		doc("d", "办法", long.String(), strings.Repeat("连续不断的文字", 300)))
	if n := x.vectors.first[1]; n < 3 {
		t.Errorf("a clause of %d runes has %d chunks", len([]rune(long.String())), n)
	}
	for _, c := range x.vectors.chunks {
		if n := len([]rune(x.chunkText(c))); n > chunkLimit+10 {
			t.Errorf("chunk of %d runes", n)
		}
	}
	covered := make([]bool, len([]rune(x.clauses[1].Text)))
	for _, c := range x.vectors.chunks[x.vectors.first[1]:] {
		for i := c.start; i < c.end; i++ {
			covered[i] = true
		}
	}
	if slices.Contains(covered, false) {
		t.Error("part of a long clause is in no chunk")
	}
	found, err := x.Search(t.Context(), Query{Text: "海洋观测浮标", Weights: &Weights{Dense: 1}})
	if err != nil || len(found) != 2 || found[0].Clause.Number != 1 || found[0].Dense <= found[1].Dense {
		t.Errorf("the end of a long clause is not found: %v %v", found, err)
	}
}

// BenchmarkSearch is a question to the corpus of a retrieval set, by words.
func BenchmarkSearch(b *testing.B) {
	set, err := readBeir(shared(b, "legal_dc"))
	if err != nil {
		b.Fatal(err)
	}
	x := build(b, Options{}, set.docs...)
	for i := 0; b.Loop(); i++ {
		if _, err := x.Search(b.Context(), Query{Text: set.queries[i%len(set.queries)].text}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSegmenter is what the first question of a process waits for.
func BenchmarkSegmenter(b *testing.B) {
	for b.Loop() {
		newSegmenter(nil)
	}
}

// shared returns a folder of the data beside the repository, or skips.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("no go.mod above")
		}
	}
	path := filepath.Join(dir, "../shared/data", name)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("%s is not there", name)
	}
	return path
}
