package bot

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// Problem is one statement of an answer that does not verify.
type Problem struct {
	Line int    // of the answer's text, from 0; -1 for a citation
	Why  string // for logs and for a model's second attempt
}

// shape is a phrase turned round: an expression that matches what the phrase
// can say, with a group for every argument.
type shape struct {
	key string
	re  *regexp.Regexp
}

var argRE = regexp.MustCompile(`\\{\\{\\\.(\w+)\\}\\}`)

func newShape(key, source string) (shape, error) {
	pattern := argRE.ReplaceAllString(regexp.QuoteMeta(source), `(?P<$1>.*?)`)
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return shape{key, re}, err
}

// check verifies answers against one corpus and one question.
type check struct {
	b    *Bot
	c    *corpus
	a    *Answer
	said string // what the question and the earlier turns say, folded, and how it was read
}

// Verify checks every statement of a: each quote is verbatim at its offsets;
// each line is a known phrase or a quotation, and what fills the phrase stands
// in the cited clause, in the figures, in the question or in the make-up of
// the documents. It returns what fails; nothing when the answer stands.
func (b *Bot) Verify(ask Ask, a Answer) []Problem { return b.verify(b.derive(), ask, a) }

// verify is Verify against the corpus that the answer was made from, whatever
// has been published since.
func (b *Bot) verify(c *corpus, ask Ask, a Answer) []Problem {
	k := &check{b: b, c: c, a: &a, said: b.said(c, ask)}
	var out []Problem
	for _, cit := range a.Citations {
		if why := k.citation(cit); why != "" {
			out = append(out, Problem{-1, why})
		}
	}
	used := map[int]bool{}
	for i, l := range strings.Split(a.Text, "\n") {
		if why := k.line(l, used); why != "" {
			out = append(out, Problem{i, why})
		}
	}
	for _, cit := range a.Citations {
		if !used[cit.N] {
			out = append(out, Problem{-1, fmt.Sprintf("citation %d is not used", cit.N)})
		}
	}
	return out
}

// said is everything that the user has said, as read.
func (b *Bot) said(c *corpus, ask Ask) string {
	q := b.read(c, ask)
	parts := []string{zh.Fold(ask.Question), q.norm, q.core, q.expanded}
	for _, t := range ask.History {
		parts = append(parts, b.lex.simplify(zh.Fold(t.Content)), b.read(c, Ask{Question: t.Content}).norm)
	}
	return zh.Squeeze(strings.Join(parts, "\n"))
}

func (k *check) citation(cit Citation) string {
	cl, ok := k.c.index.Clause(cit.ClauseID)
	if !ok {
		return fmt.Sprintf("citation %d: no clause %q", cit.N, cit.ClauseID)
	}
	r := []rune(cl.Text)
	if cit.Start < 0 || cit.End > len(r) || cit.Start >= cit.End || string(r[cit.Start:cit.End]) != cit.Quote {
		return fmt.Sprintf("citation %d: the quote is not verbatim", cit.N)
	}
	if cit.Label != cl.Label || cit.Clause != cl.Number || cit.DocumentID != cl.Document {
		return fmt.Sprintf("citation %d: the label is not that of its clause", cit.N)
	}
	return ""
}

var markRE = regexp.MustCompile(`\[(\d+)\]`)

// line verifies one line and notes the citations that it uses.
func (k *check) line(l string, used map[int]bool) string {
	if why := k.quotation(l, used); why == "" {
		return ""
	}
	if k.figureLine(l) || k.a.Model != "builtin" && k.reworded(l, used) == "" {
		return ""
	}
	why := "no phrase says this"
	for _, s := range k.b.lex.shapes {
		m := s.re.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if why = k.fill(s, m, used); why == "" {
			return ""
		}
	}
	return why
}

// quotation verifies “label:quote[n]” or “quote[n]”.
func (k *check) quotation(l string, used map[int]bool) string {
	m := markRE.FindAllStringSubmatchIndex(l, -1)
	if len(m) != 1 || m[0][1] != len(l) {
		return "not a quotation"
	}
	n, _ := strconv.Atoi(l[m[0][2]:m[0][3]])
	cit, ok := k.cited(n)
	if !ok {
		return "no such citation"
	}
	text := l[:m[0][0]]
	cl, ok := k.c.index.Clause(cit.ClauseID)
	if !ok {
		return "no such clause"
	}
	for _, label := range []string{k.c.label(cl) + ":", k.c.label(cl) + ": "} {
		if rest, ok := strings.CutPrefix(text, label); ok && verbatim(rest, cit.Quote) {
			used[n] = true
			return ""
		}
	}
	if !verbatim(text, cit.Quote) {
		return "not verbatim"
	}
	used[n] = true
	return ""
}

