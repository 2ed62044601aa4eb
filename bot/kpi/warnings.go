package kpi

import (
	"fmt"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// wording warns of what the document's own words leave open.
func wording(i Indicator) []Warning {
	var out []Warning
	for _, m := range i.Conflicts() {
		text := fmt.Sprintf("%s的目标前后不一致:%s为%s,%s为%s", i.Name, i.Label, quoted(i.Target, i.Unit), m.Label, quoted(m.Target, m.Unit))
		if m.Suspicious {
			text += fmt.Sprintf(";%s的单位疑有笔误,未用于计算,请核实", m.Label)
		} else {
			text += fmt.Sprintf(";计算按%s,请核实", i.Label)
		}
		out = append(out, Warning{Kind: "contradiction", Text: text, Clauses: []int{i.Clause, m.Clause}})
	}
	if i.Derived {
		out = append(out, Warning{Kind: "derived", Text: fmt.Sprintf("%s%s由原文措辞换算,原文没有这个数字", Format(i.Target), i.Unit), Clauses: []int{i.Clause}})
	}
	return out
}

func quoted(d decimal.Decimal, unit string) string { return "“" + Format(d) + unit + "”" }

// recorded warns of what the actual value f, v in the indicator's unit,
// leaves open.
func recorded(i Indicator, f Figure, v decimal.Decimal, age int) []Warning {
	var out []Warning
	if strict := i.Comparator == zh.GT || i.Comparator == zh.LT; strict && v.Equal(i.Target) {
		out = append(out, Warning{Kind: "strict", Text: fmt.Sprintf("原文为“%s”:恰为%s%s尚未达到目标", i.Hedge, Format(v), i.Unit), Clauses: []int{i.Clause}})
	}
	if age > staleAfter {
		out = append(out, Warning{Kind: "stale", Text: fmt.Sprintf("数据截至%s,距今%d天", f.AsOf, age)})
	}
	if f.Target != nil {
		if t, err := Convert(*f.Target, f.Unit, i.Unit); err == nil && !t.Equal(i.Target) {
			out = append(out, Warning{Kind: "target_differs", Clauses: []int{i.Clause},
				Text: fmt.Sprintf("来源“%s”中的目标为%s%s,与%s的%s%s不同;计算按原文", f.Source, Format(t), i.Unit, i.Label, Format(i.Target), i.Unit)})
		}
	}
	return out
}
