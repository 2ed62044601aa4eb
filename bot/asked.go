package bot

import (
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// want is one thing that a question asks for, and whether a sentence tells it:
// a figure must stand near the best sentence.
type want struct {
	name   *attribute
	figure bool
	noun   string // the name in full, where a document may tell of it elsewhere
	given  func(evidence) bool
}

// lacking refuses when what is asked for stands in no sentence near the best
// one, or stands there as something else: a penalty is no reward. Where it
// does, that sentence leads.
func (b *Bot) lacking(c *corpus, q *question, es []evidence) (draft, bool) {
	top := onTopic(q, es)
	near := q.near(top)
	for _, w := range b.wanted(c, q) {
		among := top
		if w.figure {
			among = near
		}
		i := slices.IndexFunc(among, w.given)
		if i < 0 && w.noun != "" {
			if e, ok := b.naming(c, q, es[0].doc, w.noun); ok { // further down in its document
				es[len(es)-1] = e
				lead(es, e)
				continue
			}
		}
		if i < 0 {
			return b.noAttr(c, q, w.name, es[0]), true
		}
		if w.figure {
			lead(es, among[i])
		}
	}
	if b.lex.form("deferred", es[0].fold) && asksFigure.MatchString(q.core) && !slices.ContainsFunc(zh.Quantities(es[0].text), plainFigure) {
		return b.noAttr(c, q, b.lex.attr("quantity"), es[0]), true
	}
	return draft{}, false
}

// wanted are the things that q asks for: a figure of a kind or of things
// counted in a unit, the noun whose figure it is, and what is known by its
// wording. Of several kinds of figure that it may mean, one is enough.
func (b *Bot) wanted(c *corpus, q *question) []want {
	var out []want
	var typed []*attribute
	yesNo := q.forms["yesno"] && len(q.figures) == 0
	for _, a := range q.attrs {
		switch {
		case yesNo:
		case len(a.units) > 0:
			typed = append(typed, a)
		case a.find != nil:
			out = append(out, want{name: a, given: func(e evidence) bool { return a.told(q, e) }})
		}
	}
	figure := func(name *attribute, given func(evidence) bool) {
		out = append(out, want{name: name, figure: true, given: given})
	}
	kind, unit := askedKind(q.core), counted(q.core)
	switch {
	case len(typed) > 0:
		figure(typed[0], func(e evidence) bool {
			return slices.ContainsFunc(typed, func(a *attribute) bool { return b.gives(c, q, a, e) })
		})
	case yesNo:
	case kind != "":
		figure(&attribute{zhN: kind, enN: kind}, func(e evidence) bool {
			return slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return zh.Kind(f.Unit) == kind })
		})
	case unit != "" && !q.forms["sum"]:
		figure(b.lex.attr("quantity"), func(e evidence) bool { return b.counts(q, e, unit) })
	case howMany.MatchString(q.core):
		figure(b.lex.attr("quantity"), figured)
	}
	if h := b.head(q.core); h != "" {
		out = append(out, want{name: &attribute{zhN: h, enN: h}, noun: h, given: func(e evidence) bool { return b.speaksOf(c.folded(e.clause), h) }})
	}
	return out
}

// told reports that the sentence has the wording of the attribute; where a name
// is asked for, in words that the question does not bring itself.
func (a *attribute) told(q *question, e evidence) bool {
	if a.not != nil && a.not.MatchString(e.fold) {
		return false
	}
	if !a.names {
		return a.find.MatchString(e.fold)
	}
	own := a.ask.ReplaceAllString(q.core, "")
	return slices.ContainsFunc(a.find.FindAllString(e.fold, -1), func(w string) bool { return !strings.Contains(own, w) })
}

// Shares of the best that make a sentence near: of the question's terms, and of
// the cosine.
const (
	nearShare  = .3
	nearCosine = .75
)

// near are the best sentence, those of its clause that have a fair part of the
// question's terms or are nearly as like the question as any, and of the other
// clauses those with as many terms as the best.
func (q *question) near(top []evidence) []evidence {
	share, cosine := 0.0, 0.0
	for _, e := range top {
		share, cosine = max(share, q.share(e.fold)), max(cosine, e.dense)
	}
	best := q.share(top[0].fold)
	return slices.DeleteFunc(slices.Clone(top), func(e evidence) bool {
		own := q.share(e.fold)
		if e.clause != top[0].clause {
			return own < max(best, nearShare*share)
		}
		return e.start != top[0].start && own < nearShare*share && e.dense < nearCosine*cosine
	})
}

