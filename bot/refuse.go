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
		if t := c.unknownTitle(q, s); t != "" {
			phrase, a = "notitle", args{"Term": t}
		} else if t := b.unknownPolicy(c, q, s); t != "" {
			phrase, a = "noterm", args{"Term": t}
		} else if t := unknownQuote(c, q); t != "" {
			if e, ok := c.misquoted(t, s.docs); ok {
				d := draft{notes: b.fixNotes(q)}
				d.frame(b.lex.say(q.english, "misquoted", args{"Quote": t}))
				b.add(c, q, &d, e)
				return d, true, nil
			}
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

// unknownTitle is a title that q names as the place to look in, by clause or on
// the whole, and that is no document's; "" where one may be meant.
func (c *corpus) unknownTitle(q *question, s scope) string {
	if s.named || len(q.refs) == 0 && !q.forms["whole"] {
		return ""
	}
	for _, t := range q.titles {
		if !slices.ContainsFunc(c.docs, func(d *source) bool { return abbreviates(t, d.title) || abbreviates(d.title, t) }) {
			return t
		}
	}
	return ""
}

// abbreviates reports that the characters of short stand in long in their
// order: 科技进步条例 for 科学技术进步条例.
func abbreviates(short, long string) bool {
	r := []rune(short)
	for _, c := range long {
		if len(r) > 0 && r[0] == c {
			r = r[1:]
		}
	}
	return len(r) == 0
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
		if c.contains(p, s.docs) || (!s.named || len(q.places) > 1) && c.contains(p, nil) || slices.ContainsFunc(b.lex.synonyms[p], func(a string) bool { return c.contains(a, s.docs) }) {
			continue
		}
		if hanCount(p) <= 2 && hanCount(q.core) > longStory || c.abbreviates(p, s.docs) {
			continue
		}
		if slices.ContainsFunc(b.lex.policy, func(o string) bool { return o != p && strings.Contains(p, o) && c.contains(o, s.docs) }) {
			continue
		}
		if slices.ContainsFunc(q.terms, func(t term) bool { return t.text != p && strings.Contains(t.text, p) && c.contains(t.text, s.docs) }) {
			continue
		}
		return p
	}
	return ""
}

// longStory is how long a question is that may name a policy by the way, in
// characters.
const longStory = 24

// abbreviates reports that p is short for what the documents say: its characters
// stand there in order with at most two others between each two: 公交 for 公共交通.
func (c *corpus) abbreviates(p string, docs []string) bool {
	var re strings.Builder
	for i, r := range []rune(p) {
		if i > 0 {
			re.WriteString(`[^\P{Han}的了和与或及到在对向为以并将等]{0,2}`)
		}
		re.WriteString(regexp.QuoteMeta(string(r)))
	}
	short := regexp.MustCompile(re.String())
	return slices.ContainsFunc(c.among(docs), func(s *source) bool { s.fold(); return short.MatchString(s.all) })
}

// unknownQuote is a quotation of at least four characters that stands nowhere,
// not even in part.
func unknownQuote(c *corpus, q *question) string {
	if len(q.refs) == 0 && !slices.ContainsFunc([]string{"where", "mentions", "whole", "confirm", "define", "explain", "inject", "has", "body", "again"}, func(f string) bool { return q.forms[f] }) &&
		hanCount(q.core) > 2*hanCount(strings.Join(q.quoted, "")) {
		return "" // the words of somebody in the question
	}
	for _, t := range q.quoted {
		t := zh.Squeeze(t)
		if len([]rune(t)) < 4 || strings.Contains(t, "...") || c.contains(t, nil) || c.headingOnly(t, nil) != "" {
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

// likeQuote is the share of a quotation's pairs of characters that a sentence
// has when the quotation is that sentence changed.
const likeQuote = .7

// misquoted is the sentence that the quotation t gives with changes.
func (c *corpus) misquoted(t string, docs []string) (evidence, bool) {
	r := []rune(refRE.ReplaceAllString(t, ""))
	best, found := likeQuote, evidence{}
	for _, k := range c.clausesOf(docs) {
		whole := evidence{clause: k, doc: c.byID[k.Document]}
		for _, s := range sentencesOf(whole) {
			e := whole.at(s)
			n := 0
			for i := 0; i+2 <= len(r); i++ {
				if strings.Contains(e.fold, string(r[i:i+2])) {
					n++
				}
			}
			if like := float64(n) / float64(max(len(r)-1, 1)); like > best {
				best, found = like, e
			}
		}
	}
	return found, found.clause != nil
}
