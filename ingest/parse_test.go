package ingest

import (
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update-parse", false, "rewrite the expected trees of testdata/parse")

// TestParseCases reads every case of testdata/parse: its comment says what the
// case shows, its tree how the text is read.
func TestParseCases(t *testing.T) {
	files, err := filepath.Glob("testdata/parse/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, f := range files {
		t.Run(strings.TrimSuffix(filepath.Base(f), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(f)
			if err != nil {
				t.Fatal(err)
			}
			input, want := string(a.Files[0].Data), string(a.Files[1].Data)
			p := Parse(input)
			checkWhole(t, input, p)
			got := caseTree(p)
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(f, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if got != want {
				t.Errorf("%s\n got:\n%s\nwant:\n%s", strings.TrimSpace(string(a.Comment)), got, want)
			}
		})
	}
}

// caseTree is the tree, and the IDs of the clauses below it.
func caseTree(p Parsed) string {
	var ids []string
	for _, c := range p.Document("x").Clauses {
		ids = append(ids, strings.TrimPrefix(c.ID, "x#"))
	}
	return p.Tree() + "ID: " + strings.Join(ids, " ") + "\n"
}

// checkWhole fails the test unless every visible rune of the source is in
// exactly one part of p, every text stands in its range, and IDs are unique.
func checkWhole(t *testing.T, source string, p Parsed) {
	t.Helper()
	r := []rune(source)
	count := make([]int, len(r))
	take := func(what string, start, end int, text string) {
		if start < 0 || end > len(r) || start > end {
			t.Fatalf("%s: range [%d,%d) outside of %d runes", what, start, end, len(r))
		}
		for i := start; i < end; i++ {
			count[i]++
		}
	}
	gone := map[int]bool{}
	for _, w := range p.Warnings {
		if w.Range != nil {
			take(w.Kind, w.Range.Start, w.Range.End, "")
			for i := w.Range.Start; i < w.Range.End; i++ {
				gone[i] = true
			}
		}
	}
	part := func(what string, start, end int, text string) {
		take(what, start, end, text)
		var b []rune
		for i := start; i < end; i++ {
			if !gone[i] {
				b = append(b, r[i])
			} else {
				count[i]--
			}
		}
		if !strings.Contains(squeeze(b), squeeze([]rune(text))) {
			t.Fatalf("%s: %q is not in its range %q", what, text, string(b))
		}
	}
	for _, q := range p.Preamble {
		part(q.Label, q.Start, q.End, q.Text)
	}
	for _, c := range p.Chapters {
		part(c.Label, c.Start, c.End, c.Title)
	}
	for _, c := range p.Clauses {
		part(c.Label, c.Start, c.End, c.Text)
	}
	title := []rune(squeeze([]rune(p.Title)))
	for i, c := range r {
		switch {
		case isBlank(c):
		case count[i] == 1:
		case count[i] == 0 && len(title) > 0 && c == title[0]:
			title = title[1:]
		default:
			t.Fatalf("rune %d %q of %q is in %d parts", i, c, string(r[max(0, i-20):min(len(r), i+20)]), count[i])
		}
	}
	if len(title) > 0 {
		t.Fatalf("title %q: %q is in no place of its own", p.Title, string(title))
	}
	var ids []string
	for _, c := range p.Document("x").Clauses {
		ids = append(ids, c.ID)
	}
	slices.Sort(ids)
	if n := len(slices.Compact(slices.Clone(ids))); n != len(ids) {
		t.Fatalf("IDs are not unique: %q", ids)
	}
}

// parseSeed is the document that the program comes with.
func parseSeed(t testing.TB) string {
	t.Helper()
	files, _ := filepath.Glob("../seeds/*要点.txt")
	if len(files) != 1 {
		t.Fatalf("seed documents: %q", files)
	}
	b, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(b)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestParseSeed(t *testing.T) {
	text := parseSeed(t)
	p := Parse(text)
	checkWhole(t, text, p)
	if len(p.Preamble) != 2 || p.Preamble[0].Label != "前言第1段" || p.Preamble[1].Label != "总体奋斗目标" {
		t.Errorf("preamble %+v", p.Preamble)
	}
	if len(p.Chapters) != 8 || len(p.Clauses) != 27 {
		t.Fatalf("%d chapters, %d clauses", len(p.Chapters), len(p.Clauses))
	}
	for i, c := range p.Clauses {
		if c.Number != i+1 || len(c.Path) != 1 {
			t.Errorf("clause %d has number %d and path %q", i+1, c.Number, c.Path)
		}
	}
	d := p.Document("d")
	if c := d.Clauses[18]; c.ID != "d#17" || c.Label != "第17条" || c.Title != "推进科技金融有机结合" {
		t.Errorf("clause 17 is %q %q %q", c.ID, c.Label, c.Title)
	}
	for _, same := range []string{strings.ReplaceAll(text, "\n", ""), strings.ReplaceAll(text, "\n", "\r\n"), strings.ReplaceAll(text, "\n", "\n　　")} {
		q := Parse(same)
		checkWhole(t, same, q)
		if len(q.Chapters) != 8 || len(q.Clauses) != 27 {
			t.Fatalf("another layout: %d chapters, %d clauses", len(q.Chapters), len(q.Clauses))
		}
		for i, c := range q.Clauses {
			if squeeze([]rune(c.Text)) != squeeze([]rune(p.Clauses[i].Text)) {
				t.Errorf("another layout, clause %d: %q", i+1, c.Text)
			}
		}
	}
}

// TestParseStableIDs takes clauses away: the others keep their IDs.
func TestParseStableIDs(t *testing.T) {
	for _, text := range []string{
		"某市办法\n\n第一章　总则\n\n第一条　为了发展，制定本办法。\n\n第二条　市科技局负责管理。\n\n第二章　附则\n\n第三条　本办法自发布之日起施行。\n",
		"某市方案\n\n一、总体要求\n\n（一）思想。坚持创新。\n\n（二）目标。全面完成。\n\n二、措施\n\n（一）领导。加强领导。\n\n（二）宣传。加强宣传。\n",
		"某市要点\n\n一、攻关\n\n1.攻关。推进项目。\n\n2.布局。建设园区。\n\n二、转化\n\n3.活力。举办活动。\n\n4.队伍。培育人才。\n",
	} {
		ids := map[string]string{}
		for _, c := range Parse(text).Document("d").Clauses {
			ids[c.Text] = c.ID
		}
		for gone := range ids {
			paras := slices.DeleteFunc(strings.Split(text, "\n\n"), func(s string) bool { return strings.HasSuffix(strings.TrimSpace(s), gone) })
			for _, c := range Parse(strings.Join(paras, "\n\n")).Document("d").Clauses {
				if ids[c.Text] != c.ID {
					t.Errorf("without %q the ID of %q is %s, was %s", gone, c.Text, c.ID, ids[c.Text])
				}
			}
		}
	}
}

func FuzzParse(f *testing.F) {
	files, _ := filepath.Glob("testdata/parse/*.txtar")
	for _, name := range files {
		if a, err := txtar.ParseFile(name); err == nil {
			f.Add(string(a.Files[0].Data))
		}
	}
	f.Add("\ufeff第一条\u3000\x00甲\r\n\r附件1\v（一）\u2028１．乙")
	f.Fuzz(func(t *testing.T, text string) {
		p := Parse(text)
		checkWhole(t, text, p)
		if q := Parse(text); q.Tree() != p.Tree() {
			t.Fatal("two readings differ")
		}
	})
}

func BenchmarkParse(b *testing.B) {
	seed := parseSeed(b)
	for _, c := range []struct{ name, text string }{
		{"lines", strings.Repeat(seed+"\n", 5<<20/len(seed))},
		{"one-line", strings.ReplaceAll(strings.Repeat(seed, 5<<20/len(seed)), "\n", "")},
		{"restarts", strings.Repeat("1.甲。\n", 5<<20/11)},
	} {
		b.Run(c.name, func(b *testing.B) {
			b.SetBytes(int64(len(c.text)))
			for b.Loop() {
				Parse(c.text)
			}
		})
	}
}
