package kpi

import (
	"strings"
	"unicode"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// Candidate is one quantified target as a clause states it.
type Candidate struct {
	Name       string          `json:"name"`
	Unit       string          `json:"unit"` // as printed, with its scale: 万家
	Target     decimal.Decimal `json:"target"`
	Comparator zh.Cmp          `json:"comparator"`
	Hedge      string          `json:"hedge,omitempty"`
	Basis      Basis           `json:"basis"`
	Stated     bool            `json:"stated"` // the basis stands in the words
	Year       int             `json:"year,omitempty"`
	Derived    bool            `json:"derived,omitempty"` // 全覆盖 for 100 %
	ClauseID   string          `json:"clause_id"`
	Clause     int             `json:"clause"`
	Label      string          `json:"label"`
	Words      string          `json:"words"` // the sentence, verbatim
	Start      int             `json:"start"` // rune offsets of the figure
	End        int             `json:"end"`   // in the clause's text
	Office     string          `json:"office,omitempty"`
}

// Extract finds the quantified targets that doc sets, in reading order. It
// takes the figures that a plan promises, and leaves durations, dates,
// slogans, conditions, payments, limits and what has been reached already.
// Regulations rule rather than promise: of them it takes only sentences that
// speak of a plan.
func Extract(doc rag.Document) []Candidate {
	year := doc.Meta.Year
	if year == 0 {
		year = yearIn(doc.Title)
	}
	_, rules := has("ruletitle", doc.Title)
	var out []Candidate
	for _, c := range doc.Clauses {
		if ruling(c) {
			continue
		}
		r := []rune(c.Text)
		for _, span := range zh.Sentences(c.Text) {
			s := sentence{text: r[span.Start:span.End], year: year}
			words := string(s.text)
			if _, ok := has("planword", words); rules && !ok {
				continue
			}
			for _, k := range s.candidates() {
				k.ClauseID, k.Clause, k.Label, k.Words = c.ID, c.Number, c.Label, words
				k.Start, k.End = k.Start+span.Start, k.End+span.Start
				k.Office = officeAfter(r, span.End)
				if k.Name == "" {
					k.Name = c.Title
				}
				out = append(out, k)
			}
		}
	}
	return out
}

// ruling reports that c stands under a heading of conditions or sanctions.
func ruling(c rag.Clause) bool {
	for _, h := range append([]string{c.Title}, c.Path...) {
		if _, ok := has("rulehead", h); ok {
			return true
		}
	}
	return false
}

// yearIn is the first year that s names; 0 for none.
func yearIn(s string) int {
	for _, q := range zh.Quantities(s) {
		if y := int(q.Value.IntPart()); q.Date && q.Unit == "年" && y > 1900 {
			return y
		}
	}
	return 0
}

// sentence is one sentence of a clause. Offsets are those of its runes.
type sentence struct {
	text []rune
	year int // of the document
}

// figure is one quantity of a sentence with its surroundings.
type figure struct {
	zh.Quantity
	derived bool
	part    zh.Span // between the commas around it
	from    int     // end of the figure before it in part, or start of part
	to      int     // start of the figure after it in part, or end of part
	post    string  // 以上, 左右 … behind it
}

func (s sentence) candidates() []Candidate {
	figs := s.figures()
	var out []Candidate
	for i, f := range figs {
		prior := i > 0 && len(out) > 0 && figs[i-1].part == f.part && out[len(out)-1].Start == figs[i-1].Start
		if !prior {
			f.from = f.part.Start
		}
		if !s.promises(f, prior) {
			continue
		}
		k := Candidate{Comparator: f.Cmp, Hedge: s.hedge(f), Derived: f.derived, Start: f.Start, End: f.End, Year: s.yearOf(f)}
		k.Target, k.Unit = s.amount(f)
		k.Name = s.subject(f)
		if prior {
			k = s.share(k, f, figs[:i])
		}
		if i+1 < len(figs) && rangeMark(s.str(f.End, figs[i+1].Start)) && k.Comparator == zh.EQ {
			k.Comparator = zh.GE
		}
		if _, ok := has("ceiling", s.before(f)); ok && k.Comparator == zh.EQ {
			k.Comparator = zh.LE
		}
		k.Basis, k.Stated = s.basis(f, k)
		out = append(out, k)
	}
	return out
}

// figures finds the quantities of s, 一半 and 全覆盖 among them, and the part
// of the sentence each stands in.
func (s sentence) figures() []figure {
	var out []figure
	for _, q := range s.shares(zh.Quantities(string(s.text))) {
		f := figure{Quantity: q.Quantity, derived: q.derived}
		f.part = s.partAround(f.Quantity)
		f.from, f.to = f.part.Start, f.part.End
		rest := string(s.text[f.End:f.part.End])
		for _, w := range []string{"(含)以上", "（含）以上", "及以上", "以上", "(含)以下", "及以下", "以下", "以内", "之内", "左右", "余"} {
			if strings.HasPrefix(rest, w) {
				f.post = w
				break
			}
		}
		if n := len(out); n > 0 && out[n-1].part == f.part {
			out[n-1].to = f.Start
			f.from = out[n-1].End + len([]rune(out[n-1].post))
		}
		out = append(out, f)
	}
	return out
}

// partAround is the stretch between commas, colons and semicolons around q,
// not counting those within brackets, quotation marks or the number itself.
func (s sentence) partAround(q zh.Quantity) zh.Span {
	p := zh.Span{Start: 0, End: len(s.text)}
	depth := 0
	for i, r := range s.text {
		switch {
		case strings.ContainsRune("“《（(「", r):
			depth++
		case strings.ContainsRune("”》）)」", r):
			depth = max(0, depth-1)
		case depth == 0 && strings.ContainsRune(",，;；:：。!！?？", r) && (i < q.Start || i >= q.End):
			if r == ',' && betweenDigits(s.text, i) {
				continue
			}
			if i < q.Start {
				p.Start = i + 1
			} else {
				p.End = i
				return p
			}
		}
	}
	return p
}

func betweenDigits(r []rune, i int) bool {
	return i > 0 && i+1 < len(r) && unicode.IsDigit(r[i-1]) && unicode.IsDigit(r[i+1])
}

func (s sentence) str(a, b int) string {
	if a >= b {
		return ""
	}
	return string(s.text[a:b])
}

// before and after are what surrounds f within its part, up to the figures
// next to it.
func (s sentence) before(f figure) string { return s.str(f.from, f.Start) }
func (s sentence) after(f figure) string {
	return s.str(f.End+len([]rune(f.post)), f.to)
}

// amount gives f as printed: 13000 and 万家, not 130000000 and 家.
func (s sentence) amount(f figure) (decimal.Decimal, string) {
	printed := s.text[f.Start:f.End]
	if f.derived || !unicode.IsDigit(printed[0]) {
		unit := f.Unit
		if f.Scale == "" && unit != "%" {
			n := len(printed) // the unit as written: 人, not 名
			for n > 1 {
				if _, ok := zh.Decimal(string(printed[:n])); ok {
					break
				}
				n--
			}
			unit = string(printed[n:])
		}
		return f.Value, unit
	}
	n := 0
	for n < len(printed) && (unicode.IsDigit(printed[n]) || strings.ContainsRune(".,，．", printed[n])) {
		n++
	}
	d, ok := zh.Decimal(string(printed[:n]))
	if !ok {
		return f.Value, f.Unit
	}
	return d, strings.Replace(string(printed[n:]), "％", "%", 1)
}

// hedge collects the words that say how strongly f is meant.
func (s sentence) hedge(f figure) string {
	var words []string
	if w, ok := has("leadhedge", s.str(f.part.Start, f.Start)); ok {
		words = append(words, w)
	}
	if w, ok := ends("hedge", strings.TrimRight(s.before(f), " 　为")); ok && (len(words) == 0 || words[0] != w) {
		words = append(words, w)
	}
	if f.post != "" {
		words = append(words, f.post)
	}
	return strings.Join(words, "…")
}

// yearOf is the year f is for: the one its sentence names, else the
// document's.
func (s sentence) yearOf(f figure) int {
	y := s.year
	for _, q := range zh.Quantities(s.str(0, f.Start)) {
		if v := int(q.Value.IntPart()); q.Date && q.Unit == "年" && v >= s.year {
			y = v
		}
	}
	return y
}

// basis tells whether f is a stock or what one year adds, and whether the
// words say so.
func (s sentence) basis(f figure, k Candidate) (Basis, bool) {
	if !flows(k.Unit) {
		return Annual, false
	}
	words := s.str(f.from, f.Start)
	if w, ok := has("cumulative", words); ok {
		return Cumulative, w != "达到"
	}
	if _, ok := has("annual", s.str(f.part.Start, f.Start)); ok {
		return Annual, true
	}
	if base, _ := splitUnit(k.Unit); (k.Comparator == zh.GT || strings.Contains(k.Hedge, "达到")) && countable(base) {
		return Cumulative, false
	}
	return Annual, false
}

// share gives the i-th figure of “A、B分别突破X、Y” its own subject and the
// comparator all of them share.
func (s sentence) share(k Candidate, f figure, earlier []figure) Candidate {
	first, n := f, 0
	for i := len(earlier) - 1; i >= 0 && earlier[i].part == f.part; i-- {
		first, n = earlier[i], n+1
	}
	lead := s.before(first)
	head, _, ok := strings.Cut(lead, "分别")
	if !ok {
		return k
	}
	if k.Comparator == zh.EQ {
		k.Comparator, k.Hedge = first.Cmp, s.hedge(first)
	}
	if names := splitList(cleanName(head)); n < len(names) {
		k.Name = cleanName(names[n])
	}
	return k
}

// officeAfter is the bracketed responsible office behind a sentence that ends
// at i, in the same paragraph: （生态环境部牵头）.
func officeAfter(r []rune, i int) string {
	for ; i < len(r) && r[i] != '\n'; i++ {
		if r[i] != '（' && r[i] != '(' {
			continue
		}
		for j := i + 1; j < len(r) && j < i+120 && r[j] != '\n'; j++ {
			if r[j] != '）' && r[j] != ')' {
				continue
			}
			in := string(r[i+1 : j])
			_, role := has("office", in)
			_, who := has("officeunit", in)
			if role && who {
				return in
			}
			break
		}
	}
	return ""
}
