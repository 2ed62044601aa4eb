package ingest

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"zhengda/internal/zh"
)

// sharedData is the folder of shared data beside the repository; the test is
// skipped where it is absent.
func sharedData(t testing.TB, path ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	p := filepath.Join(append([]string{dir, "..", "shared", "data"}, path...)...)
	if _, err := os.Stat(p); err != nil {
		t.Skipf("no shared data: %v", err)
	}
	return p
}

type goldDocument struct {
	ID, Kind, Corruption, Text string
	Clauses                    []struct{ Label, Head string }
}

func readGold(t testing.TB, file string) []goldDocument {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var out []goldDocument
	for in := bufio.NewReader(f); ; {
		line, err := in.ReadBytes('\n')
		if len(line) > 1 {
			var d goldDocument
			if err := json.Unmarshal(line, &d); err != nil {
				t.Fatal(err)
			}
			out = append(out, d)
		}
		if err != nil {
			return out
		}
	}
}

// TestParseGold holds the recall, the precision and the conservation of real
// documents and of their damaged copies.
func TestParseGold(t *testing.T) {
	dir := sharedData(t, "parse")
	gold := map[string]goldDocument{}
	clean := readGold(t, filepath.Join(dir, "gold.jsonl"))
	for _, g := range clean {
		gold[g.ID] = g
	}
	for _, set := range []struct {
		name string
		docs []goldDocument
		want float64
	}{
		{"clean", clean, 0.995},
		{"corrupted", readGold(t, filepath.Join(dir, "corrupted.jsonl")), 0.99},
	} {
		t.Run(set.name, func(t *testing.T) {
			var found, all, wrong int
			for _, d := range set.docs {
				g := gold[d.ID]
				p := Parse(d.Text)
				checkWhole(t, d.Text, p)
				f, w := compareGold(g, p)
				if f < len(g.Clauses) || w > 0 {
					t.Logf("%s %s: found %d of %d, %d wrong", d.ID, d.Corruption, f, len(g.Clauses), w)
				}
				found, all, wrong = found+f, all+len(g.Clauses), wrong+w
			}
			recall, precision := float64(found)/float64(all), float64(found)/float64(found+wrong)
			if recall < set.want || precision < set.want {
				t.Errorf("recall %.4f, precision %.4f; want %.3f", recall, precision, set.want)
			}
		})
	}
}

var (
	labelMark = regexp.MustCompile(`第\s*([^编章节条第]+)\s*([编章节条])(?:之([一二三四五六七八九十]+))?|[（(]\s*([^）)]+)\s*[）)]|([一二三四五六七八九十百零〇]+|\d+)`)
	levels    = map[string]*regexp.Regexp{"article": regexp.MustCompile(`^A[^/]*$`), "outline": regexp.MustCompile(`^(C\d+)?/?(P\d+)?$`)}
)

// canonLabel writes the kind and the value of every marker of a label:
// 一、（二）3. is C1/P2/D3.
func canonLabel(label string) string {
	var out []string
	number := func(s string) string {
		n, _ := zh.Numeral(strings.TrimSpace(s))
		return string(rune('0'+n/1000)) + string(rune('0'+n/100%10)) + string(rune('0'+n/10%10)) + string(rune('0'+n%10))
	}
	for _, m := range labelMark.FindAllStringSubmatch(norm.NFKC.String(label), -1) {
		switch {
		case m[2] != "":
			out = append(out, map[string]string{"编": "B", "章": "Z", "节": "J", "条": "A"}[m[2]]+number(m[1])+m[3])
		case m[4] != "" && m[4][0] > 0x80:
			out = append(out, "P"+number(m[4]))
		case m[4] != "":
			out = append(out, "Q"+number(m[4]))
		case m[5][0] > 0x80:
			out = append(out, "C"+number(m[5]))
		default:
			out = append(out, "D"+number(m[5]))
		}
	}
	return strings.Join(out, "/")
}

