package ingest

import (
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
	"zhengda/rag"
)

//go:embed data/lint.txt
var lintTxt string

// lintWords are the vocabulary of the checks by the name in the first column.
var lintWords = readWords(lintTxt)

func readWords(txt string) map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(txt) {
		f := strings.Fields(line)
		if len(f) > 1 && !strings.HasPrefix(f[0], "#") {
			m[f[0]] = append(m[f[0]], f[1:]...)
		}
	}
	for _, list := range m { // longest first, where one begins another
		slices.SortStableFunc(list, func(a, b string) int { return len(b) - len(a) })
	}
	return m
}

// statement is a figure with the thing it counts.
type statement struct {
	clause     int
	start, end int // runes of subject and figure
	subject    string
	basis      string // what marks a part of the subject: newly, in all
	year       string // the year that the sentence names
	q          zh.Quantity
}

// subjectRunes is the least length of a subject that can be told from others.
const subjectRunes = 4

// statements finds what the document says of named quantities.
func (l *linter) statements() (out []statement) {
	for i, r := range l.runes {
		text := string(r)
		qs := zh.Quantities(text)
		for _, s := range zh.Sentences(text) {
			out = append(out, l.inSentence(i, r, s, qs)...)
		}
	}
	return out
}

func (l *linter) inSentence(i int, r []rune, s zh.Span, qs []zh.Quantity) (out []statement) {
	year := ""
	from := s.Start // where the part of the sentence begins that names the subject
	var part []zh.Quantity
	states := map[int]bool{}
	flush := func() {
		for _, n := range l.named(i, r, from, part, year) {
			if states[n.q.Start] {
				out = append(out, n)
			}
		}
		part = nil
	}
	k := 0
	for p := s.Start; p < s.End; p++ {
		for k < len(qs) && qs[k].Start < p {
			k++
		}
		if k < len(qs) && qs[k].Start == p {
			if q := qs[k]; q.Date {
				year = string(r[q.Start:q.End])
			} else if countable(q) {
				part = append(part, q)
				states[q.Start] = asserted(r, q.End)
			}
			p = qs[k].End - 1
			continue
		}
		if strings.ContainsRune("，,；;：:。！？\n\t", r[p]) {
			flush()
			from = p + 1
		}
	}
	flush()
	return out
}

// asserted reports whether a figure that ends at p is all that is said of its
// subject. One that goes on (五万元以上的, 二倍以上五倍以下罚款, 三款罪) is a case
// of a rule, and each case has its own.
func asserted(r []rune, p int) bool {
	for _, w := range []string{"及以上", "以上", "以下", "以内", "左右"} {
		if strings.HasPrefix(string(r[p:min(len(r), p+3)]), w) {
			p += utf8.RuneCountInString(w)
			break
		}
	}
	return p >= len(r) || strings.ContainsRune("，,。；;、！？\n", r[p])
}

func countable(q zh.Quantity) bool {
	return !q.Ordinal && q.Unit != "" && !isPeriod(q.Unit) && q.Unit != "条" && q.Unit != "周年"
}

// named gives each figure of a part of a sentence its subject: what stands
// before it, or with 分别 the items of the list in their order.
func (l *linter) named(i int, r []rune, from int, qs []zh.Quantity, year string) (out []statement) {
	if len(qs) == 0 {
		return nil
	}
	if head, ok := strings.CutSuffix(trimVerbs(string(r[from:qs[0].Start])), "分别"); ok && len(qs) > 1 {
		names := strings.FieldsFunc(trimVerbs(head), func(c rune) bool { return strings.ContainsRune("、和及与", c) })
		if len(names) != len(qs) {
			return nil
		}
		for k, q := range qs {
			out = append(out, newStatement(i, from, names[k], q, year))
		}
		return out
	}
	for _, q := range qs {
		start := from
		for start < q.Start && strings.ContainsRune("、和及与 　", r[start]) {
			start++
		}
		out = append(out, newStatement(i, start, string(r[start:q.Start]), q, year))
		from = q.End
	}
	return out
}

func newStatement(i, start int, name string, q zh.Quantity, year string) statement {
	subject, basis := subjectOf(name)
	return statement{clause: i, start: start, end: q.End, subject: subject, basis: basis, year: year, q: q}
}

// trimVerbs cuts the words that stand between a subject and its figure.
func trimVerbs(s string) string {
	for again := true; again; {
		again = false
		s = strings.TrimRight(s, " 　“”\"(（")
		for _, w := range lintWords["verb"] {
			if t, ok := strings.CutSuffix(s, w); ok {
				s, again = t, true
				break
			}
		}
	}
	return s
}

// subjectOf is the name of what a figure counts, without verbs, time and
// place; basis tells newly counted from counted in all.
func subjectOf(name string) (subject, basis string) {
	s := trimVerbs(name)
	for again := true; again; {
		again = false
		s = strings.TrimLeft(s, " 　“”\"")
		for _, w := range lintWords["lead"] {
			if t, ok := strings.CutPrefix(s, w); ok {
				s, again = t, true
				break
			}
		}
	}
	for _, w := range lintWords["basis"] {
		if strings.Contains(name, w) {
			basis = w
			break
		}
	}
	for _, w := range lintWords["tail"] {
		if t, ok := strings.CutSuffix(s, w); ok {
			s = t
			break
		}
	}
	return s, basis
}

