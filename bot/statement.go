package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// statement is a sentence of a model, and the clauses that it says it stands
// on.
type statement struct {
	text    string // without markers
	markers []int
}

const (
	statementMost  = 300 // runes of one statement
	statementsMost = 12
	quoteMost      = 400 // runes of the quote found for a statement
)

var (
	markersRE = regexp.MustCompile(`[\[【［〔](\d{1,3}(?:[,，、\s]+\d{1,3})*)[\]】］〕]`)
	bulletRE  = regexp.MustCompile(`^(?:[-*•·>#]+\s*|\d{1,2}[.、)]\s*)`)
	figureRE  = regexp.MustCompile(`^\{([\w-]{1,64})\}[。.]?$`)
)

// statements reads a draft: one statement a line, or several sentences with
// their markers in one.
func statements(text string) []statement {
	var out []statement
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(bulletRE.ReplaceAllString(strings.TrimSpace(line), ""), "**", ""))
		for line != "" && len(out) < statementsMost {
			var s statement
			s, line = cutStatement(line)
			if s.text != "" || len(s.markers) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// cutStatement takes the first sentence of a line, up to and with the markers
// that close it.
func cutStatement(line string) (statement, string) {
	var s statement
	for {
		m := markersRE.FindStringSubmatchIndex(line)
		if m == nil {
			s.text += line
			line = ""
			break
		}
		s.text += line[:m[0]]
		for n := range strings.FieldsFuncSeq(line[m[2]:m[3]], func(r rune) bool { return !unicode.IsDigit(r) }) {
			if i, err := strconv.Atoi(n); err == nil && !slices.Contains(s.markers, i) {
				s.markers = append(s.markers, i)
			}
		}
		line = strings.TrimSpace(line[m[1]:])
		rest := strings.TrimLeft(line, "。.;； ")
		if strings.HasSuffix(s.text, "。") || rest != line || rest == "" {
			if !markersRE.MatchString(rest) || markersRE.FindStringIndex(rest)[0] > 0 {
				line = rest
				break
			}
		}
	}
	s.text = strings.TrimSpace(s.text)
	return s, line
}

// judge verifies statements against the clauses that were supplied.
type judge struct {
	b *Bot
	c *corpus
	p *prompts
	q *question
}

// borne is a sentence of a statement as it is shown, and what it stands on.
type borne struct {
	text string
	led  bool // it says where it stands
	on   []support
}

type support struct {
	of    int // number of the evidence
	quote span
}

// statement finds what the sentences of s stand on, or says why s does not
// stand: each is a run of comma segments of a sentence of one of its clauses,
// and each clause bears one.
func (j *judge) statement(s statement, ev []*rag.Clause) ([]borne, string) {
	if why := j.unfit(s); why != "" {
		return nil, why
	}
	var clauses []*rag.Clause
	for _, n := range s.markers {
		if n < 1 || n > len(ev) {
			return nil, fmt.Sprintf("[%d] was not supplied", n)
		}
		clauses = append(clauses, ev[n-1])
	}
	var out []borne
	bears := map[int]bool{}
	for _, t := range sentences(s.text) {
		var b borne
		for i, k := range clauses {
			u, ok := j.run(t, k)
			if text := u.shown(t); ok && (b.text == "" || b.text == text) {
				b.text, b.led, bears[s.markers[i]] = text, u.lead > 0, true
				b.on = append(b.on, support{s.markers[i], u.quote()})
			}
		}
		if b.text == "" {
			return nil, fmt.Sprintf("“%s” does not stand so in the clause", t)
		}
		out = append(out, b)
	}
	for _, n := range s.markers {
		if !bears[n] {
			return nil, fmt.Sprintf("[%d] does not say this", n)
		}
	}
	return out, ""
}

// unfit says what is wrong with a statement whatever it stands on.
func (j *judge) unfit(s statement) string {
	switch n := len([]rune(s.text)); {
	case len(s.markers) == 0:
		return "no marker"
	case n > statementMost:
		return "too long"
	case n == 0:
		return "says nothing"
	case strings.ContainsAny(s.text, "\n{}<>|`\\"):
		return "not plain text"
	case j.foreign(s.text):
		return "wrong language"
	case j.p.ordered(s.text):
		return "speaks of instructions"
	}
	return ""
}

// itemRE is where an item follows on what opens its list, or on another item.
var itemRE = regexp.MustCompile(`([:：;；。])\s*([（(][一二三四五六七八九十\d]{1,3}[)）])`)

// sentences are those of a statement; an item of a list is one.
func sentences(text string) []string {
	text = itemRE.ReplaceAllString(text, "$1\n$2")
	r := []rune(text)
	var out []string
	for _, s := range zh.Sentences(text) {
		out = append(out, string(r[s.Start:s.End]))
	}
	return out
}

// foreign reports a statement in a language that is neither the question's nor
// the documents'.
func (j *judge) foreign(s string) bool {
	han, latin := 0, 0
	for _, r := range s {
		switch {
		case zh.IsHan(r):
			han++
		case unicode.IsLetter(r) && r < 0x250:
			latin++
		case unicode.IsLetter(r):
			return true
		}
	}
	return han == 0 || !j.q.english && han*2 < latin
}

// reworded verifies one line of an answer that a model worded: by the quotes
// of the citations that it marks.
func (k *check) reworded(l string, used map[int]bool) string {
	if k.b.model == nil {
		return "no model is configured"
	}
	found := statements(l)
	if len(found) != 1 {
		return "not a statement"
	}
	s := found[0]
	j := &judge{k.b, k.c, k.b.model.prompts, &question{english: mostlyEnglish(zh.Fold(k.a.Question))}}
	if why := j.unfit(s); why != "" {
		return why
	}
	for _, n := range s.markers {
		cit, ok := k.cited(n)
		cl, known := k.c.index.Clause(cit.ClauseID)
		if !ok || !known {
			return "no such citation"
		}
		said := strings.ReplaceAll(s.text, ellipsis, "")
		u, ok := j.run(said, cl)
		if !ok || u.start < cit.Start || cit.End < u.end || u.shown(said) != s.text {
			return "the quote does not say this"
		}
		used[n] = true
	}
	return ""
}
