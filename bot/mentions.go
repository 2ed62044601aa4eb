package bot

import (
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// mentionList answers where a thing is mentioned: every clause that does, with
// the sentences.
func (b *Bot) mentionList(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["mentions"] || len(q.refs) > 0 {
		return draft{}, false
	}
	t, ok := b.key(c, q, s)
	if !ok {
		if t, ok = b.subject(c, q, s); !ok {
			return draft{}, false
		}
	}
	hits := c.sentencesWith(t, s.docs)
	if len(hits) == 0 {
		return draft{}, false
	}
	d := draft{notes: b.fixNotes(q)}
	d.frame(b.lex.say(q.english, "mentions", args{"N": len(hits), "Term": t.text}))
	b.quoteAll(c, q, &d, hits, t)
	return d, true
}

// quoteAll quotes every hit, each in the segments that hold t, and names the
// clauses of those for which there is no room.
func (b *Bot) quoteAll(c *corpus, q *question, d *draft, hits []evidence, t term) {
	about := *q
	about.terms = []term{t}
	each := max(36, min(shortBudget, listBudget/len(hits)))
	room := listBudget
	for i, e := range hits {
		s := about.shows(e, each)
		if room -= len([]rune(s.shown)) + 6; room < 0 && i > 0 {
			d.frame(b.lex.say(q.english, "more", args{"N": len(hits) - i, "Labels": labelList(c, hits[i:])}))
			return
		}
		d.quote(c.label(e.clause), s)
	}
}

func labelList(c *corpus, hits []evidence) string {
	var out []string
	for _, e := range hits {
		if l := c.label(e.clause); !slices.Contains(out, l) && len(out) < 12 {
			out = append(out, l)
		}
	}
	return strings.Join(out, "、")
}

// key is the one thing that a question about mentions is about: the rarest and
// longest of its terms that documents mention, quotations first.
func (b *Bot) key(c *corpus, q *question, s scope) (term, bool) {
	var best term
	top := 0.0
	for _, t := range q.terms {
		w := t.weight() + .3*float64(len([]rune(t.text)))
		if slices.Contains(q.quoted, t.text) {
			w += 100
		}
		if w <= top || slices.Contains(q.titles, t.text) && s.named {
			continue
		}
		if c.contains(t.text, s.docs) || slices.ContainsFunc(t.alts, func(a string) bool { return c.contains(a, s.docs) }) {
			best, top = t, w
		}
	}
	return best, best.text != ""
}

// sentencesWith are the sentences that hold t, titles of clauses left out
// where the clause says more, in reading order.
func (c *corpus) sentencesWith(t term, docs []string) []evidence {
	var out []evidence
	for _, k := range c.clausesOf(docs) {
		if !t.in(c.folded(k)) {
			continue
		}
		n := len(out)
		var title *evidence
		for _, s := range zh.Sentences(k.Text) {
			e := evidence{clause: k, doc: c.byID[k.Document]}.at(s)
			if !t.in(e.fold) {
				continue
			}
			if e.isTitle() {
				title = &e
				continue
			}
			out = append(out, e)
		}
		if len(out) == n && title != nil {
			out = append(out, *title)
		}
	}
	return out
}

// figureList answers which clauses hold a figure that the question gives and
// names nothing else.
func (b *Bot) figureList(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["figures"] || len(q.figures) == 0 {
		return draft{}, false
	}
	want := q.figures[0]
	var hits []evidence
	for _, k := range c.clausesOf(s.docs) {
		for _, p := range zh.Sentences(k.Text) {
			e := evidence{clause: k, doc: c.byID[k.Document]}.at(p)
			if slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool {
				return !f.Date && !f.Ordinal && f.Value.Equal(want.Value) && (want.Unit == "" || want.Unit == f.Unit)
			}) {
				hits = append(hits, e)
			}
		}
	}
	if len(hits) == 0 {
		return draft{}, false
	}
	var d draft
	d.frame(b.lex.say(q.english, "count", args{"N": len(hits)}))
	b.quoteAll(c, q, &d, hits, term{text: want.Value.String()})
	return d, true
}

