package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// Runes that an answer shows: of one statement, of a list, and of all
// statements together.
const (
	shortBudget = 230
	listBudget  = 480
	wholeBudget = 260
)

// compose drafts the answer to q from sentences of the corpus.
func (b *Bot) compose(ctx context.Context, c *corpus, q *question) (draft, error) {
	if d, ok := b.outside(c, q); ok {
		return d, nil
	}
	if d, ok, err := b.indicators(ctx, c, q); ok || err != nil {
		return d, err
	}
	s, err := b.unhint(ctx, c, q, b.scope(c, q))
	if err != nil {
		return draft{}, err
	}
	q.within = s.docs
	c.weigh(q, s)
	if d, ok := b.structure(c, q, s); ok {
		return d, nil
	}
	if d, ok := b.wholeClause(c, q, s); ok {
		return d, nil
	}
	for _, whole := range []func(*corpus, *question, scope) (draft, bool){b.about, b.glossary} {
		if d, ok := whole(c, q, s); ok {
			return d, nil
		}
	}
	if d, ok, err := b.perClause(ctx, c, q, s); ok || err != nil {
		return d, err
	}
	if d, ok, err := b.perPart(ctx, c, q, s); ok || err != nil {
		return d, err
	}
	if d, ok, err := b.missing(ctx, c, q, s); ok || err != nil {
		return d, err
	}
	for _, special := range []func(*corpus, *question, scope) (draft, bool){b.mentionList, b.figureList, b.elsewhere, b.suspect, b.code, b.definition} {
		if d, ok := special(c, q, s); ok {
			return d, nil
		}
	}
	if len(s.groups) > 1 {
		return b.perGroup(ctx, c, q, s)
	}
	es, err := b.gather(ctx, c, q, s.docs)
	if err != nil {
		return draft{}, err
	}
	if len(es) == 0 {
		return b.refuse(q, "nothing", nil), nil
	}
	if y := q.otherYear(c, es[0]); y != 0 {
		return b.refuse(q, "noyear", args{"Year": y, "Have": b.haveYears(c, q)}), nil
	}
	if d, ok := b.lacking(c, q, es); ok {
		return d, nil
	}
	if d, ok := b.premise(c, q, es); ok {
		return d, nil
	}
	if subs := b.asks(q); len(subs) > 1 {
		return b.perQuestion(ctx, c, q, s, es, subs)
	}
	var d draft
	switch total, ok := b.total(c, q, es); {
	case q.forms["yesno"]:
		d = b.yesNo(c, q, es)
	case ok:
		return total, nil
	default:
		d = b.plain(c, q, es)
	}
	d.loose = true
	return d, nil
}

// otherYear is a year that q asks for and that neither the clause nor its
// document is about; 0 when one of the years fits.
func (q *question) otherYear(c *corpus, e evidence) int {
	for _, y := range q.years {
		if e.doc.year == y || e.doc.Meta.Issued.Year() == y || strings.Contains(c.folded(e.clause), yearText(y)) {
			return 0
		}
		if e.doc.year == 0 && (c.contains(yearText(y), []string{e.doc.ID}) || c.contains("["+strconv.Itoa(y)+"]", []string{e.doc.ID}) || strings.Contains(e.doc.number, strconv.Itoa(y)) || c.contains("〔"+strconv.Itoa(y), []string{e.doc.ID})) {
			return 0
		}
	}
	if len(q.years) == 0 {
		return 0
	}
	return q.years[0]
}

// plain answers with the sentences that say it.
func (b *Bot) plain(c *corpus, q *question, es []evidence) draft {
	d := draft{notes: b.fixNotes(q)}
	if len(q.refs) == 1 && (q.forms["list"] || q.forms["wholelist"]) {
		if k := es[0].clause; len([]rune(k.Text)) <= wholeBudget && es[0].clause == k {
			b.wholeText(c, &d, k)
			return d
		}
	}
	if list := q.underHeading(es[0]); list != nil {
		for _, e := range list {
			b.tell(c, &d, (&question{}).shows(e, max(40, listBudget/len(list)))) // from its beginning
		}
		return d
	}
	picked := b.pick(q, es)
	for _, e := range picked {
		b.add(c, q, &d, e)
	}
	if len(picked) == 1 {
		b.complete(c, q, &d, picked[0], es)
	}
	b.addOthers(c, q, &d, picked, es)
	for _, e := range c.unsaid(q, picked, es) {
		b.add(c, q, &d, e)
	}
	return d.cut()
}

// unsaid are the best sentences with what q quotes and none of the sentences
// picked says: where it quotes several things, each is asked about.
func (c *corpus) unsaid(q *question, picked, es []evidence) []evidence {
	if len(q.quoted) < 2 || len(q.quoted) > quotedMost {
		return nil
	}
	var out []evidence
	for _, w := range q.quoted {
		t := term{text: zh.Squeeze(w), named: true}
		if slices.ContainsFunc(picked, func(e evidence) bool { return t.in(e.fold) }) {
			continue
		}
		if i := slices.IndexFunc(es, func(e evidence) bool { return t.in(e.fold) && !e.isTitle() }); i >= 0 {
			out = append(out, es[i])
		} else if all := c.sentencesWith(t, ids([]*source{es[0].doc})); len(all) > 0 {
			out = append(out, all[0])
		}
	}
	return out
}

