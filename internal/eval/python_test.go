package eval

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"zhengda/bot"
)

// shared is the folder of question sets beside the repository; the test is
// skipped where there is none.
func shared(t *testing.T) string {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no question sets beside the repository")
	}
	return dir
}

// python is the interpreter; the test is skipped where there is none.
func python(t *testing.T) string {
	t.Helper()
	p, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	return p
}

func cases(t *testing.T, name string) []Case {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// structure is the gold parse of the first document as a Paper.
func structure(t *testing.T, dir string) Paper {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, "qa", "structure.json"))
	if err != nil {
		t.Fatal(err)
	}
	var s struct {
		Title    string
		Chapters []struct{ Label, Title string }
		Preamble []struct {
			ID   int
			Text string
		}
		Clauses []struct {
			Number int
			Text   string
		}
	}
	if err := json.Unmarshal(b, &s); err != nil {
		t.Fatal(err)
	}
	heads := []string{s.Title}
	for _, c := range s.Chapters {
		heads = append(heads, c.Label+"、"+c.Title)
	}
	p := Paper{s.Title, map[int][]string{}}
	for _, c := range s.Preamble {
		p.Texts[c.ID] = append([]string{c.Text}, heads...)
	}
	for _, c := range s.Clauses {
		p.Texts[c.Number] = []string{fmt.Sprintf("%d.%s", c.Number, c.Text)}
	}
	return p
}

// invent makes replies that are right, wrong in every way, or missing.
func invent(list []Case, title string, quote func(Case, *rand.Rand) bot.Citation) (replies []Reply) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range list {
		if r.IntN(12) == 0 {
			continue
		}
		if r.IntN(15) == 0 {
			replies = append(replies, Reply{Answer: bot.Answer{ID: c.ID}, Error: "timeout"})
			continue
		}
		a := bot.Answer{ID: c.ID, Question: c.Question, Status: bot.Answered}
		if c.Refuse != (r.IntN(10) == 0) {
			a.Status = bot.Refused
		}
		var b strings.Builder
		for _, p := range c.Include {
			if r.IntN(12) > 0 {
				b.WriteString(sample(p) + ",")
			}
		}
		for _, p := range c.Exclude {
			if r.IntN(15) == 0 {
				b.WriteString(sample(p) + ";")
			}
		}
		b.WriteString([]string{"据此办理。[1]", "See “R&D — 12,000 ENTERPRISES”[2]", "１３，０００ 家\u3000—— 13,000家", ""}[r.IntN(4)])
		if r.IntN(8) == 0 {
			b.WriteString(strings.Repeat("很长的话", 40+r.IntN(120)))
		}
		b.WriteString([]string{"", "\n来源:\n[1] 第17条", "\n- [1] 《某文件》第3条", "\nSources\nwords after"}[r.IntN(4)])
		a.Text = b.String()
		for range r.IntN(4) {
			cite := quote(c, r)
			switch r.IntN(8) {
			case 0:
				cite.Quote = "没有的话" + cite.Quote
			case 1:
				cite.Quote = ""
			case 2:
				cite.Document = "另一份文件"
			case 3:
				cite.Document = ""
			}
			a.Citations = append(a.Citations, cite)
		}
		replies = append(replies, Reply{Answer: a})
	}
	return replies
}

// sample is text that a simple pattern may match.
func sample(entry string) string {
	p, ok := strings.CutPrefix(entry, "re:")
	if !ok {
		return entry
	}
	return strings.NewReplacer(`(?<!\d)`, "", `(?!\d)`, "", `\d`, "7", "(", "", ")", "", "?", "", "|", " ", `\.`, ".", ".*", "", "[", "", "]", "").Replace(p)
}

// rowsOf are the figures by type, ALL included, and the IDs of failures, in the
// form that both scorers print.
type rowsOf struct {
	Types           map[string]map[string]*float64
	All             map[string]*float64
	RefusedWhenDue  *float64 `json:"refused_when_due"`
	AnsweredWhenDue *float64 `json:"answered_when_due"`
	Failed          []struct{ ID string }
}

