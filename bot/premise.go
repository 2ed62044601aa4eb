package bot

import (
	"slices"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// premise corrects a figure or a wording that the question takes for granted
// and the documents do not have.
func (b *Bot) premise(c *corpus, q *question, es []evidence) (draft, bool) {
	states := !strings.ContainsAny(q.core, "?？") && !q.forms["asks"]
	quotes := (q.forms["whole"] || states) && len(q.refs) > 0
	if !q.forms["confirm"] && !q.forms["inject"] && !quotes {
		return draft{}, false
	}
	top := onTopic(q, es)
	if one, other, ok := q.swapped(top); ok && q.forms["confirm"] {
		return b.apartFigures(c, q, "no", one, other), true
	}
	figures := q.figures
	if !q.forms["confirm"] && !q.forms["inject"] {
		figures = q.claimed()
	}
	for _, f := range figures {
		near := top
		if _, ok := sameUnit(top[:1], f); ok {
			near = top[:1]
		}
		if slices.ContainsFunc(near, func(e evidence) bool { return hasFigure(e.text, f) }) {
			continue
		}
		if e, ok := c.figureElsewhere(q, es[0], f); ok && len(q.figures) > 1 {
			return b.apartFigures(c, q, "partly", es[0], e), true
		}
		asked := string([]rune(q.figureText())[f.Start:f.End])
		if e, ok := sameUnit(near, f); ok && !q.forms["inject"] {
			d := draft{notes: b.fixNotes(q)}
			d.frame(b.lex.say(q.english, "nofigure", args{"Asked": asked}))
			b.add(c, q, &d, e)
			return d, true
		}
		d := b.refuse(q, "nopremise", args{"Asked": asked})
		b.nearest(c, q, &d, es[0])
		return d, true
	}
	return draft{}, false
}

// apartFigures shows two sentences, each with a figure that the question puts
// together or takes for the other.
func (b *Bot) apartFigures(c *corpus, q *question, verdict string, one, other evidence) draft {
	d := draft{notes: b.fixNotes(q)}
	d.frame(b.lex.say(q.english, verdict, args{}))
	b.add(c, q, &d, one)
	b.add(c, q, &d, other)
	return d
}

// claims reports a figure that the question says of a clause and none of the
// clauses has.
func (q *question) claims(ks []*rag.Clause) bool {
	return slices.ContainsFunc(q.claimed(), func(f zh.Quantity) bool {
		return !slices.ContainsFunc(ks, func(k *rag.Clause) bool { return hasFigure(k.Text, f) })
	})
}

// claimed are the figures that the question says of the clause it names: those
// behind its number.
func (q *question) claimed() []zh.Quantity {
	at := refRE.FindStringIndex(q.figureText())
	if at == nil {
		return nil
	}
	from := len([]rune(q.figureText()[:at[1]]))
	return slices.DeleteFunc(slices.Clone(q.figures), func(f zh.Quantity) bool { return f.Unit == "" || f.Start < from })
}

// figureElsewhere is the sentence of another clause of e's document that has
// the figure and what the question says before it.
func (c *corpus) figureElsewhere(q *question, e evidence, f zh.Quantity) (evidence, bool) {
	for _, k := range c.clausesOf([]string{e.doc.ID}) {
		whole := evidence{clause: k, doc: e.doc}
		for _, s := range sentencesOf(whole) {
			if o := whole.at(s); k != e.clause && hasFigure(o.text, f) && q.share(o.fold) > 0 {
				return o, true
			}
		}
	}
	return evidence{}, false
}

// swapped finds a figure that the question gives to one thing and the sentences
// to another, and the sentence with the figure of the first.
func (q *question) swapped(es []evidence) (one, other evidence, ok bool) {
	asked := evidence{text: strings.ReplaceAll(q.figureText(), "、", ",")}
	for _, f := range q.figures {
		about := subject(asked, f)
		holds := slices.IndexFunc(es, func(e evidence) bool { return hasFigure(e.text, f) })
		if holds < 0 || !shares(about, about) || slices.ContainsFunc(es, func(e evidence) bool {
			return slices.ContainsFunc(zh.Quantities(e.text), func(o zh.Quantity) bool { return o.Same(f) && shares(about, subject(e, o)) })
		}) {
			continue
		}
		for _, e := range es {
			if slices.ContainsFunc(zh.Quantities(e.text), func(o zh.Quantity) bool {
				return !o.Ordinal && !o.Date && !o.Same(f) && o.Value.Equal(f.Value) && shares(about, subject(e, o))
			}) {
				return es[holds], e, true
			}
		}
	}
	return evidence{}, evidence{}, false
}

// figureText is what the offsets of q.figures count in.
func (q *question) figureText() string { return numberRE.ReplaceAllString(q.core, "") }

// sameUnit is the first sentence with a figure of the unit of f.
func sameUnit(es []evidence, f zh.Quantity) (evidence, bool) {
	for _, e := range es {
		if f.Unit != "" && slices.ContainsFunc(zh.Quantities(e.text), func(g zh.Quantity) bool { return g.Unit == f.Unit && !g.Date }) {
			return e, true
		}
	}
	return evidence{}, false
}

// nearest adds the nearest clause to a refusal.
func (b *Bot) nearest(c *corpus, q *question, d *draft, e evidence) {
	frame := b.lex.say(q.english, "nearest", args{"Label": c.label(e.clause), "Text": "\x00", "Mark": ""})
	s := q.shows(e, shortBudget/2)
	d.lines = append(d.lines, line{frame: frame, quote: &s})
}

func hasFigure(text string, f zh.Quantity) bool {
	for _, g := range zh.Quantities(text) {
		if g.Value.Equal(f.Value) && (g.Unit == f.Unit || f.Unit == "" || f.Unit == "个") {
			return true
		}
	}
	return false
}