func (k *check) cited(n int) (Citation, bool) {
	if n < 1 || n > len(k.a.Citations) || k.a.Citations[n-1].N != n {
		return Citation{}, false
	}
	return k.a.Citations[n-1], true
}

// verbatim reports that shown is whole sentences of the quote in a row, or
// whole comma segments with …… where it was cut.
func verbatim(shown, quote string) bool {
	rest, edge, at := zh.Squeeze(quote), edges(quote), 0
	some := false
	for part := range strings.SplitSeq(shown, ellipsis) {
		if part = zh.Squeeze(part); part == "" {
			continue
		}
		i := strings.Index(rest, part)
		if !some && !strings.HasPrefix(shown, ellipsis) {
			for n := 0; i >= 0 && n >= 0 && !edge[i]; i += n + 1 {
				if n = strings.Index(rest[i+1:], part); n < 0 {
					return false
				}
			}
		}
		if i < 0 {
			return false
		}
		some = true
		at += i + len(part)
		rest = rest[i+len(part):]
	}
	return some && (edge[at] || strings.HasSuffix(shown, ellipsis))
}

// edges are the offsets in the squeezed quote at which a sentence of it begins
// or ends.
func edges(quote string) map[int]bool {
	out, at := map[int]bool{0: true}, 0
	r := []rune(quote)
	last := 0
	for _, s := range zh.Sentences(quote) {
		at += len(zh.Squeeze(string(r[last:s.Start])))
		out[at] = true
		at += len(zh.Squeeze(string(r[s.Start:s.End])))
		out[at], last = true, s.End
	}
	out[at+len(zh.Squeeze(string(r[last:])))] = true
	return out
}

// fill verifies the arguments of a phrase by their names.
func (k *check) fill(s shape, m []string, used map[int]bool) string {
	arg := map[string]string{"": s.key}
	for i, name := range s.re.SubexpNames() {
		if name != "" {
			arg[name] = m[i]
		}
	}
	for name, v := range arg {
		if name != "" && !k.arg(name, v, arg, used) {
			return fmt.Sprintf("phrase %s: %s %q does not verify", s.key, name, v)
		}
	}
	return ""
}

// arg verifies one argument.
func (k *check) arg(name, v string, all map[string]string, used map[int]bool) bool {
	switch name {
	case "Text", "Mark":
		return k.quotedArg(all, used)
	case "Label", "First", "Last", "LabelA", "LabelB":
		return k.hasLabel(v, all["Mark"]) || name == "Label" && k.isSaid(v)
	case "Labels":
		return k.isRange(v) || !slices.ContainsFunc(splitList(v), func(l string) bool { return !k.hasLabel(l, "") })
	case "Title":
		return k.isTitle(v)
	case "Heading":
		return slices.ContainsFunc(k.c.clausesOf(nil), func(cl *rag.Clause) bool {
			return slices.Contains(cl.Path, v) && strings.Contains(zh.Fold(v), zh.Fold(all["Term"]))
		})
	case "Name":
		return slices.ContainsFunc(k.a.Figures, func(f Figure) bool { return f.Name == v })
	case "Attr":
		return zh.IsKind(v) || k.isSaid(v) || slices.ContainsFunc(k.b.lex.attrs, func(a *attribute) bool { return a.zhN == v || a.enN == v })
	case "Term", "Topic", "From", "Place", "Asked", "Year", "To":
		return k.isSaid(v) || name == "To" && k.readAs(all["From"], v)
	case "Quote":
		return k.isSaid(v) || k.inQuotes(v)
	case "QuoteA":
		return v != all["QuoteB"] && k.quotedAt(v, all["LabelA"])
	case "QuoteB":
		return k.quotedAt(v, all["LabelB"])
	case "Have", "Range", "Rest":
		return v == "" || k.line(v, used) == ""
	case "N", "Chapters", "Clauses", "Sum", "Terms", "Base", "Rate", "Product", "Value", "Years", "List":
		return k.countArg(name, v, all)
	}
	return k.totalArg(name, v)
}

