package kpi

import (
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// quantity is a figure written in digits, or in words that stand for one.
type quantity struct {
	zh.Quantity
	derived bool
}

// shares adds 一半, 过半 and 全覆盖 to qs, in order.
func (s sentence) shares(qs []zh.Quantity) []quantity {
	var out []quantity
	for _, q := range qs {
		out = append(out, quantity{Quantity: q})
	}
	text := string(s.text)
	for _, w := range vocab["share"] {
		word, value, _ := strings.Cut(w, "=")
		for at, rest := 0, text; ; {
			i := strings.Index(rest, word)
			if i < 0 {
				break
			}
			start := at + len([]rune(rest[:i]))
			at, rest = start+len([]rune(word)), rest[i+len(word):]
			if value == "100" && (at < len(s.text) && zh.IsHan(s.text[at]) || strings.HasSuffix(s.str(0, start), "健")) {
				continue // 全覆盖面, 健全覆盖…
			}
			out = append(out, quantity{s.shareAt(start, at, value), true})
		}
	}
	slices.SortStableFunc(out, func(a, b quantity) int { return a.Start - b.Start })
	end := 0
	return slices.DeleteFunc(out, func(q quantity) bool { // overlaps the one before
		if q.Start < end {
			return true
		}
		end = q.End
		return false
	})
}

// shareAt reads the comparator around a share written in words at [a,b).
func (s sentence) shareAt(a, b int, value string) zh.Quantity {
	q := zh.Quantity{Start: a, End: b, Value: decimal.RequireFromString(value), Unit: "%", Cmp: zh.EQ}
	if s.str(a, a+1) == "过" {
		q.Cmp = zh.GT
	}
	probe := zh.Quantities(s.str(max(0, a-6), a) + "1%" + s.str(b, min(len(s.text), b+6)))
	for _, p := range probe {
		if p.Unit == "%" && p.Cmp != zh.EQ {
			q.Cmp, q.Hedge = p.Cmp, p.Hedge
		}
	}
	return q
}

// promises reports whether f is a target. prior says that the figure before
// it in the same part is one.
func (s sentence) promises(f figure, prior bool) bool {
	if f.Date || f.Ordinal || f.Unit == "" || slices.Contains(vocab["notarget"], f.Unit) || s.quoted(f) {
		return false
	}
	if prior && rangeMark(s.before(f)) {
		return false // the upper end of 2% to 3%
	}
	part, lead := s.str(f.part.Start, f.part.End), s.str(f.part.Start, f.Start)
	if s.excluded(f, part, lead) {
		return false
	}
	if s.small(f) {
		w, ok := ends("strongverb", s.before(f))
		return ok && w != "" && !strings.HasSuffix(s.str(f.Start, f.End), "次")
	}
	if ceiling(f.Cmp) {
		_, ok := has("ceiling", lead)
		return ok
	}
	_, verb := has("verb", lead)
	_, plan := has("goal", s.str(0, f.part.Start))
	return f.Cmp != zh.EQ || verb || prior || plan
}

// rangeMark reports that only a word for “to” stands between two figures.
func rangeMark(between string) bool {
	switch strings.Trim(between, " 　") {
	case "至", "到", "-", "—", "–", "~", "～":
		return true
	}
	return false
}

func ceiling(c zh.Cmp) bool { return c == zh.LE || c == zh.LT }

// small reports a bare Chinese numeral up to ten: 两个, 三项.
func (s sentence) small(f figure) bool {
	return !f.derived && f.Cmp == zh.EQ && f.Unit != "%" && !strings.ContainsAny(s.str(f.Start, f.End), "0123456789") &&
		f.Value.LessThanOrEqual(decimal.NewFromInt(10))
}

// excluded finds the signs that f states a fact, a condition, a payment, a
// share of each, or the scope of something else.
func (s sentence) excluded(f figure, part, lead string) bool {
	if rest, ok := strings.CutPrefix(strings.TrimLeft(s.after(f), " 　"), "的"); ok {
		if _, level := starts("levelnoun", rest); !level {
			return true
		}
	}
	for _, k := range []struct{ kind, in string }{
		{"payment", part}, {"condition", string(s.text)}, {"formal", string(s.text)}, {"each", lead},
	} {
		if _, ok := has(k.kind, k.in); ok {
			return true
		}
	}
	if s.past(f, lead) {
		return true
	}
	before := strings.TrimRight(s.before(f), " 　")
	if _, ok := ends("level", before); ok {
		return false
	}
	_, scope := ends("scope", before)
	return scope
}

// past reports that f has been reached already, or belongs to a year before
// the document's.
func (s sentence) past(f figure, lead string) bool {
	if _, ok := has("past", lead); ok {
		return true
	}
	if _, ok := has("leadhedge", lead); ok {
		return false
	}
	if _, ok := has("pastlead", s.str(0, f.part.Start)); ok && !strings.Contains(lead, "到20") {
		return true
	}
	for _, q := range zh.Quantities(lead) {
		if y := int(q.Value.IntPart()); q.Date && q.Unit == "年" && y > 1900 && y < s.year {
			return true
		}
	}
	return false
}

// quoted reports that f stands in quotation marks or a title.
func (s sentence) quoted(f figure) bool {
	depth := 0
	for _, r := range s.text[:f.Start] {
		switch {
		case strings.ContainsRune("“《「", r):
			depth++
		case strings.ContainsRune("”》」", r):
			depth = max(0, depth-1)
		}
	}
	return depth > 0
}
