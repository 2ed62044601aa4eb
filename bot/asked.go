package bot

import (
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// lacking refuses when what is asked for stands in no clause on the topic, or
// stands there as something else: a penalty is no reward. Of several kinds of
// figure that the question may mean, one is enough.
func (b *Bot) lacking(c *corpus, q *question, es []evidence) (draft, bool) {
	if q.forms["yesno"] && len(q.figures) == 0 {
		if w := b.otherKind(c, q, es[0]); q.forms["has"] && w != "" {
			return b.noAttr(c, q, &attribute{zhN: w, enN: w}, es[0]), true
		}
		return draft{}, false
	}
	top := onTopic(q, es)
	var typed, other []*attribute
	for _, a := range q.attrs {
		switch {
		case len(a.units) > 0:
			typed = append(typed, a)
		case a.find != nil:
			other = append(other, a)
		}
	}
	near := q.closest(top)
	if len(typed) > 0 {
		i := slices.IndexFunc(near, func(e evidence) bool {
			return slices.ContainsFunc(typed, func(a *attribute) bool { return b.gives(c, q, a, e) })
		})
		if i < 0 {
			return b.noAttr(c, q, typed[0], es[0]), true
		}
		lead(es, near[i])
	}
	for _, a := range other {
		if !slices.ContainsFunc(top, func(e evidence) bool { return a.in(e.fold, e.text) }) {
			return b.noAttr(c, q, a, es[0]), true
		}
	}
	if h := b.head(q.core); h != "" && !slices.ContainsFunc(top, func(e evidence) bool { return b.speaksOf(c.folded(e.clause), h) }) {
		return b.noAttr(c, q, &attribute{zhN: h, enN: h}, es[0]), true
	}
	if len(typed) == 0 && len(other) == 0 && howMany.MatchString(q.core) && !slices.ContainsFunc(near, figured) {
		return b.noAttr(c, q, b.lex.attr("quantity"), es[0]), true
	}
	if u := counted(q.core); u != "" && len(typed) == 0 && !q.forms["sum"] && !slices.ContainsFunc(near, func(e evidence) bool { return b.counts(q, e, u) }) {
		return b.noAttr(c, q, b.lex.attr("quantity"), es[0]), true
	}
	if kind := askedKind(q.core); kind != "" && len(typed) == 0 {
		if !slices.ContainsFunc(top, func(e evidence) bool {
			return slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return zh.Kind(f.Unit) == kind })
		}) {
			return b.noAttr(c, q, &attribute{zhN: kind, enN: kind}, es[0]), true
		}
	}
	return draft{}, false
}

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

// closest are the sentences of the best clause, and of the others those with as
// many of the question's words.
func (q *question) closest(top []evidence) []evidence {
	least := q.share(top[0].fold)
	return slices.DeleteFunc(slices.Clone(top), func(e evidence) bool { return e.clause != top[0].clause && q.share(e.fold) < least })
}

// head is the noun that the question asks the figure of: 押金 in 押金是多少; ""
// where it asks by a verb.
func (b *Bot) head(s string) string {
	m := b.lex.forms["head"].FindStringSubmatch(s)
	if m == nil {
		return ""
	}
	return m[1] + m[2]
}

// speaksOf reports that the folded text has the noun, its last two characters, a
// synonym, or a word that means the same kind of amount.
func (b *Bot) speaksOf(text, noun string) bool {
	r := []rune(noun)
	last := string(r[max(0, len(r)-2):])
	words := append([]string{noun, last}, b.lex.synonyms[noun]...)
	for _, g := range b.lex.groups {
		if slices.Contains(g, noun) || slices.Contains(g, last) {
			words = append(words, g...)
		}
	}
	return slices.ContainsFunc(words, func(w string) bool { return strings.Contains(text, w) })
}

var countedRE = regexp.MustCompile(`(?:^|[^哪这那前后第十])(?:多少|几)(人|名|位|家|户|件|套|台|辆|场|次|所|座|间|篇|页|批|期|艘|只|张|份|本|支)`)

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
// word right before 多少: 贷多少, 奖励标准是多少; nil where it says none.
func (b *Bot) amountOf(s string) []string {
	for _, m := range howMuch.FindAllStringIndex(s, -1) {
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
	text, asked := c.folded(e.clause), q.core+q.englishText(b.lex)
	for _, g := range b.lex.groups {
		i := slices.IndexFunc(g, func(w string) bool { return len([]rune(w)) > 1 && strings.Contains(asked, w) })
		if i >= 0 && !slices.ContainsFunc(g, func(w string) bool { return len([]rune(w)) > 1 && strings.Contains(text, w) }) {
			return g[i]
		}
	}
	return ""
}