// asksFigure is the wording that wants a figure or a number in an order.
var asksFigure = regexp.MustCompile(`多少|几|多[大长久高远重]`)

// plainFigure reports a figure that is neither a date nor a number in an order.
func plainFigure(f zh.Quantity) bool { return !f.Date && !f.Ordinal }

// lead moves e to the head of es: the sentence that gives what is asked.
func lead(es []evidence, e evidence) {
	i := slices.IndexFunc(es, func(o evidence) bool { return o.clause == e.clause && o.start == e.start })
	copy(es[1:i+1], es[:i])
	es[0] = e
}

// howMany is the wording that wants a figure, of whatever unit.
var howMany = regexp.MustCompile(`多少[^条章款处]`)

// figured reports a sentence with a figure, or a list that may be counted.
func figured(e evidence) bool {
	return strings.Contains(e.text, "、") || opens(e.text) || slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return !f.Ordinal })
}

// head is the noun that the question asks the figure of: 押金 in 押金是多少; ""
// where it asks by a verb.
func (b *Bot) head(s string) string {
	if m := b.lex.forms["head"].FindStringSubmatch(s); m != nil {
		return m[1] + m[2] + m[3]
	}
	_, after, _ := strings.Cut(s, "多少")
	for _, g := range b.lex.groups {
		if i := slices.IndexFunc(g, func(w string) bool { return len([]rune(w)) > 1 && strings.HasPrefix(after, w) }); i >= 0 {
			return g[i]
		}
	}
	return ""
}

// naming is the sentence of the document that speaks of the noun and has the
// most of the question's terms.
func (b *Bot) naming(c *corpus, q *question, d *source, noun string) (evidence, bool) {
	best, found := 0.0, evidence{}
	for _, k := range c.clausesOf([]string{d.ID}) {
		whole := evidence{clause: k, doc: d}
		for _, s := range sentencesOf(whole) {
			if e := whole.at(s); b.speaksOf(e.fold, noun) && q.share(e.fold) > best {
				best, found = q.share(e.fold), e
			}
		}
	}
	return found, found.clause != nil
}

// speaksOf reports that the folded text has the noun, its last two characters, a
// synonym, or a word that means the same kind of amount.
func (b *Bot) speaksOf(text, noun string) bool {
	r := []rune(noun)
	last := string(r[max(0, len(r)-2):])
	words := append([]string{noun, last}, b.lex.synonyms[noun]...)
	for _, g := range b.lex.groups {
		if slices.Contains(g, noun) || slices.Contains(g, last) || strings.HasSuffix(noun, "费") && slices.Contains(g, "费用") {
			words = append(words, g...)
		}
	}
	return slices.ContainsFunc(words, func(w string) bool { return len([]rune(w)) > 1 && strings.Contains(text, w) })
}

var countedRE = regexp.MustCompile(`(?:^|[^哪这那前后第十好])(?:多少|几)(人|名|位|家|户|件|套|台|辆|场|次|所|座|间|篇|页|批|期|艘|只|张|份|本|支)`)

// counted is the unit of what the question wants counted: 套 in 多少套; "" where
// nothing is.
func counted(s string) string {
	if m := countedRE.FindStringSubmatch(s); m != nil {
		return m[1]
	}
	return ""
}

// counts reports a sentence with a number of things counted in the unit or in
// one that counts the same.
func (b *Bot) counts(q *question, e evidence, unit string) bool {
	return slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool {
		return !f.Date && !f.Ordinal && q.wants(e, f) && (f.Unit == unit || slices.ContainsFunc(b.lex.counters, func(g []string) bool {
			return slices.Contains(g, unit) && slices.Contains(g, f.Unit)
		}))
	})
}

// gives reports that the sentence gives the typed attribute of the thing that
// the question asks for.
func (b *Bot) gives(c *corpus, q *question, a *attribute, e evidence) bool {
	if !a.in(e.fold, e.text) || b.otherKind(c, q, e) != "" {
		return false
	}
	figures := slices.DeleteFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return !a.units[f.Unit] })
	if len(figures) == 0 {
		return true
	}
	g := b.amountOf(q.core)
	return slices.ContainsFunc(figures, func(f zh.Quantity) bool { return q.wants(e, f) && (g == nil || b.isAmount(g, e.text, f)) })
}