// quotedArg verifies a quote inside a phrase, by the marker behind it.
func (k *check) quotedArg(all map[string]string, used map[int]bool) bool {
	text := all["Text"] + all["Mark"]
	return k.quotation(text, used) == ""
}

func (k *check) isSaid(v string) bool {
	v = zh.Squeeze(zh.Fold(v))
	return v != "" && strings.Contains(k.said, v) && wholeFigures(v, k.said)
}

// wholeFigures reports that the figures of v are figures of text, not parts of
// longer ones.
func wholeFigures(v, text string) bool {
	have := zh.Quantities(text)
	for _, f := range zh.Quantities(v) {
		if !slices.ContainsFunc(have, func(g zh.Quantity) bool { return g.Value.Equal(f.Value) }) {
			return false
		}
	}
	return true
}

// readAs reports that from can be read as to: they sound alike, or from is its
// pinyin.
func (k *check) readAs(from, to string) bool {
	return sound(from) == sound(to) && sound(to) != "" || k.c.fromPinyin(zh.Fold(from)) == zh.Fold(to)
}

// hasLabel reports a label of the corpus; with a marker, that of its clause.
func (k *check) hasLabel(v, marker string) bool {
	if m := markRE.FindStringSubmatch(marker); m != nil {
		n, _ := strconv.Atoi(m[1])
		cit, ok := k.cited(n)
		cl, found := k.c.index.Clause(cit.ClauseID)
		return ok && found && k.c.label(cl) == v
	}
	for _, d := range k.c.docs {
		for i := range d.Clauses {
			if cl := &d.Clauses[i]; cl.Label == v || k.c.label(cl) == v {
				return true
			}
		}
		for _, ch := range d.Chapters {
			if chapterLabel(ch) == v {
				return true
			}
		}
	}
	return false
}

func (k *check) isRange(v string) bool {
	for _, d := range k.c.docs {
		for _, ch := range d.Chapters {
			if _, ks := d.chapter(ch.Number); len(ks) > 0 && labels(ks) == v {
				return true
			}
		}
	}
	return false
}

func (k *check) isTitle(v string) bool {
	return slices.ContainsFunc(k.c.docs, func(d *source) bool {
		return d.Title == v || shortTitle(d.Title) == v || slices.ContainsFunc(d.Chapters, func(ch rag.Chapter) bool { return ch.Title == v })
	})
}

func (k *check) inQuotes(v string) bool {
	v = zh.Squeeze(v)
	return v != "" && slices.ContainsFunc(k.a.Citations, func(c Citation) bool { return strings.Contains(zh.Squeeze(c.Quote), v) })
}

// hasFigures reports that every figure of v is a figure of some quote: 3000家 is
// none of 13000家.
func hasFigures(v string, cs []Citation) bool {
	return !slices.ContainsFunc(zh.Quantities(v), func(f zh.Quantity) bool {
		return !slices.ContainsFunc(cs, func(c Citation) bool {
			return slices.ContainsFunc(zh.Quantities(c.Quote), func(g zh.Quantity) bool { return g.Same(f) })
		})
	})
}

// quotedAt reports that a quote of the clause labelled so has the figure v.
func (k *check) quotedAt(v, label string) bool {
	return slices.ContainsFunc(k.a.Citations, func(c Citation) bool {
		cl, ok := k.c.index.Clause(c.ClauseID)
		return ok && k.c.label(cl) == label && strings.Contains(zh.Squeeze(c.Quote), v) && hasFigures(v, []Citation{c})
	})
}

func splitList(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == '、' || r == ';' })
}

// countArg verifies what was counted or added up.
func (k *check) countArg(name, v string, all map[string]string) bool {
	switch name {
	case "Years":
		return !slices.ContainsFunc(splitList(v), func(y string) bool {
			return !slices.ContainsFunc(k.c.docs, func(d *source) bool { return strconv.Itoa(d.year) == y })
		})
	case "List":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			return chapterList(d) == v || slices.ContainsFunc(d.topChapters(), func(ch rag.Chapter) bool {
				return ch.Title == all["Title"] && headings(d.partsBelow(ch)) == v && strconv.Itoa(len(d.partsBelow(ch))) == all["N"]
			})
		})
	case "Chapters", "Clauses":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			chapters, clauses, _ := d.counts()
			return shortTitle(d.Title) == all["Title"] && strconv.Itoa(clauses) == all["Clauses"] && (all["Chapters"] == "" || strconv.Itoa(chapters) == all["Chapters"])
		})
	case "N":
		return k.countedN(v, all)
	case "Value":
		return k.inQuotes(v) && hasFigures(v, k.a.Citations)
	}
	return k.sumArg(all)
}

