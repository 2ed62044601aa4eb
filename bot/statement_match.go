package bot

import (
	"fmt"
	"slices"
	"strings"
	"unicode"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// run is a stretch of whole comma segments of one sentence of a clause.
type run struct {
	clause     *rag.Clause
	doc        *source
	sentence   zh.Span
	start, end int
	lead       int // letters of what was said that only introduce it
}

// quote is the sentence of a run, or where that is long the run.
func (u run) quote() span {
	if u.sentence.End-u.sentence.Start <= quoteMost {
		u.start, u.end = u.sentence.Start, u.sentence.End
	}
	return span{clause: u.clause, doc: u.doc, start: u.start, end: u.end}
}

// shown is what was said, with …… where it leaves out a part of the sentence.
func (u run) shown(said string) string {
	r := []rune(said)
	if u.start > u.sentence.Start {
		at := 0
		for len(letters(string(r[:at])+"字"))-1 < u.lead || unicode.IsSpace(r[at]) {
			at++
		}
		r = slices.Concat(r[:at], []rune(ellipsis), r[at:])
	}
	if u.end < u.sentence.End {
		return strings.TrimRight(string(r), "。.;；,， ") + ellipsis
	}
	return string(r)
}

// told is a sentence of a clause as a model may tell it.
type told struct {
	sentence zh.Span
	segs     []zh.Span
	rests    [][]rune // the letters from the i-th segment on, with | between segments
	dated    bool     // it names a year
	limits   bool
	denied   bool // by the words that introduce the list that it is of
}

// tell returns the sentences of a clause that do not speak to a machine.
func (d *source) tell(b *Bot, k *rag.Clause) []told {
	if v, ok := d.told.Load(k); ok {
		return v.([]told)
	}
	r := []rune(k.Text)
	var out []told
	denied := false
	for _, s := range b.model.prompts.plain(k.Text) {
		text := string(r[s.Start:s.End])
		t := told{sentence: s, segs: segments(r, s.Start, s.End), dated: slices.ContainsFunc(zh.Quantities(text), isYear), limits: b.limits(text), denied: denied}
		var all []rune
		var from []int
		for i, g := range t.segs {
			if i > 0 {
				all = append(all, '|')
			}
			from = append(from, len(all))
			all = append(all, letters(string(r[g.Start:g.End]))...)
		}
		for _, i := range from {
			t.rests = append(t.rests, all[i:])
		}
		out = append(out, t)
		if introduces(text) {
			denied = t.limits
		}
	}
	d.told.Store(k, out)
	return out
}

// introduces reports words that introduce what follows.
func introduces(s string) bool {
	s = strings.TrimSpace(s)
	return strings.HasSuffix(s, ":") || strings.HasSuffix(s, "：")
}

// limits reports a sentence that denies, forbids, restricts or excepts
// something: it is told whole or not at all.
func (b *Bot) limits(s string) bool {
	s = zh.Fold(s)
	return b.lex.forms["negword"].MatchString(s) || slices.ContainsFunc(b.model.prompts.glue.whole, func(w string) bool { return strings.Contains(s, w) })
}

// run finds the segments of a clause that a sentence of a model says: all of
// them, in their order and words. It may begin with where they stand, join
// them with the words that any sentence may have, and leave out padding. So
// no figure, bound, denial, doer or year can be another one, and no two halves
// become a whole.
func (j *judge) run(text string, k *rag.Clause) (run, bool) {
	d := j.c.byID[k.Document]
	said, r := letters(text), []rune(k.Text)
	bare := j.leads(said, k, nil)
	dated := bare
	if years := d.ownYear(k); years != nil {
		dated = j.leads(said, k, years)
	}
	for _, t := range d.tell(j.b, k) {
		begins := dated
		if t.dated {
			begins = bare
		}
		for _, from := range begins {
			if len(said)-from < leastSaid {
				continue
			}
			for i, rest := range t.rests {
				n := j.p.fits(said[from:], rest)
				if n > 0 && !t.denied && (n == len(t.segs) || !t.limits && whole(r, t.segs, i, n)) && sameFigures(said[from:], rest, n) {
					return run{k, d, t.sentence, t.segs[i].Start, t.segs[i+n-1].End, from}, true
				}
			}
		}
	}
	return run{}, false
}

// sameFigures reports that what is said has the figures of the first n
// segments, so that no unit has lost a part.
func sameFigures(said, text []rune, n int) bool {
	end := 0
	for ; end < len(text); end++ {
		if text[end] == '|' {
			if n--; n == 0 {
				break
			}
		}
	}
	return slices.EqualFunc(zh.Quantities(string(said)), zh.Quantities(string(text[:end])), func(a, b zh.Quantity) bool { return a.Same(b) && a.Cmp == b.Cmp })
}

// leastSaid is how many characters a sentence says at least.
const leastSaid = 4

// whole reports that n segments from the i-th say what they say without those
// before them: the condition before them, and for a figure all that stands
// between it and the figure before it.
func whole(r []rune, segs []zh.Span, i, n int) bool {
	if i == 0 {
		return true
	}
	before := string(r[segs[0].Start:segs[i].Start])
	if strings.HasSuffix(strings.TrimRight(before, ",，"), "的") {
		return false
	}
	own := string(r[segs[i].Start:segs[i+n-1].End])
	last := string(r[segs[i-1].Start:segs[i-1].End])
	return !counts(own) || counts(last) || introduces(last)
}

// counts reports a text with a figure that is no date.
func counts(s string) bool {
	return slices.ContainsFunc(zh.Quantities(s), func(f zh.Quantity) bool { return !f.Date })
}

func isYear(q zh.Quantity) bool { return q.Date && q.Unit == "年" }

// ownYear says the year of the document, which a sentence of a model may begin
// with; nil where the clause is about another year.
func (d *source) ownYear(k *rag.Clause) []string {
	if d.year == 0 || slices.ContainsFunc(zh.Quantities(k.Text), func(q zh.Quantity) bool { return isYear(q) && int(q.Value.IntPart()) != d.year }) {
		return nil
	}
	return []string{fmt.Sprintf("%d年度", d.year), fmt.Sprintf("%d年", d.year)}
}

// leads are the places in said where its own words may begin: behind where
// they stand, and words that introduce them.
func (j *judge) leads(said []rune, k *rag.Clause, years []string) []int {
	d := j.c.byID[k.Document]
	names := []string{k.Label, j.c.label(k), d.Title, shortTitle(d.Title), k.Title}
	if k.Number > 0 {
		names = append(names, fmt.Sprintf("第%d条", k.Number), fmt.Sprintf("article%d", k.Number), fmt.Sprintf("clause%d", k.Number))
	}
	words := slices.Concat(j.p.glue.lead, j.p.glue.any, years)
	for _, n := range names {
		if n = string(letters(n)); n == "" {
			continue
		}
		words = append(words, n)
		for _, w := range j.p.glue.before {
			words = append(words, w+n)
		}
	}
	out := []int{0}
	for i := 0; i < len(out); i++ {
		add := func(n int) {
			if n < len(said) && !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		rest := said[out[i]:]
		if rest[0] == '|' {
			add(out[i] + 1)
		}
		for _, w := range words {
			if n := begins(rest, w); n > 0 {
				add(out[i] + n)
			}
		}
	}
	return out
}

// begins is the number of characters of w where s begins with it, else 0.
func begins(s []rune, w string) int {
	n := 0
	for _, c := range w {
		if n == len(s) || s[n] != c {
			return 0
		}
		n++
	}
	return n
}

// letters are the folded characters of s without white space and quotation
// marks; what parts segments is one |, and there is none at the ends.
func letters(s string) []rune {
	r := []rune(zh.Squeeze(zh.Fold(s)))
	out := make([]rune, 0, len(r))
	for i, c := range r {
		between := i > 0 && i+1 < len(r) && unicode.IsDigit(r[i-1]) && unicode.IsDigit(r[i+1])
		switch {
		case strings.ContainsRune(`"'《》〈〉*`, c), c == '…':
		case c == ',' && between && thousands(r[i+1:]):
		case strings.ContainsRune(",;:。!?", c) || c == '.' && !between:
			if len(out) > 0 && out[len(out)-1] != '|' {
				out = append(out, '|')
			}
		default:
			out = append(out, c)
		}
	}
	if n := len(out); n > 0 && out[n-1] == '|' {
		out = out[:n-1]
	}
	return out
}

// thousands reports that r begins with three digits and no fourth.
func thousands(r []rune) bool {
	n := 0
	for n < len(r) && unicode.IsDigit(r[n]) {
		n++
	}
	return n == 3
}

// glue are the words that a sentence of a model may have beside those of the
// clause.
type glue struct {
	any    []string // added and left out anywhere
	drop   []string // left out: padding
	lead   []string // said before
	before []string // said before a label or title
	whole  []string // make a sentence that has one be told whole
	never  []string // are in no word that others add
}

// fits returns how many segments of the clause's text, from its beginning,
// said says; 0 for none.
func (p *prompts) fits(said, text []rune) int {
	if len(said) > 2*len(text)+40 {
		return 0
	}
	seen := map[int]bool{}
	var walk func(i, k int) int
	walk = func(i, k int) int {
		at := i*(len(text)+1) + k
		if seen[at] {
			return 0
		}
		seen[at] = true
		if i == len(said) && (k == len(text) || text[k] == '|') {
			return 1 + strings.Count(string(text[:k]), "|")
		}
		if i < len(said) && k < len(text) && said[i] == text[k] && inNumber(said, i) == inNumber(text, k) {
			if n := walk(i+1, k+1); n > 0 {
				return n
			}
		}
		for _, w := range p.glue.any {
			if m := begins(said[i:], w); m > 0 {
				if n := walk(i+m, k); n > 0 {
					return n
				}
			}
		}
		if k < len(text) && (text[k] == '|' || text[k] == '、') {
			if n := walk(i, k+1); n > 0 {
				return n
			}
		}
		for _, ws := range [][]string{p.glue.any, p.glue.drop} {
			for _, w := range ws {
				if m := begins(text[k:], w); m > 0 && !inNumber(text, k) {
					if n := walk(i, k+m); n > 0 {
						return n
					}
				}
			}
		}
		return 0
	}
	return walk(0, 0)
}

// inNumber reports that r[i] goes on with the number that ends before it.
func inNumber(r []rune, i int) bool { return i > 0 && numeric(r[i]) && numeric(r[i-1]) }

func numeric(c rune) bool {
	return unicode.IsDigit(c) || strings.ContainsRune("一二三四五六七八九十百千万亿零〇两.", c)
}