// wants reports that the figure f of the sentence may be the one asked for: the
// question does not say it itself, and it is not of another subject where the
// subject of the question has a figure of its own.
func (q *question) wants(e evidence, f zh.Quantity) bool {
	if f.Unit != "" && slices.ContainsFunc(q.figures, f.Same) {
		return false
	}
	asked := q.core + q.expanded
	own := subject(e, f)
	return hanCount(own) < subjectLeast || shares(own, asked) || !slices.ContainsFunc(zh.Quantities(e.text), func(o zh.Quantity) bool {
		return o.Start != f.Start && shares(subject(e, o), asked)
	})
}

// subject is what stands before a figure in its segment, folded.
func subject(e evidence, f zh.Quantity) string {
	r := []rune(e.text)
	for _, g := range segments(r, 0, len(r)) {
		if f.Start >= g.Start && f.Start < g.End {
			return zh.Squeeze(zh.Fold(string(r[g.Start:f.Start])))
		}
	}
	return ""
}

// subjectLeast is the least number of characters before a figure that give its
// segment a subject of its own.
const subjectLeast = 6

// shares reports that two texts have a pair of Chinese characters in common.
func shares(a, b string) bool {
	r := []rune(a)
	for i := 0; i+2 <= len(r); i++ {
		if zh.IsHan(r[i]) && zh.IsHan(r[i+1]) && strings.Contains(b, string(r[i:i+2])) {
			return true
		}
	}
	return false
}

var (
	askedRE = regexp.MustCompile(`(?:多少|几)(?:个)?([^0-9,，。?？]{1,4})`)
	howMuch = regexp.MustCompile(`(款|额度|金额|标准|比例|上限|最高|最多|最低|到|了|得|的|是|为|能|可以?|有)*(多少|百分之几|百分之多少|几)`)
)

// askedKind is the kind of measure that 多少 or 几 asks for: 面积 for 多少平方米; ""
// when things are counted.
func askedKind(s string) string {
	for _, m := range askedRE.FindAllStringSubmatch(s, -1) {
		r := []rune(m[1])
		for n := len(r); n > 0; n-- {
			if k := zh.Kind(string(r[:n])); k != "" {
				return k
			}
		}
	}
	return ""
}

// amountOf is the line of words that the amount asked for belongs to, by the
// word right before 多少: 贷多少, 奖励标准是多少; nil where it says none, or
// asks for a multiple of it (工资的几倍).
func (b *Bot) amountOf(s string) []string {
	for _, m := range howMuch.FindAllStringIndex(s, -1) {
		if strings.HasPrefix(s[m[1]:], "倍") {
			continue
		}
		for _, g := range b.lex.groups {
			if slices.ContainsFunc(g, func(w string) bool { return strings.HasSuffix(s[:m[0]], w) }) {
				return g
			}
		}
	}
	return nil
}

// isAmount reports that the figure f of text is an amount of g: a word of g
// stands nearest before it, or behind it in its own segment, or no word of any
// line stands there.
func (b *Bot) isAmount(g []string, text string, f zh.Quantity) bool {
	r := []rune(text)
	behind := string(r[f.End:])
	if i := strings.IndexAny(behind, ",，;；。"); i >= 0 {
		behind = behind[:i]
	}
	if slices.ContainsFunc(g, func(w string) bool { return strings.Contains(behind, w) }) {
		return true
	}
	before, at, own := string(r[:f.Start]), -1, true
	for _, line := range b.lex.groups {
		for _, w := range line {
			if i := strings.LastIndex(before, w) + len(w); i > at && i >= len(w) {
				at, own = i, slices.Equal(line, g)
			}
		}
	}
	return own
}

// otherKind is the word of the question for a kind of amount that the clause of
// e does not speak of: 奖励 where no clause of reward is found; "" else.
func (b *Bot) otherKind(c *corpus, q *question, e evidence) string {
	text, asked := c.folded(e.clause)+e.doc.title, q.core+q.englishText(b.lex)
	for _, g := range b.lex.groups {
		i := slices.IndexFunc(g, func(w string) bool { return len([]rune(w)) > 1 && strings.Contains(asked, w) })
		if i >= 0 && !slices.ContainsFunc(g, func(w string) bool { return len([]rune(w)) > 1 && strings.Contains(text, w) }) {
			return g[i]
		}
	}
	return ""
}
