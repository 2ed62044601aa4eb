package eval

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"zhengda/bot"
	"zhengda/rag"
)

// Paper is the one document that gold_clauses count in.
type Paper struct {
	Title string
	Texts map[int][]string // by clause: the texts that a quote may come from
}

// PaperOf makes a Paper of a document. Its title and headings are unnumbered
// text.
func PaperOf(d *rag.Document) Paper {
	heads := []string{d.Title}
	for _, c := range d.Chapters {
		heads = append(heads, c.Label+"、"+c.Title)
	}
	p := Paper{d.Title, map[int][]string{0: slices.Clone(heads), -1: heads}}
	for _, c := range d.Clauses {
		n, text := c.Number, fmt.Sprintf("%d.%s", c.Number, c.Text)
		if n <= 0 {
			n, text = unnumbered(c.Label), c.Text
		}
		p.Texts[n] = append(p.Texts[n], text)
	}
	return p
}

// unnumbered is the number of a paragraph before the first clause.
func unnumbered(label string) int {
	if strings.Contains(label, "目标") {
		return 0
	}
	return -1
}

// foreign stands for any clause of another document.
const foreign = -2

// clause is the number of the clause that a citation means.
func (p Paper) clause(c bot.Citation) int {
	title, doc := fold(p.Title, false), fold(c.Document, false)
	switch {
	case doc != "" && !strings.Contains(doc, title) && !strings.Contains(title, doc):
		return foreign
	case c.Clause > 0:
		return c.Clause
	}
	return unnumbered(c.Label)
}

// quotes reports whether the quote of a citation stands in the clause it
// names.
func (p Paper) quotes(c bot.Citation) bool {
	q := squeeze(c.Quote)
	return q != "" && slices.ContainsFunc(p.Texts[p.clause(c)], func(t string) bool { return strings.Contains(squeeze(t), q) })
}

// Corpus is what answers are judged against: Paper for cases with clause
// numbers, Sources, the texts of all documents, for cases with gold texts.
type Corpus struct {
	Paper   Paper
	Sources []string
}

// Verdict is how one answer does.
type Verdict struct {
	ID, Type string
	Refuse   bool // the case wants a refusal
	// Text, RefusedRight, Quotes and Concise are the parts of OK.
	OK, Text, RefusedRight, Quotes, Concise bool
	// Scored says that the case has clauses to cite; Recall and Precision are
	// the shares of those cited and of those cited that are right.
	Scored            bool
	Recall, Precision float64
	Length            int
	Why               []string // what is wrong
}

// Limits of Length.
const (
	shortAnswer = 300
	longAnswer  = 600
)

// Judge judges the reply to a case; a nil reply is none.
func (k *Corpus) Judge(c Case, r *Reply) Verdict {
	v := Verdict{ID: c.ID, Type: c.Type, Refuse: c.Refuse}
	v.Scored = !c.Refuse && len(c.Clauses) > 0
	if c.Gold != nil {
		v.Scored = !c.Refuse && len(c.Gold) > 0 && c.Type != "structure"
	}
	switch {
	case r == nil:
		v.Why = []string{"no answer"}
		return v
	case r.Error != "":
		v.Why = []string{"error: " + r.Error}
		return v
	}
	v.text(c, r.Text)
	v.RefusedRight = (r.Status == bot.Refused) == c.Refuse
	if !v.RefusedRight {
		v.blame("refused is %t, want %t", r.Status == bot.Refused, c.Refuse)
	}
	if c.Gold != nil {
		k.citeTexts(&v, c, r.Citations)
	} else {
		k.citeClauses(&v, c, r.Citations)
	}
	v.Length = Length(r.Text)
	limit := longAnswer
	if slices.Contains([]string{"lookup", "numeric", "yes-no"}, c.Type) || c.Gold == nil && strings.HasPrefix(c.Type, "kpi-") {
		limit = shortAnswer
	}
	if v.Concise = v.Length <= limit; !v.Concise {
		v.blame("%d characters, limit %d", v.Length, limit)
	}
	v.OK = v.Text && v.RefusedRight && v.Quotes && v.Concise && (!v.Scored || v.Recall > 0)
	return v
}

func (v *Verdict) blame(format string, values ...any) {
	v.Why = append(v.Why, fmt.Sprintf(format, values...))
}

// text judges what the answer must and must not say.
func (v *Verdict) text(c Case, answer string) {
	v.Text = true
	answer = plain(answer)
	for _, p := range c.Include {
		if !Hit(p, answer) {
			v.Text = false
			v.blame("text lacks %s", p)
		}
	}
	for _, p := range c.Exclude {
		if Hit(p, answer) {
			v.Text = false
			v.blame("text must not have %s", p)
		}
	}
}

// citeClauses judges citations by clause number.
func (k *Corpus) citeClauses(v *Verdict, c Case, list []bot.Citation) {
	v.Quotes = true
	cited := make(map[int]bool)
	for _, x := range list {
		cited[k.Paper.clause(x)] = true
		if !k.Paper.quotes(x) {
			v.Quotes = false
			v.blame("not verbatim: %s %s", x.Label, x.Quote)
		}
	}
	if !v.Scored {
		return
	}
	gold := make(map[int]bool)
	for _, n := range c.Clauses {
		gold[n] = true
	}
	right := 0
	for n := range gold {
		if cited[n] {
			right++
		}
	}
	v.shares(right, len(gold), right, len(cited))
}

// citeTexts judges citations by their quotes: one is right when it stands in a
// gold clause, or holds a whole one and is at most three times as long.
func (k *Corpus) citeTexts(v *Verdict, c Case, list []bot.Citation) {
	v.Quotes = true
	var quotes, gold []string
	for _, x := range list {
		q := squeeze(x.Quote)
		quotes = append(quotes, q)
		if q == "" || !slices.ContainsFunc(k.Sources, func(s string) bool { return strings.Contains(s, q) }) {
			v.Quotes = false
			v.blame("not verbatim: %s", x.Quote)
		}
	}
	if !v.Scored {
		return
	}
	for _, g := range c.Gold {
		gold = append(gold, squeeze(g.Text))
	}
	found, right := 0, 0
	for _, g := range gold {
		if slices.ContainsFunc(quotes, func(q string) bool { return rightQuote(q, g) }) {
			found++
		}
	}
	for _, q := range quotes {
		if slices.ContainsFunc(gold, func(g string) bool { return rightQuote(q, g) }) {
			right++
		}
	}
	v.shares(found, len(gold), right, len(quotes))
}

func rightQuote(quote, gold string) bool {
	n := utf8.RuneCountInString(quote)
	return n >= 4 && (strings.Contains(gold, quote) ||
		strings.Contains(quote, gold) && n <= 3*utf8.RuneCountInString(gold))
}

// shares sets recall and precision.
func (v *Verdict) shares(found, gold, right, cited int) {
	v.Recall = float64(found) / float64(gold)
	if cited > 0 {
		v.Precision = float64(right) / float64(cited)
	}
	if found == 0 {
		v.blame("cites no clause that answers")
	}
}

// AddSource adds the text of a document to Sources.
func (k *Corpus) AddSource(text string) { k.Sources = append(k.Sources, squeeze(text)) }