func compare(t *testing.T, ours Result, script string, args ...string) {
	t.Helper()
	theirs, err := exec.Command(python(t), append([]string{script}, args...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(ours)
	if err != nil {
		t.Fatal(err)
	}
	var want, got rowsOf
	if err := json.Unmarshal(theirs, &want); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	delete(want.Types, "ALL")
	if !reflect.DeepEqual(got, want) {
		ids := func(r rowsOf) (out []string) {
			for _, f := range r.Failed {
				out = append(out, f.ID)
			}
			return out
		}
		for _, id := range ids(got) {
			if !slices.Contains(ids(want), id) {
				t.Errorf("%s fails in Go alone", id)
			}
		}
		for _, id := range ids(want) {
			if !slices.Contains(ids(got), id) {
				t.Errorf("%s fails in Python alone", id)
			}
		}
		t.Errorf("Go:\n%s\nPython:\n%s", b, theirs)
	}
	if n := len(got.Failed); n == 0 || n == ours.Cases {
		t.Errorf("%d of %d failed: nothing compared", n, ours.Cases)
	}
}

func write(t *testing.T, replies []Reply) string {
	t.Helper()
	var b bytes.Buffer
	for _, r := range replies {
		if err := json.NewEncoder(&b).Encode(r); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "answers.jsonl")
	if err := os.WriteFile(name, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestPythonOneDocument(t *testing.T) {
	dir := shared(t)
	paper := structure(t, dir)
	for _, set := range []string{"dev.jsonl", "dev_hard.jsonl"} {
		name := filepath.Join(dir, "qa", set)
		list := cases(t, name)
		replies := invent(list, paper.Title, func(c Case, r *rand.Rand) bot.Citation {
			n := r.IntN(29) - 1
			if len(c.Clauses) > 0 && r.IntN(4) > 0 {
				n = c.Clauses[r.IntN(len(c.Clauses))]
			}
			text := []rune(paper.Texts[n][0])
			from := r.IntN(len(text) / 2)
			cite := bot.Citation{Document: paper.Title, Clause: max(n, 0), Quote: string(text[from : from+1+r.IntN(len(text)-from-1)])}
			if n == 0 {
				cite.Label = "总体奋斗目标"
			}
			return cite
		})
		compare(t, Score(list, replies, &Corpus{Paper: paper}), filepath.Join(dir, "qa", "score.py"), name, write(t, replies), "--json")
	}
}

func TestPythonManyDocuments(t *testing.T) {
	dir := shared(t)
	name := filepath.Join(dir, "corpus_qa", "dev.jsonl")
	list := cases(t, name)
	k := new(Corpus)
	for _, folder := range []string{"policies", "seed"} {
		files, err := filepath.Glob(filepath.Join(dir, folder, "*.txt"))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			k.AddSource(string(b))
		}
	}
	replies := invent(list, "", func(c Case, r *rand.Rand) bot.Citation {
		text := []rune("国务院")
		if len(c.Gold) > 0 {
			text = []rune(c.Gold[r.IntN(len(c.Gold))].Text)
		}
		from := r.IntN(len(text))
		return bot.Citation{Quote: string(text[from : from+1+r.IntN(len(text)-from)])}
	})
	compare(t, Score(list, replies, k), filepath.Join(dir, "corpus_qa", "score.py"), name, write(t, replies),
		filepath.Join(dir, "policies"), filepath.Join(dir, "seed"), "--json")
}

// TestPythonMatching compares Hit and Length over hostile texts.
func TestPythonMatching(t *testing.T) {
	dir := shared(t)
	texts := []string{"１３，０００家", "13,000,000元", "12,34", "“先投后股”——试点", "R&D  Intensity ≥ 5 %", "a — - b", "第１７条[1][23]", "\u200b不见\ufeff",
		"来源:\n后文", "Sources:\nx", "(依据条款)\nx", "- [1] 甲\n乙", "Σ Straße İ", "一\u00a0二\u3000三\x1f四", "〈书〉`码`*星*", "", "1,2345 1,234 1,23"}
	entries := []string{"13000家", "re:13000(?!万)", "re:(?<!\\d)13", "先投后股-试点", "re:^r&d", "re:\\bintensity\\b", "re:5\\s*%", "书码星", "re:[一二三]{3}", "1234", "re:第(十七|17)条", "", "re:a\\s?-\\s?b"}
	in, err := json.Marshal(map[string]any{"texts": texts, "entries": entries})
	if err != nil {
		t.Fatal(err)
	}
	const program = `
import json, sys
sys.path.insert(0, sys.argv[1])
from common import hit
from score import length, plain
d = json.load(sys.stdin)
print(json.dumps({'hits': [[hit(e, plain(t)) for e in d['entries']] for t in d['texts']], 'lengths': [length(t) for t in d['texts']]}))`
	cmd := exec.Command(python(t), "-c", program, filepath.Join(dir, "qa"))
	cmd.Stdin = bytes.NewReader(in)
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var want struct {
		Hits    [][]bool
		Lengths []int
	}
	if err := json.Unmarshal(out, &want); err != nil {
		t.Fatal(err)
	}
	for i, text := range texts {
		for j, e := range entries {
			if got := Hit(e, plain(text)); got != want.Hits[i][j] {
				t.Errorf("Hit(%q, %q) = %t", e, text, got)
			}
		}
		if got := Length(text); got != want.Lengths[i] {
			t.Errorf("Length(%q) = %d; want %d", text, got, want.Lengths[i])
		}
	}
}