// countedN verifies a number: of the places quoted and named, of the clauses of
// a chapter, of the paragraphs before the first clause.
func (k *check) countedN(v string, all map[string]string) bool {
	n, err := strconv.Atoi(v)
	if err != nil {
		return false
	}
	switch all[""] {
	case "chapter":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			return slices.ContainsFunc(d.Chapters, func(ch rag.Chapter) bool {
				_, ks := d.chapter(ch.Number)
				return ch.Title == all["Title"] && len(ks) == n
			})
		})
	case "parts":
		return k.countArg("List", all["List"], all)
	case "pairs":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool { return shortTitle(d.Title) == all["Title"] && d.asked() == n })
	case "structurepre":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool { _, _, before := d.counts(); return before == n })
	case "noclauserange":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			first, last, m := d.numberedRange()
			return m == n && first == all["First"] && last == all["Last"]
		})
	case "more":
		return n >= len(splitList(all["Labels"]))
	}
	quoted := 0
	for l := range strings.Lines(k.a.Text) {
		quoted += len(markRE.FindAllString(l, -1))
	}
	more := 0
	for _, s := range k.b.lex.shapes {
		if s.key == "more" {
			for l := range strings.Lines(k.a.Text) {
				if m := s.re.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
					more, _ = strconv.Atoi(m[s.re.SubexpIndex("N")])
				}
			}
		}
	}
	return n == quoted+more
}

// sumArg verifies 38家 = 8家+30家, 22家 = 30家-8家 and 4万元 = 8万元×50%: what is
// reckoned with are figures of the quotes, and it comes out so.
func (k *check) sumArg(all map[string]string) bool {
	if all[""] == "product" {
		base, okBase := k.quoted(all["Base"])
		rate, okRate := k.quoted(all["Rate"])
		product := zh.Quantities(all["Product"])
		return okBase && okRate && rate.Unit == "%" && len(product) == 1 && product[0].Unit == base.Unit &&
			product[0].Value.Equal(base.Value.Mul(rate.Value).Div(decimal.NewFromInt(100)))
	}
	want := zh.Quantities(all["Sum"])
	if len(want) != 1 {
		return false
	}
	sign := "+"
	if all[""] == "difference" {
		sign = "-"
	}
	left := want[0].Value
	for i, t := range strings.Split(all["Terms"], sign) {
		f, ok := k.quoted(t)
		switch {
		case !ok || f.Unit != want[0].Unit:
			return false
		case i > 0 && sign == "-":
			left = left.Add(f.Value)
		default:
			left = left.Sub(f.Value)
		}
	}
	return left.IsZero()
}

// quoted reads v as one figure that some quote has.
func (k *check) quoted(v string) (zh.Quantity, bool) {
	f := zh.Quantities(v)
	if len(f) != 1 || !slices.ContainsFunc(k.a.Citations, func(c Citation) bool { return hasFigure(c.Quote, f[0]) }) {
		return zh.Quantity{}, false
	}
	return f[0], true
}

// figureLine reports that l is what a phrase says of one of the figures, to
// the letter.
func (k *check) figureLine(l string) bool {
	for _, f := range k.a.Figures {
		for _, key := range k.b.lex.figureKeys {
			if k.b.lex.say(false, key, f.args()) == l || k.b.lex.say(true, key, f.args()) == l {
				return true
			}
		}
	}
	return false
}

// args are the values of a figure as phrases name them.
func (f Figure) args() args {
	return args{"Name": f.Name, "Target": f.Words, "Actual": f.Actual, "Unit": f.Unit, "AsOf": f.AsOf, "Source": f.Source, "Gap": f.Gap, "Over": f.Over,
		"Needed": f.Needed, "Monthly": f.Monthly, "Progress": f.Progress}
}

// totalArg verifies how many indicators there are and are shown.
func (k *check) totalArg(name, v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && (n == len(k.a.Figures) || name == "Shown" && n < len(k.a.Figures))
}
