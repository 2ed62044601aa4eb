package ingest

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

var announced = regexp.MustCompile(`(?:以下|下列|如下)([0-9一二三四五六七八九十两]{1,3})(?:个方面|方面|个条件|个|项|种|类|点|条|款)`)
var listed = regexp.MustCompile(`(?m)(?:^|[：:；;。]\s*)(?:[（(]([一二三四五六七八九十]{1,3}|[0-9]{1,2})[)）]|([0-9]{1,2})[.．、])`)

// totals finds parts that exceed their total, and lists that are shorter or
// longer than announced.
func (l *linter) totals() {
	for i, r := range l.runes {
		text := string(r)
		if strings.Contains(text, "其中") {
			l.parts(i, r, text)
		}
		if m := announced.FindStringSubmatchIndex(text); m != nil {
			l.announcement(i, text, m)
		}
	}
}

func (l *linter) parts(i int, r []rune, text string) {
	qs := zh.Quantities(text)
	for _, s := range zh.Sentences(text) {
		at := strings.Index(string(r[s.Start:s.End]), "其中")
		if at < 0 {
			continue
		}
		cut := s.Start + utf8.RuneCountInString(string(r[s.Start:s.End])[:at])
		var total *zh.Quantity
		var parts []zh.Quantity
		for k := range qs {
			q := &qs[k]
			switch {
			case q.Start < s.Start || q.End > s.End || !countable(*q) || q.Unit == "%":
			case q.Start < cut:
				total = q
			case total != nil && q.Unit == total.Unit:
				parts = append(parts, *q)
			}
		}
		if total == nil || len(parts) < 2 || strings.Count(string(r[s.Start:s.End]), "其中") > 1 {
			continue
		}
		sum := decimal.Zero
		for _, p := range parts {
			sum = sum.Add(p.Value)
		}
		if sum.GreaterThan(total.Value) && total.Cmp == zh.EQ {
			a, b := l.quote(i, total.Start, total.End), l.quote(i, cut, parts[len(parts)-1].End)
			l.add("total", Caution, fmt.Sprintf("分项之和(%s%s)大于总数:%s 与 %s", sum, total.Unit, where(a), where(b)), a, b)
		}
	}
}

func (l *linter) announcement(i int, text string, m []int) {
	want, ok := zh.Numeral(text[m[2]:m[3]])
	if !ok || want < 2 {
		return
	}
	next := 1
	last := m[1]
	for _, k := range listed.FindAllStringSubmatchIndex(text[m[1]:], -1) {
		g := 2
		if k[2] < 0 {
			g = 4
		}
		if n, ok := zh.Numeral(text[m[1]+k[g] : m[1]+k[g+1]]); ok && n == next {
			next, last = next+1, m[1]+k[1]
		}
	}
	if got := next - 1; got >= 2 && got != want {
		runes := func(b int) int { return utf8.RuneCountInString(text[:b]) }
		a, b := l.quote(i, runes(m[0]), runes(m[1])), l.quote(i, runes(m[1]), runes(last))
		l.add("total", Caution, fmt.Sprintf("%s 所说的项数与实列 %d 项不符", where(a), got), a, b)
	}
}
