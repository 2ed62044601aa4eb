package bot

import (
	"strings"

	"zhengda/internal/zh"
)

// total adds up the figures of one unit that a question about their sum means:
// one from each of the best sentences.
func (b *Bot) total(c *corpus, q *question, es []evidence) (draft, bool) {
	if !q.forms["sum"] {
		return draft{}, false
	}
	var of []evidence
	var figures []zh.Quantity
	for _, e := range es {
		if e.score < es[0].score-partReach || len(of) == 2 {
			break
		}
		for _, f := range zh.Quantities(e.text) {
			if f.Unit == "" || f.Date || f.Ordinal || len(figures) > 0 && f.Unit != figures[0].Unit {
				continue
			}
			of, figures = append(of, e), append(figures, f)
			break
		}
	}
	if len(of) < 2 {
		return draft{}, false
	}
	sum := figures[0].Value
	terms := make([]string, len(figures))
	for i, f := range figures {
		terms[i] = string([]rune(of[i].text)[f.Start:f.End])
		if i > 0 {
			sum = sum.Add(f.Value)
		}
	}
	var d draft
	d.frame(b.lex.say(q.english, "sum", args{"Sum": sum.String() + figures[0].Unit, "Terms": strings.Join(terms, "+")}))
	for _, e := range of {
		d.quote(c.label(e.clause), q.shows(e, shortBudget))
	}
	return d, true
}