const quotedMost = 5 // things quoted that are each answered

// addOthers quotes the best sentences of further clauses where the words of
// the question do not settle which clause is meant: those that score nearly as
// well, as far as the answer stays short.
func (b *Bot) addOthers(c *corpus, q *question, d *draft, picked, es []evidence) {
	for _, p := range picked {
		if p.clause != es[0].clause || q.share(p.fold) >= settled || opens(p.text) {
			return
		}
	}
	room := othersBudget
	for _, l := range d.lines {
		room -= l.runes()
	}
	seen := map[*rag.Clause]bool{es[0].clause: true}
	for _, e := range es {
		if e.score < es[0].score-secondReach || len(seen) > othersMost {
			return
		}
		if seen[e.clause] || e.isTitle() || e.isRemark() || opens(e.text) {
			continue
		}
		full := b.extend(q, e)
		if room -= min(full.end-full.start, shortBudget) + len([]rune(c.label(e.clause))); room < 0 {
			return
		}
		seen[e.clause] = true
		b.add(c, q, d, e)
	}
}

// fixNotes say which words were read as which.
func (b *Bot) fixNotes(q *question) []string {
	var out []string
	for _, f := range q.fixes {
		out = append(out, b.lex.say(q.english, "fixed", args{"From": f.from, "To": f.to}))
	}
	return out
}

// pick chooses the sentence that answers and those that a question with
// several parts needs beside it.
func (b *Bot) pick(q *question, es []evidence) []evidence {
	out := []evidence{q.first(es)}
	covered := func(t term) bool {
		return slices.ContainsFunc(out, func(e evidence) bool { return t.in(e.fold) })
	}
	parts := b.lex.statements(q.core)
	for len(out) < parts {
		best, gain := -1, 0.0
		for i, e := range es {
			if slices.ContainsFunc(out, func(o evidence) bool { return o.clause == e.clause && o.start == e.start }) || e.score < es[0].score-partReach {
				continue
			}
			g := 0.0
			for _, t := range q.terms {
				if !covered(t) && t.in(e.fold) {
					g += t.weight()
				}
			}
			if g > gain+1e-9 {
				best, gain = i, g
			}
		}
		if best < 0 {
			break
		}
		out = append(out, es[best])
	}
	if len(out) < 2 {
		out = append(out, q.neighbours(out[0], es)...)
	}
	return out
}

// first is the best sentence; where the list is asked for whose item it is,
// the sentence that opens the list, if that is nearly as good.
func (q *question) first(es []evidence) evidence {
	if lead, ok := opening(es[0]); ok && q.asksList() {
		for _, e := range es {
			if e.clause == lead.clause && e.start == lead.start && e.score > es[0].score-neighbourReach {
				return e
			}
		}
	}
	for _, e := range es {
		if e.clause == es[0].clause && q.rather(e, es[0]) {
			return e
		}
	}
	return es[0]
}

// rather reports that of two telephone numbers q means that of a: it says a word
// of the line of a, and none that only the other line has; 电话 does not count.
func (q *question) rather(a, b evidence) bool {
	if !q.has("phone") || !phoneRE.MatchString(a.text) {
		return false
	}
	about := question{core: q.core}
	for _, at := range q.attrs {
		about.core = at.ask.ReplaceAllString(about.core, " ")
	}
	return about.only(a.fold, b.fold) && !about.only(b.fold, a.fold)
}

// Reach, in points of evidence.score, of a further part and of a further
// sentence of the same clause.
const (
	partReach      = 3.5
	neighbourReach = 1.0
	secondReach    = 1.8
	paragraphMost  = 140 // runes of a paragraph that is quoted whole
	othersMost     = 2
	othersBudget   = 290 // runes of the whole answer
	settled        = .3  // share of the question's terms in a sentence that settles which clause is meant
)

// statements is how many of them a question asks for at most.
func (x *Lexicon) statements(asked string) int {
	n := 1
	if strings.Count(asked, "?")+strings.Count(asked, "？") > 1 {
		n = 2
	}
	asked = x.forms["uncouple"].ReplaceAllString(asked, "")
	for _, w := range []string{"分别", "各", "以及", "同时", "两者", "和", "、", "与"} {
		if strings.Contains(asked, w) {
			n = max(n, 2)
		}
	}
	if strings.Contains(asked, "分别") || strings.Contains(asked, "、") {
		n = 3
	}
	return n
}

// neighbours are further sentences of the same clause that score nearly as
// well, unless a word of the question settles that the first is meant.
func (q *question) neighbours(first evidence, es []evidence) []evidence {
	for _, e := range es {
		if q.rather(first, e) {
			continue
		}
		if e.clause == first.clause && e.start != first.start && e.score > first.score-neighbourReach {
			return []evidence{e}
		}
	}
	return nil
}
