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

// support is what a statement stands on.
type support struct {
	of    int // number of the evidence
	quote span
}

// statement finds the quotes that s stands on, one for each marker, or says
// why it does not stand. Everything that s says must be in the quotes: each
// word that is not glue, each figure with unit, bound and subject, each
// prohibition.
func (j *judge) statement(s statement, ev []*rag.Clause) ([]support, string) {
	switch n := len([]rune(s.text)); {
	case len(s.markers) == 0:
		return nil, "no marker"
	case n > statementMost:
		return nil, "too long"
	case strings.ContainsAny(s.text, "\n{}<>|`\\"):
		return nil, "not plain text"
	case j.foreign(s.text):
		return nil, "wrong language"
	case j.p.ordered(s.text):
		return nil, "speaks of instructions"
	}
	words := j.words(s.text)
	if len(words) < 2 {
		return nil, "says nothing"
	}
	var found []support
	for _, n := range s.markers {
		if n < 1 || n > len(ev) {
			return nil, fmt.Sprintf("[%d] was not supplied", n)
		}
		q, ok := j.quote(ev[n-1], s.text, words)
		if !ok {
			return nil, fmt.Sprintf("[%d] does not say this", n)
		}
		found = append(found, support{n, q})
	}
	return found, j.holds(s.text, words, found)
}

// holds says why the quotes do not bear a statement out; "" when they do.
func (j *judge) holds(text string, words []string, found []support) string {
	var quotes []string
	all := ""
	for _, f := range found {
		r := []rune(f.quote.clause.Text)
		t := string(r[f.quote.start:f.quote.end])
		quotes = append(quotes, t)
		all += j.folded(t) + "\n" + j.folded(f.quote.clause.Title) + "\n" + f.quote.doc.title + "\n" + j.folded(f.quote.clause.Label) + "\n"
	}
	for _, w := range words {
		if !j.covers(all, w) {
			return fmt.Sprintf("“%s” does not stand in the clause", w)
		}
	}
	if why := j.figures(text, quotes, found); why != "" {
		return why
	}
	return j.polarity(text, quotes)
}

func (j *judge) folded(s string) string { return zh.Squeeze(zh.Fold(s)) }

// foreign reports a statement in another language than the question's.
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
	if j.q.english {
		return latin < han
	}
	return han*2 < latin || han == 0
}

// words are what s says, without glue and without figures, in order. Of
// English, what the glossary knows is said in Chinese.
func (j *judge) words(s string) []string {
	if j.q.english {
		s = j.bilingual(s)
	}
	r := []rune(zh.Fold(s))
	for _, f := range zh.Quantities(string(r)) {
		for i := f.Start; i < f.End; i++ {
			r[i] = '\n'
		}
	}
	var out []string
	for _, w := range j.c.index.Cut(string(r)) {
		if !j.p.glue[w] {
			out = append(out, w)
		}
	}
	return out
}

func (j *judge) bilingual(s string) string {
	s = strings.ToLower(s)
	for _, k := range j.b.lex.engKeys {
		if strings.Contains(s, k) {
			s = strings.ReplaceAll(s, k, " "+j.b.lex.english[k]+" ")
		}
	}
	return s
}

// covers reports that the folded text has the word. Another word for it is
// not enough: what people say for what a document says is often wider.
func (j *judge) covers(text, w string) bool { return strings.Contains(text, w) }

// quote is the shortest run of sentences of k that has most of the words and
// figures of a statement: grown from the best sentence while it gains.
func (j *judge) quote(k *rag.Clause, text string, words []string) (span, bool) {
	r := []rune(k.Text)
	spans := j.p.plain(k.Text)
	figures := zh.Quantities(text)
	score := func(lo, hi int) int {
		part := string(r[spans[lo].Start:spans[hi].End])
		fold, n := j.folded(part), 0
		for _, w := range words {
			if j.covers(fold, w) {
				n += 2
			}
		}
		have := zh.Quantities(part)
		for _, f := range figures {
			if slices.ContainsFunc(have, f.Same) {
				n += 3
			}
		}
		return n
	}
	lo, best := -1, 0
	for i := range spans {
		if n := score(i, i); n > best {
			lo, best = i, n
		}
	}
	if lo < 0 || spans[lo].End-spans[lo].Start > quoteMost*2 {
		return span{}, false
	}
	hi := lo
	for grown := true; grown; {
		grown = false
		for _, e := range [][2]int{{lo - 1, hi}, {lo, hi + 1}} {
			if e[0] < 0 || e[1] >= len(spans) || spans[e[1]].End-spans[e[0]].Start > quoteMost || !j.unbroken(spans, e[0], e[1], k.Text) {
				continue
			}
			if n := score(e[0], e[1]); n > best {
				lo, hi, best, grown = e[0], e[1], n, true
				break
			}
		}
	}
	return span{clause: k, doc: j.c.byID[k.Document], start: spans[lo].Start, end: spans[hi].End}, true
}

// unbroken reports that nothing was left out between the sentences.
func (j *judge) unbroken(spans []zh.Span, lo, hi int, text string) bool {
	r := []rune(text)
	for i := lo; i < hi; i++ {
		if strings.TrimSpace(string(r[spans[i].End:spans[i+1].Start])) != "" {
			return false
		}
	}
	return true
}

// reworded verifies one line of an answer that a model worded: by the quotes
// of the citations that it marks.
func (k *check) reworded(l string, used map[int]bool) string {
	if k.b.model == nil {
		return "no model is configured"
	}
	found := statements(l)
	if len(found) != 1 || len(found[0].markers) == 0 {
		return "not a statement"
	}
	j := &judge{k.b, k.c, k.b.model.prompts, &question{english: mostlyEnglish(zh.Fold(k.a.Question))}}
	var on []support
	for _, n := range found[0].markers {
		cit, ok := k.cited(n)
		cl, known := k.c.index.Clause(cit.ClauseID)
		if !ok || !known {
			return "no such citation"
		}
		on = append(on, support{n, span{clause: cl, doc: k.c.byID[cl.Document], start: cit.Start, end: cit.End}})
	}
	words := j.words(found[0].text)
	if why := j.holds(found[0].text, words, on); why != "" || len(words) < 2 {
		return "the quotes do not say this"
	}
	for _, n := range found[0].markers {
		used[n] = true
	}
	return ""
}
