package kpi

import (
	"fmt"
	"slices"
	"strings"

	"github.com/mozillazg/go-pinyin"

	"zhengda/rag"
)

// Propose turns the candidates of one document into indicators for an
// administrator to confirm: statements of the same indicator become one, with
// the others as its mentions. An indicator of known, of whatever year, that
// has the same name or alias, or stands in the same words, lends its code, name and aliases; others get a
// code from the initials of their name in pinyin.
func Propose(doc rag.Document, cands []Candidate, known []Indicator) []Indicator {
	codes := map[string]Indicator{}
	taken := map[string]bool{}
	for _, i := range known {
		taken[i.Code] = true
		codes[i.place()] = i
		for _, name := range append([]string{i.Name}, i.Aliases...) {
			if c := fold(core(name)); codes[c].Code == "" {
				codes[c] = i
			}
		}
	}
	var out []Indicator
	for _, group := range group(cands) {
		main := group[0]
		i := main.indicator(doc)
		k, ok := codes[fold(core(main.Name))]
		if !ok {
			k, ok = codes[i.place()]
		}
		if ok {
			i.Code, i.Name, i.Aliases = k.Code, k.Name, k.Aliases
			if k.Year == i.Year && fold(k.Title) != fold(i.Title) {
				i.Code = free(k.Code, taken) // another document's target for the same year
			}
		} else {
			i.Code = newCode(main.Name, taken)
		}
		for n, m := range group[1:] {
			o := m.indicator(doc)
			o.Code = fmt.Sprintf("%s_%d", i.Code, n+2)
			i.mention(o)
		}
		out = append(out, i)
	}
	return out
}

// place tells the statement of a target from all others of its document.
func (i Indicator) place() string {
	return fold(i.Title + "|" + i.Words + "|" + statement(i.Clause, Format(i.Target), i.Unit, string(i.Comparator)))
}

func (k Candidate) indicator(doc rag.Document) Indicator {
	return Indicator{Name: k.Name, Unit: k.Unit, Target: k.Target, Comparator: k.Comparator, Hedge: k.Hedge, Basis: k.Basis, Year: k.Year,
		Title: doc.Title, Document: doc.ID, ClauseID: k.ClauseID, Clause: k.Clause, Label: k.Label, Words: k.Words, Office: k.Office, Derived: k.Derived}
}

// group gathers the candidates that state the same indicator, in reading
// order, the one that sets the target first: a stray 万 never does.
func group(cands []Candidate) [][]Candidate {
	var out [][]Candidate
	for _, k := range cands {
		at := slices.IndexFunc(out, func(g []Candidate) bool { return same(g[0], k) })
		if at < 0 {
			out = append(out, []Candidate{k})
			continue
		}
		g := append(out[at], k)
		if v, err := Convert(g[0].Target, g[0].Unit, k.Unit); err == nil && slip(v, g[0].Unit, k.Target, k.Unit) {
			g[0], g[len(g)-1] = g[len(g)-1], g[0]
		}
		out[at] = g
	}
	return out
}

// same reports that a and b state one indicator for one year: one name, and
// not a yearly addition beside a stock.
func same(a, b Candidate) bool {
	if a.Year != b.Year || a.Stated && b.Stated && a.Basis != b.Basis && strings.HasPrefix(a.Name, "新") != strings.HasPrefix(b.Name, "新") {
		return false
	}
	ca, cb := fold(core(a.Name)), fold(core(b.Name))
	return ca != "" && ca == cb
}

// newCode makes a code that is not taken yet from the pinyin initials of name.
func newCode(name string, taken map[string]bool) string {
	var b strings.Builder
	for _, p := range pinyin.LazyPinyin(name, pinyin.Args{Style: pinyin.FirstLetter, Fallback: func(r rune, _ pinyin.Args) []string {
		if r < 0x80 && letter([]rune{r}, 0) {
			return []string{strings.ToLower(string(r))}
		}
		return nil
	}}) {
		b.WriteString(p)
	}
	base := strings.Trim(b.String(), "_")
	if base == "" {
		base = "kpi"
	}
	return free(base, taken)
}

// free is base, or base_2, base_3 … when that is taken; it is taken then.
func free(base string, taken map[string]bool) string {
	code := base
	for n := 2; taken[code]; n++ {
		code = fmt.Sprintf("%s_%d", base, n)
	}
	taken[code] = true
	return code
}

// Difference is one disagreement between curated indicators and what the
// document's clauses say.
type Difference struct {
	Kind string `json:"kind"` // missing: curated, not extracted; extra: extracted, not curated
	Text string `json:"text"`
}

// Compare checks curated indicators against the candidates of their
// document: every target and every mention should be found with the same
// value, unit, comparator and clause, and nothing else.
func Compare(cands []Candidate, inds []Indicator) []Difference {
	left := map[string]int{}
	for _, k := range cands {
		left[statement(k.Clause, Format(k.Target), k.Unit, string(k.Comparator))]++
	}
	var out []Difference
	check := func(name, code, s string) {
		if left[s]--; left[s] < 0 {
			out = append(out, Difference{"missing", fmt.Sprintf("%s(%s):条款中没有提取到 %s", name, code, s)})
		}
	}
	for _, i := range inds {
		check(i.Name, i.Code, statement(i.Clause, Format(i.Target), i.Unit, string(i.Comparator)))
		for _, m := range i.Mentions {
			check(i.Name, m.Code, statement(m.Clause, Format(m.Target), m.Unit, string(m.Comparator)))
		}
	}
	for _, k := range cands {
		s := statement(k.Clause, Format(k.Target), k.Unit, string(k.Comparator))
		if left[s] > 0 {
			left[s]--
			out = append(out, Difference{"extra", fmt.Sprintf("%s:条款中有 %s,指标表中没有", k.Name, s)})
		}
	}
	return out
}

func statement(clause int, target, unit, cmp string) string {
	return fmt.Sprintf("第%d条 %s%s%s", clause, cmp, target, unit)
}
