package bot

import (
	"fmt"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// orders reports a text that speaks to a machine.
func (x *Lexicon) orders(s string) bool {
	s = zh.Fold(s)
	return x.form("order", zh.Squeeze(s)+"\n"+s)
}

// ordinary are sentences as policy documents have them, which speak to no
// machine.
var ordinary = []string{
	"",
	"落实国家和省有关政策,支持企业加大研发投入,对首次认定的高新技术企业给予一次性奖励50万元。",
	"申报单位应当在每年9月30日前向市科技局提交材料,同一项目不得重复申报;逾期的,不予受理。",
	"探索开展“先投后股”试点工作,完善服务机制,推动科技成果转化和人才创业。",
	"Enterprises may apply for the subsidy, and the department answers within ten working days.",
}

// checkOrders refuses patterns that would keep ordinary sentences from a model.
func (x *Lexicon) checkOrders() error {
	if i := slices.IndexFunc(ordinary, x.orders); i >= 0 {
		return fmt.Errorf("[forms] order: fits %q, which is no order", ordinary[i])
	}
	return nil
}

// quiet is a text without the lines that speak to a machine.
func (x *Lexicon) quiet(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), x.orders), "\n")
}

// plain are the sentences of a clause without those that speak to a machine and
// the rest of their paragraphs, by ranges of runes.
func (x *Lexicon) plain(text string) []zh.Span {
	r := []rune(text)
	var out []zh.Span
	until := 0 // end of a paragraph that is left out
	for _, s := range zh.Sentences(text) {
		if s.Start < until {
			continue
		}
		if x.orders(string(r[s.Start:s.End])) {
			for until = s.End; until < len(r) && r[until] != '\n'; until++ {
			}
			continue
		}
		out = append(out, s)
	}
	return out
}
