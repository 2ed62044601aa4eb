package bot

import (
	"fmt"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// figures says which figure of a statement does not stand in its quotes with
// the same unit, bound and subject; "" when all do.
func (j *judge) figures(text string, quotes []string, found []support) string {
	if j.q.english {
		text = j.bilingual(text)
	}
	spans := figureSpans(text)
	r := []rune(text)
	for i, f := range zh.Quantities(text) {
		said := string(r[f.Start:f.End])
		switch {
		case f.Date && f.Unit == "年" && slices.ContainsFunc(found, func(s support) bool { return s.quote.doc.year == int(f.Value.IntPart()) }):
			continue
		case f.Ordinal && slices.ContainsFunc(found, func(s support) bool {
			return s.quote.clause.Number == int(f.Value.IntPart()) && strings.Contains(text, "第")
		}):
			continue
		}
		if !slices.ContainsFunc(quotes, func(q string) bool { return j.figureIn(f, spans[i].in(r), q) }) {
			return fmt.Sprintf("figure %s with what it counts does not stand in the clause", said)
		}
	}
	for _, d := range tokens(zh.Fold(text)) {
		if strings.ContainsAny(d, "0123456789") && !slices.ContainsFunc(quotes, func(q string) bool { return slices.Contains(tokens(zh.Fold(q)), d) }) && !knownNumber(text, d, quotes, found) {
			return fmt.Sprintf("figure %s does not stand in the clause", d)
		}
	}
	return ""
}

// knownNumber reports digits that belong to a figure verified as such, in
// another spelling.
func knownNumber(text, digits string, quotes []string, found []support) bool {
	r := []rune(zh.Fold(text))
	return slices.ContainsFunc(zh.Quantities(string(r)), func(f zh.Quantity) bool {
		return strings.Contains(string(r[f.Start:f.End]), digits)
	})
}

// figureIn reports that a sentence of the quote has the figure, and that all
// that the statement says around it stands around it there too.
func (j *judge) figureIn(f zh.Quantity, around, quote string) bool {
	words := j.words(around)
	qr := []rune(quote)
	for _, s := range zh.Sentences(quote) {
		sentence := string(qr[s.Start:s.End])
		sr := []rune(sentence)
		spans := figureSpans(sentence)
		for i, g := range zh.Quantities(sentence) {
			if !g.Same(f) || g.Cmp != f.Cmp {
				continue
			}
			region := j.folded(spans[i].in(sr))
			if !slices.ContainsFunc(words, func(w string) bool { return !j.covers(region, w) }) {
				return true
			}
		}
	}
	return false
}

// region is a range of runes.
type region zh.Span

func (g region) in(r []rune) string { return string(r[g.Start:g.End]) }

// figureSpans are the parts of a sentence that speak of each of its figures:
// the comma segment that it stands in and those before it without one, and
// behind the last figure the rest. Years alone do not part a sentence.
func figureSpans(s string) []region {
	r := []rune(s)
	fs := zh.Quantities(s)
	out := make([]region, len(fs))
	segs := segments(r, 0, len(r))
	parts := func(f zh.Quantity) bool { return !(f.Date && f.Unit == "年") }
	from, last := 0, -1
	for _, g := range segs {
		some := false
		for i, f := range fs {
			if f.Start >= g.Start && f.Start < g.End {
				out[i] = region{from, g.End}
				if parts(f) {
					some, last = true, i
				}
			}
		}
		if some {
			from = g.End
		}
	}
	if last >= 0 {
		end := out[last].End
		for i := range out {
			if out[i].End == end {
				out[i].End = len(r)
			}
		}
	}
	for i, f := range fs { // of two figures in one segment, what stands between them belongs to the later
		for k := range fs[:i] {
			if parts(fs[k]) && out[k].Start == out[i].Start && fs[k].End > out[i].Start {
				out[i].Start = fs[k].End
				if out[k].End > f.Start {
					out[k].End = closeTo(r, fs[k].End, f.Start)
				}
			}
		}
	}
	return out
}

// closeTo is the end of the figure's own words between two figures of one
// segment: up to the first conjunction.
func closeTo(r []rune, from, to int) int {
	for i := from; i < to; i++ {
		if strings.ContainsRune("、和与及,，;；", r[i]) {
			return i
		}
	}
	return to
}

// polarity says whether a segment of a statement says more than the segments of
// a quote that it is nearest to, forbids or denies where they do not, or the
// other way round, or turns doer and done-to round; "" when not.
func (j *judge) polarity(text string, quotes []string) string {
	var parts []string
	for _, q := range quotes {
		r := []rune(q)
		for _, t := range zh.Sentences(q) {
			for _, s := range segments(r, t.Start, t.End) {
				parts = append(parts, string(r[s.Start:s.End]))
			}
			parts = append(parts, "") // what is near ends with the sentence
		}
	}
	if w := more(j.words(text), j.folded(strings.Join(parts, "\n"))); w != "" {
		return fmt.Sprintf("“%s” stands less often in the clause", w)
	}
	r := []rune(text)
	for _, s := range segments(r, 0, len(r)) {
		seg := string(r[s.Start:s.End])
		words := j.words(seg)
		i := j.nearest(words, parts)
		if i < 0 {
			continue
		}
		near, around := j.folded(parts[i]), j.folded(strings.Join(parts[max(0, i-1):min(len(parts), i+2)], ""))
		if w := more(words, around); w != "" {
			return fmt.Sprintf("“%s” does not stand in that part of the clause", w)
		}
		if neg := j.b.lex.forms["negword"]; !slices.Equal(neg.FindAllString(zh.Fold(seg), -1), neg.FindAllString(near, -1)) {
			return "what is forbidden or denied differs from the clause"
		}
		if turned(words, around) {
			return "the order of what is said differs from the clause"
		}
	}
	return ""
}

// more is a word that stands more often among words than in the text.
func more(words []string, text string) string {
	n := map[string]int{}
	for _, w := range words {
		if n[w]++; n[w] > strings.Count(text, w) {
			return w
		}
	}
	return ""
}

// nearest is the part that has most of the words; -1 for none.
func (j *judge) nearest(words, parts []string) int {
	best, most := -1, 0
	for i, p := range parts {
		fold, n := j.folded(p), 0
		for _, w := range words {
			if j.covers(fold, w) {
				n++
			}
		}
		if n > most {
			best, most = i, n
		}
	}
	return best
}

// turned reports that more than a quarter of the pairs of words stand in the
// text the other way round.
func turned(words []string, text string) bool {
	var at []int
	for _, w := range words {
		if strings.Count(text, w) == 1 {
			at = append(at, strings.Index(text, w))
		}
	}
	pairs, wrong := 0, 0
	for i := range at {
		for k := range at[:i] {
			pairs++
			if at[k] > at[i] {
				wrong++
			}
		}
	}
	return wrong*4 > pairs
}