func goldHead(s string) string {
	var b []rune
	for _, c := range norm.NFKC.String(s) {
		if (unicode.IsLetter(c) || unicode.IsDigit(c) || c == '_') && len(b) < 12 {
			b = append(b, c)
		}
	}
	return string(b)
}

// compareGold counts the gold clauses that p has, and the clauses of p at the
// gold's own levels that are none of them.
func compareGold(g goldDocument, p Parsed) (found, wrong int) {
	type unit struct {
		key, other string
		heads      []string
		clause     bool
	}
	var units []unit
	for _, c := range p.Clauses {
		units = append(units, unit{canonLabel(c.Label), "", []string{goldHead(c.Text), goldHead(c.Title + c.Text)}, true})
	}
	for _, c := range p.Chapters {
		u := unit{key: canonLabel(c.Label + "、"), heads: []string{goldHead(c.Title)}}
		if n := len(c.Path); n > 0 {
			u.other = canonLabel(strings.SplitAfter(c.Path[n-1], "、")[0] + c.Label)
		}
		units = append(units, u)
	}
	for _, q := range g.Clauses {
		key, head := canonLabel(q.Label), goldHead(q.Head)
		for i, u := range units {
			if u.key != key && u.other != key || !u.clause && g.Kind == "article" {
				continue
			}
			same := false
			for _, h := range u.heads {
				short := min(len([]rune(h)), len([]rune(head)))
				same = same || h == head || short >= 2 && (strings.HasPrefix(h, head) || strings.HasPrefix(head, h))
			}
			if same {
				found++
				units = append(units[:i:i], units[i+1:]...)
				break
			}
		}
	}
	for _, u := range units {
		if u.clause && u.key != "" && levels[g.Kind].MatchString(u.key) {
			wrong++
		}
	}
	return found, wrong
}

// TestParseStructure compares the first document with its gold structure.
func TestParseStructure(t *testing.T) {
	var want struct {
		Title    string
		Preamble []struct{ Text string }
		Chapters []struct{ Label, Title string }
		Clauses  []struct {
			Number      int
			Title, Text string
		}
	}
	b, err := os.ReadFile(sharedData(t, "qa", "structure.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	p := Parse(parseSeed(t))
	if p.Title != want.Title || len(p.Preamble) != len(want.Preamble) || len(p.Chapters) != len(want.Chapters) || len(p.Clauses) != len(want.Clauses) {
		t.Fatalf("got %q with %d, %d, %d parts", p.Title, len(p.Preamble), len(p.Chapters), len(p.Clauses))
	}
	for i, q := range p.Preamble {
		if q.Text != want.Preamble[i].Text {
			t.Errorf("preamble %d: %q", i, q.Text)
		}
	}
	for i, c := range p.Chapters {
		if c.Label != want.Chapters[i].Label || c.Title != want.Chapters[i].Title {
			t.Errorf("chapter %q %q, want %q %q", c.Label, c.Title, want.Chapters[i].Label, want.Chapters[i].Title)
		}
	}
	for i, c := range p.Clauses {
		if w := want.Clauses[i]; c.Number != w.Number || c.Title != w.Title || c.Text != w.Text {
			t.Errorf("clause %d: %d %q %q", w.Number, c.Number, c.Title, c.Text)
		}
	}
}

// TestParsePolicies holds what is promised of every text: nothing is lost, and
// no clause is longer than can be cited.
func TestParsePolicies(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join(sharedData(t, "policies"), "*.txt"))
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text, err := Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		p := Parse(text)
		checkWhole(t, text, p)
		if p.Title == "" {
			t.Errorf("%s: no title", filepath.Base(f))
		}
		for _, c := range p.Clauses {
			if n := len([]rune(c.Text)); n > longest {
				t.Errorf("%s: clause %s has %d runes", filepath.Base(f), c.Label, n)
			}
		}
	}
}
