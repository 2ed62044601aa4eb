package bot

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"zhengda/internal/zh"
)

// refuse drafts a refusal.
func (b *Bot) refuse(q *question, phrase string, a args) draft {
	d := draft{state: Refused}
	d.frame(b.lex.say(q.english, phrase, a))
	return d
}

// outside refuses what no corpus answers: nothing asked, small talk, orders to
// make things up or to show instructions.
func (b *Bot) outside(c *corpus, q *question) (draft, bool) {
	named := slices.ContainsFunc(q.terms, func(t term) bool { return t.named && len([]rune(t.text)) >= 3 })
	switch {
	case strings.TrimSpace(zh.Squeeze(q.norm)) == "" || !strings.ContainsFunc(q.norm, letter):
		return b.refuse(q, "empty", nil), true
	case q.forms["greeting"] || q.forms["selfintro"]:
		return b.refuse(q, "hello", nil), true
	case q.forms["fabricate"], q.forms["inject"] && !named:
		return b.refuse(q, "inject", nil), true
	case q.forms["offtopic"] && !named:
		return b.refuse(q, "offtopic", nil), true
	}
	return draft{}, false
}

func letter(r rune) bool {
	return zh.IsHan(r) || r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
}

// missing refuses what the corpus does not have: another year, another place,
// a named policy or a quotation that stands nowhere.
func (b *Bot) missing(ctx context.Context, c *corpus, q *question, s scope) (draft, bool, error) {
	phrase, a := "", args{}
	switch {
	case s.year != 0:
		phrase, a = "noyear", args{"Year": s.year, "Have": b.haveYears(c, q)}
	case s.place != "" && len(q.refs) == 0:
		phrase, a = "noplace", args{"Place": s.place}
	default:
		if t := b.unknownPolicy(c, q, s); t != "" {
			phrase, a = "noterm", args{"Term": t}
		} else if t := unknownQuote(c, q); t != "" {
			phrase, a = "noquote", args{"Quote": t}
		}
	}
	if phrase == "" {
		return draft{}, false, nil
	}
	return b.refuse(q, phrase, a), true, nil
}

// haveYears lists the years that the documents are about.
func (b *Bot) haveYears(c *corpus, q *question) string {
	var years []string
	for _, d := range c.docs {
		if y := strconv.Itoa(d.year); d.year != 0 && !slices.Contains(years, y) {
			years = append(years, y)
		}
	}
	if len(years) == 0 || len(years) > 6 {
		return ""
	}
	slices.Sort(years)
	return b.lex.say(q.english, "haveyears", args{"Years": strings.Join(years, "、")})
}

// unknownPolicy is a policy that q names and no document of the scope
// mentions, under this name or another.
func (b *Bot) unknownPolicy(c *corpus, q *question, s scope) string {
	rest := q.core
	for _, p := range b.lex.policy {
		if !strings.Contains(rest, p) {
			continue
		}
		rest = strings.ReplaceAll(rest, p, "\n")
		if c.contains(p, s.docs) || slices.ContainsFunc(b.lex.synonyms[p], func(a string) bool { return c.contains(a, s.docs) }) {
			continue
		}
		if slices.ContainsFunc(q.terms, func(t term) bool { return t.text != p && strings.Contains(t.text, p) && c.contains(t.text, s.docs) }) {
			continue
		}
		return p
	}
	return ""
}

// unknownQuote is a quotation of at least four characters that stands nowhere,
// not even in part.
func unknownQuote(c *corpus, q *question) string {
	for _, t := range q.quoted {
		t := zh.Squeeze(t)
		if len([]rune(t)) < 4 || strings.Contains(t, "...") || c.contains(t, nil) {
			continue
		}
		if slices.ContainsFunc(q.fixes, func(f fix) bool { return strings.Contains(t, f.to) }) {
			continue
		}
		found := 0
		for _, w := range c.index.Cut(t) {
			if c.contains(w, nil) {
				found += len([]rune(w))
			}
		}
		if len(zh.Quantities(t)) > 0 || found*2 < len([]rune(t)) {
			return t
		}
	}
	return ""
}

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
	if len(typed) > 0 && !slices.ContainsFunc(typed, func(a *attribute) bool {
		return slices.ContainsFunc(top, func(e evidence) bool { return a.in(e.fold, e.text) && b.sameKind(c, q, e) })
	}) {
		return b.noAttr(c, q, typed[0], es[0]), true
	}
	for _, a := range other {
		if !slices.ContainsFunc(top, func(e evidence) bool { return a.in(e.fold, e.text) }) {
			return b.noAttr(c, q, a, es[0]), true
		}
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

var askedRE = regexp.MustCompile(`(?:多少|几)(?:个)?([^0-9,，。?？]{1,4})`)

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

// sameKind reports whether the clause of e speaks of the kind of amount that
// the question asks for.
func (b *Bot) sameKind(c *corpus, q *question, e evidence) bool { return b.otherKind(c, q, e) == "" }

// otherKind is the word of the question for a kind of amount that the clause of
// e does not speak of: 奖励 where no clause of reward is found; "" else.
func (b *Bot) otherKind(c *corpus, q *question, e evidence) string {
	text := c.folded(e.clause)
	for _, g := range b.lex.groups {
		i := slices.IndexFunc(g, func(w string) bool { return strings.Contains(q.core, w) })
		if i >= 0 && !slices.ContainsFunc(g, func(w string) bool { return strings.Contains(text, w) }) {
			return g[i]
		}
	}
	return ""
}

// onTopic are the sentences whose clause is as good as the best one.
func onTopic(q *question, es []evidence) []evidence {
	var out []evidence
	for _, e := range es {
		if e.clause == es[0].clause || e.score > es[0].score-neighbourReach {
			out = append(out, e)
		}
	}
	return out
}

func (b *Bot) noAttr(c *corpus, q *question, a *attribute, e evidence) draft {
	d := draft{state: Refused, notes: b.fixNotes(q)}
	name := a.zhN
	if q.english {
		name = a.enN
	}
	key, topic := "noattr", q.about(c.folded(e.clause))
	if topic == "" {
		key = "noattrhere"
	}
	frame := b.lex.say(q.english, key, args{"Topic": topic, "Attr": name, "Label": c.label(e.clause), "Text": "\x00", "Mark": ""})
	s := q.shows(e, shortBudget/2)
	d.lines = append(d.lines, line{frame: frame, quote: &s})
	return d
}

// about is the topic of q in few words: its weightiest term that the clause
// has too; "" where they share none.
func (q *question) about(clause string) string {
	best, w := "", 0.0
	for _, t := range q.terms {
		if t.weight() > w && strings.Contains(clause, t.text) && strings.Contains(zh.Squeeze(q.core), t.text) {
			best, w = t.text, t.weight()
		}
	}
	return best
}