// group is how statements that may disagree are found: those of subjects that
// begin alike, counted in one unit.
type group struct {
	seen  map[string]bool
	first []statement // each distinct statement once
}

// maxGroup bounds the statements of a group that are compared.
const maxGroup = 200

// contradictions finds one thing with two values in one document.
func (l *linter) contradictions() {
	groups := map[string]*group{}
	for _, b := range l.statements() {
		if utf8.RuneCountInString(b.subject) < subjectRunes {
			continue
		}
		key := firstRunes(b.subject, subjectRunes) + b.q.Unit
		g := groups[key]
		if g == nil {
			g = &group{seen: map[string]bool{}}
			groups[key] = g
		}
		same := fmt.Sprint(b.subject, b.q.Value, b.q.Scale, b.basis, b.year)
		if g.seen[same] || len(g.first) >= maxGroup {
			continue
		}
		g.seen[same] = true
		for _, a := range g.first {
			if kind, s := disagree(a, b); kind != "" {
				l.contradiction(kind, s, a, b)
				break
			}
		}
		g.first = append(g.first, b)
	}
}

// contradiction reports two statements, of which b comes later.
func (l *linter) contradiction(kind string, s Severity, a, b statement) {
	if kind == "scale" && a.q.Value.GreaterThan(b.q.Value) {
		a, b = b, a // the larger is the suspicious one
	}
	x, y := l.quote(b.clause, b.start, b.end), l.quote(a.clause, a.start, a.end)
	text := fmt.Sprintf("同一事项数值不一:%s 与 %s", where(x), where(y))
	if kind == "scale" {
		text = fmt.Sprintf("数量级相差万倍:%s 与 %s,疑为单位多写或漏写「%s」", where(x), where(y), b.q.Scale)
	}
	l.add("contradiction", s, text, x, y)
}

var tenThousand = decimal.NewFromInt(10_000)

// disagree compares two statements: "scale" when one printed number stands
// with and without 万 or 亿, "value" when one thing has two values.
func disagree(a, b statement) (kind string, s Severity) {
	if a.q.Unit != b.q.Unit || a.q.Value.Equal(b.q.Value) || a.q.Value.IsZero() || b.q.Value.IsZero() || a.basis != b.basis && a.basis != "" && b.basis != "" ||
		a.year != b.year && a.year != "" && b.year != "" {
		return "", ""
	}
	if a.q.Scale != b.q.Scale && alikeSubject(a.subject, b.subject) {
		if ratio(a.q.Value, b.q.Value).Equal(tenThousand) || ratio(a.q.Value, b.q.Value).Equal(tenThousand.Mul(tenThousand)) {
			return "scale", Error
		}
	}
	if a.clause != b.clause && a.subject == b.subject && a.basis == b.basis && a.year == b.year && isName(a.subject) {
		return "value", Caution
	}
	return "", ""
}

func ratio(a, b decimal.Decimal) decimal.Decimal {
	if a.LessThan(b) {
		a, b = b, a
	}
	return a.DivRound(b, 8)
}

// alikeSubject reports whether one name is the other or begins it.
func alikeSubject(a, b string) bool {
	return utf8.RuneCountInString(a) >= subjectRunes && utf8.RuneCountInString(b) >= subjectRunes &&
		(strings.HasPrefix(a, b) || strings.HasPrefix(b, a))
}

// isName reports whether a subject names one thing, and is no clause of a
// sentence, whose figures belong to a case each.
func isName(s string) bool {
	if n := utf8.RuneCountInString(s); n < subjectRunes || n > 20 {
		return false
	}
	for _, w := range lintWords["case"] {
		if strings.Contains(s, w) {
			return false
		}
	}
	return hanOnly([]rune(s))
}

// across finds one thing with two values in documents of one issuer and year.
func across(docs []rag.Document) (out []Finding) {
	type entry struct {
		l *linter
		s statement
	}
	groups := map[string][]entry{}
	var order []string
	for i := range docs {
		d := &docs[i]
		if d.Meta.Issuer == "" || d.Meta.Year == 0 || len(docs) < 2 {
			continue
		}
		l := newLinter(d)
		for _, s := range l.statements() {
			if utf8.RuneCountInString(s.subject) < subjectRunes+1 || !isName(s.subject) {
				continue
			}
			key := fmt.Sprint(d.Meta.Issuer, "\x1e", d.Meta.Year, "\x1e", s.subject, "\x1e", s.q.Unit)
			if groups[key] == nil {
				order = append(order, key)
			}
			groups[key] = append(groups[key], entry{l, s})
		}
	}
	for _, key := range order {
		g := groups[key]
		for _, e := range g[1:] {
			if kind, _ := disagree(g[0].s, e.s); e.l != g[0].l && (kind != "" || differs(g[0].s, e.s)) {
				x, y := e.l.quote(e.s.clause, e.s.start, e.s.end), g[0].l.quote(g[0].s.clause, g[0].s.start, g[0].s.end)
				out = append(out, Finding{"contradiction", Caution, fmt.Sprintf("两份文件数值不一:《%s》%s 与 《%s》%s", x.Document, where(x), y.Document, where(y)), []Quote{x, y}})
				break
			}
		}
	}
	return out
}

func differs(a, b statement) bool {
	return !a.q.Value.Equal(b.q.Value) && a.basis == b.basis && a.year == b.year
}
