package bot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// amount is a figure of a sentence.
type amount struct {
	zh.Quantity
	of evidence
}

func (a amount) text() string { return string([]rune(a.of.text)[a.Start:a.End]) }

// total adds up the figures of one unit that a question about their sum means,
// or takes the smaller of two from the larger.
func (b *Bot) total(c *corpus, q *question, es []evidence) (draft, bool) {
	if !q.forms["sum"] && !q.forms["difference"] {
		return draft{}, false
	}
	of := q.amounts(es)
	if len(of) < 2 || !q.forms["sum"] && len(of) != 2 {
		return draft{}, false
	}
	phrase, sign, result := "sum", "+", of[0].Value
	if !q.forms["sum"] {
		phrase, sign = "difference", "-"
		slices.SortStableFunc(of, func(a, b amount) int { return b.Value.Cmp(a.Value) })
		result = of[0].Value.Sub(of[1].Value)
	}
	terms := []string{of[0].text()}
	for _, a := range of[1:] {
		terms = append(terms, a.text())
		if sign == "+" {
			result = result.Add(a.Value)
		}
	}
	var d draft
	d.frame(b.lex.say(q.english, phrase, args{"Sum": scaled(result, of[0].Quantity), "Terms": strings.Join(terms, sign)}))
	for _, a := range of {
		e := a.of
		for _, s := range sentencesOf(e) {
			if s.Start <= e.start && e.end <= s.End {
				e = e.at(s)
			}
		}
		b.tell(c, &d, q.shows(e, shortBudget))
	}
	return d, true
}

// amounts are the figures that q wants together: as many as it says of the unit
// that it asks for, where one sentence or clause has just so many; else one
// from each of the best sentences.
func (q *question) amounts(es []evidence) []amount {
	unit := q.askedUnit()
	n := 2
	if m := severalRE.FindStringSubmatch(q.core); m != nil {
		n, _ = zh.Numeral(strings.ReplaceAll(m[1], "两", "二"))
	}
	var clause []amount
	for _, e := range es {
		if e.clause == es[0].clause {
			clause = append(clause, amountsIn(e, unit)...)
		}
	}
	for _, all := range [][]amount{amountsIn(es[0], unit), q.spoken(es[0], unit, ""), clause} {
		if len(all) == n && !slices.ContainsFunc(all, func(a amount) bool { return a.Unit != all[0].Unit }) {
			return all
		}
	}
	var out []amount
	for _, e := range es {
		if e.score < es[0].score-partReach || len(out) == n {
			break
		}
		if len(out) > 0 {
			unit = out[0].Unit
		}
		if all := amountsIn(e, unit); len(all) == 1 || len(all) > 1 && q.forms["sum"] {
			out = append(out, all[0])
		}
	}
	return out
}

var severalRE = regexp.MustCompile(`([两二三四五])(个|项|笔|条|处)(都)?(带|以|用|数|指标|目标|金额)`)

// amountsIn are the figures of a unit, of any where it is "", in a sentence.
func amountsIn(e evidence, unit string) []amount {
	var out []amount
	for _, f := range zh.Quantities(e.text) {
		if f.Unit != "" && !f.Date && !f.Ordinal && (unit == "" || f.Unit == unit) {
			out = append(out, amount{f, e})
		}
	}
	return out
}

var unitRE = regexp.MustCompile(`(?:多少|几)(\p{Han}{1,3})`)

// askedUnit is the unit that 多少 or 几 asks for last: 家 for 多少家; "" for none.
func (q *question) askedUnit() string {
	unit := ""
	for _, m := range unitRE.FindAllStringSubmatch(q.core, -1) {
		if f := zh.Quantities("1" + m[1]); len(f) == 1 {
			unit = f[0].Unit
		}
	}
	return unit
}

// scaled writes v in the unit and the scale of f.
func scaled(v decimal.Decimal, f zh.Quantity) string {
	if n := zh.Quantities("1" + f.Scale + f.Unit); f.Scale != "" && len(n) == 1 {
		v = v.Div(n[0].Value)
	}
	return v.String() + f.Scale + f.Unit
}

// follow quotes the sentence behind e that changes what e says, where q speaks
// of its case (二手住房按上述标准的50%执行), and works the amount out.
func (b *Bot) follow(c *corpus, q *question, d *draft, e evidence) {
	var next evidence
	for _, s := range sentencesOf(e) {
		if s.Start >= e.end {
			next = e.at(s)
			break
		}
	}
	if next.end == 0 || !takesUp(next.text) || !q.only(next.fold, e.fold) {
		return
	}
	b.tell(c, d, q.shows(next, shortBudget))
	rates, base := amountsIn(next, "%"), q.spoken(e, "元", next.fold)
	if len(rates) == 1 && len(base) == 1 {
		product := base[0].Value.Mul(rates[0].Value).Div(decimal.NewFromInt(100))
		d.frame(b.lex.say(q.english, "product", args{"Base": base[0].text(), "Rate": rates[0].text(), "Product": scaled(product, base[0].Quantity)}))
	}
}

// spoken are the amounts of those parts of a sentence of which q speaks, each by
// a word that neither the other parts with figures nor the text beside have:
// of 博士20万元、硕士8万元 the second, where q says 硕士. All have one unit, which
// is that of the first where none is given.
func (q *question) spoken(e evidence, unit, beside string) []amount {
	var out []amount
	var parts []evidence
	for _, g := range parallel(e) {
		if len(amountsIn(g, "")) > 0 {
			parts = append(parts, g)
		}
	}
	for i, g := range parts {
		rest := beside
		for j, o := range parts {
			if j != i {
				rest += "\n" + o.fold
			}
		}
		if in := amountsIn(g, unit); len(in) == 1 && q.only(g.fold, rest) {
			unit = in[0].Unit
			out = append(out, amount{in[0].Quantity, g})
		}
	}
	return out
}

// only reports that q shares two characters in a row with text that other does
// not have.
func (q *question) only(text, other string) bool {
	r := []rune(q.core)
	for i := 0; i+2 <= len(r); i++ {
		if w := string(r[i : i+2]); zh.IsHan(r[i]) && zh.IsHan(r[i+1]) && strings.Contains(text, w) && !strings.Contains(other, w) {
			return true
		}
	}
	return false
}

// parallel are the parts of a sentence between commas and enumeration commas.
func parallel(e evidence) []evidence {
	var out []evidence
	r := []rune(e.clause.Text)
	from := e.start
	for i := e.start; i < e.end; i++ {
		if strings.ContainsRune("，,、；;", r[i]) || i == e.end-1 {
			out = append(out, e.at(zh.Span{Start: from, End: i + 1}))
			from = i + 1
		}
	}
	return out
}