// elsewhere answers whether something told before the first clause, or in the
// clause just cited, stands in another clause.
func (b *Bot) elsewhere(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["breakoff"] && !(q.forms["again"] && (q.forms["where"] || q.carried != nil)) {
		return draft{}, false
	}
	t, ok := b.subject(c, q, s)
	if !ok {
		return draft{}, false
	}
	var before, body []evidence
	for _, e := range c.sentencesWith(t, s.docs) {
		if e.clause.Number == 0 {
			before = append(before, e)
		} else {
			body = append(body, e)
		}
	}
	d := draft{notes: b.fixNotes(q)}
	switch {
	case len(body) > 0:
		b.quoteAll(c, q, &d, append(body, before...), t)
	case len(before) > 0:
		d.frame(b.lex.say(q.english, "onlypreamble", args{"Term": t.text, "Label": c.label(before[0].clause)}))
		b.quoteAll(c, q, &d, before, t)
	default:
		return draft{}, false
	}
	return d, true
}

// subject is the longest phrase of the question, or of the one before it, that
// the documents hold verbatim.
func (b *Bot) subject(c *corpus, q *question, s scope) (term, bool) {
	best := term{}
	for _, text := range []string{q.core, carriedText(q)} {
		r := []rune(text)
		for n := min(12, len(r)); n >= 3 && best.text == ""; n-- {
			for i := 0; i+n <= len(r); i++ {
				w := string(r[i : i+n])
				if b.topical(w) && c.contains(w, s.docs) {
					best = term{text: w, named: true}
					break
				}
			}
		}
		if best.text != "" {
			return best, true
		}
	}
	return b.key(c, q, s)
}

func carriedText(q *question) string {
	if q.carried == nil {
		return ""
	}
	return q.carried.core
}

// topical reports a string of Chinese characters that is not made of stop
// words at its ends.
func (b *Bot) topical(w string) bool {
	r := []rune(w)
	for _, c := range r {
		if !zh.IsHan(c) {
			return false
		}
	}
	for _, n := range []int{1, 2} {
		if b.lex.stop[string(r[:n])] || b.lex.stop[string(r[len(r)-n:])] {
			return false
		}
	}
	return true
}

// suspect answers whether a wording is a slip: the documents cannot tell, so
// it is quoted and left to the issuer.
func (b *Bot) suspect(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["suspect"] || len(q.quoted) == 0 {
		return draft{}, false
	}
	t := term{text: zh.Squeeze(q.quoted[0]), named: true}
	hits := c.sentencesWith(t, s.docs)
	if len(hits) == 0 {
		return draft{}, false
	}
	var d draft
	d.frame(b.lex.say(q.english, "suspect", args{"Quote": t.text}))
	b.quoteAll(c, q, &d, hits, t)
	return d, true
}

// definition answers what a term stands for, from the sentence that defines
// it or lists its parts; where a list is asked for and none is given, it says
// so.
func (b *Bot) definition(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["define"] || q.forms["yesno"] || len(q.refs) > 0 {
		return draft{}, false
	}
	for _, w := range q.quoted {
		if h := c.headingOnly(w, s.docs); h != "" {
			return b.refuse(q, "headingonly", args{"Term": w, "Heading": h}), true
		}
	}
	t, ok := b.key(c, q, s)
	if !ok || !q.centres(t) && !q.defines(t) {
		return draft{}, false
	}
	hits := c.sentencesWith(t, s.docs)
	for _, e := range hits {
		if defines(e.fold, t) {
			d := draft{notes: b.fixNotes(q)}
			about := *q
			about.terms = []term{t}
			d.quote(c.label(e.clause), about.shows(e, shortBudget))
			if opens(e.text) {
				for _, i := range items(e, listBudget) {
					d.quote(c.label(e.clause), q.shows(i, shortBudget))
				}
			}
			return d, true
		}
	}
	if len(hits) > 0 && (q.forms["explain"] || numbered(t.text) && q.has("enumeration")) {
		return b.noAttr(c, q, b.lex.attr("enumeration"), hits[len(hits)-1]), true
	}
	return draft{}, false
}

// code answers what a number stands for where it is a code, from the sentence
// that tells several codes (1表示…;2表示…): of these the one that says most of
// what q is about.
func (b *Bot) code(c *corpus, q *question, s scope) (draft, bool) {
	if len(q.numbers) != 1 || len(q.quoted)+len(q.refs) > 0 || !b.lex.form("code", q.core) {
		return draft{}, false
	}
	n := q.numbers[0]
	best, top := evidence{}, 0.0
	for _, k := range c.clausesOf(s.docs) {
		text := c.folded(k)
		if len(codesRE.FindAllString(text, 2)) < 2 || !standsFor(text, n) {
			continue
		}
		share := q.share(text + zh.Fold(strings.Join(k.Path, "")))
		if share <= top {
			continue
		}
		whole := wholeOf(k, c.byID[k.Document])
		for _, p := range sentencesOf(whole) {
			if e := whole.at(p); standsFor(e.fold, n) {
				best, top = e, share
			}
		}
	}
	if top == 0 {
		return draft{}, false
	}
	d := draft{notes: b.fixNotes(q)}
	b.tell(c, &d, q.shows(best, shortBudget))
	return d, true
}

// codesRE finds a number and what it stands for.
var codesRE = regexp.MustCompile(`\d(表示|代表)`)

// headingOnly is the heading that alone speaks of w; "" where clauses do too.
func (c *corpus) headingOnly(w string, docs []string) string {
	if c.contains(w, docs) {
		return ""
	}
	for _, k := range c.clausesOf(docs) {
		for _, h := range k.Path {
			if strings.Contains(zh.Fold(h), w) {
				return h
			}
		}
	}
	return ""
}

// centres reports that t is what q is about, with little beside it.
func (q *question) centres(t term) bool {
	all := 0.0
	for _, o := range q.terms {
		all += o.weight()
	}
	return t.weight()*2 >= all
}

var defineRE = regexp.MustCompile(`是|指|包括|定义|意思|含义|=`)

// defines reports that q asks right behind t what it is.
func (q *question) defines(t term) bool {
	_, after, ok := strings.Cut(q.core, t.text)
	r := []rune(after)
	return ok && defineRE.MatchString(string(r[:min(len(r), 8)]))
}

// numbered reports a term that counts its parts: 三项改革, 双中心, 一院一所.
func numbered(t string) bool {
	r := []rune(t)
	return len(r) >= 3 && strings.ContainsRune("一二两三四五六七八九十双", r[0])
}

// defines reports a sentence that says what t is: (以下简称T), T是指, 所称T,
// T包括, or a list with 、 that stands right before it.
func defines(fold string, t term) bool {
	i := strings.Index(fold, t.text)
	if i < 0 {
		return false
	}
	before, after := strings.TrimRight(fold[:i], `"(《`), strings.TrimLeft(fold[i+len(t.text):], `")》`)
	for _, w := range []string{"简称", "简称为", "所称", "称为", "统称"} {
		if strings.HasSuffix(before, w) {
			return true
		}
	}
	for _, w := range []string{"是指", ",是指", "指的是", "特指", "包括", ",包括", "即", "是以", "为以", ":", "分为", ",即", "由下列", "是围绕", "是通过", ",指"} {
		if strings.HasPrefix(after, w) {
			return true
		}
	}
	if cut := strings.LastIndexAny(before, ",。;"); cut >= 0 {
		before = before[cut+1:]
	}
	return strings.Contains(before, "、") && strings.HasSuffix(strings.TrimRight(fold[:i], "("), `"`) && numbered(t.text) || strings.Contains(before, "、") && numbered(t.text) && !strings.ContainsAny(before, ",。;") && strings.HasSuffix(before, `"`)
}
