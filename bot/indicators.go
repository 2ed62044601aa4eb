package bot

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"zhengda/bot/kpi"
	"zhengda/internal/zh"
)

// kpiForms are the forms of questions about how targets stand, the ones that
// need actual values first.
var kpiForms = []string{"kpi_gap", "kpi_status", "kpi_when", "kpi_target"}

// Scores of a match, and rows of an answer.
const (
	matchLeast = .3
	matchReach = .15
	rowsMost   = 8
)

// indicators answers questions about targets and how they stand: the numbers
// come from the tool, the words from the clause.
func (b *Bot) indicators(ctx context.Context, c *corpus, q *question) (draft, bool, error) {
	if b.kpi == nil {
		return draft{}, false, nil
	}
	tool := b.kpi
	if !q.ask.Persona.Internal() {
		tool = tool.Public()
	}
	if q.forms["kpi_all"] {
		return b.overview(ctx, c, q, tool)
	}
	form := q.kpiForm()
	compares := q.forms["compare"] && !q.forms["mentions"]
	if form == "" && !compares || form == "kpi_target" && q.forms["confirm"] && len(q.figures) > 0 {
		return draft{}, false, nil
	}
	found, err := b.meant(ctx, c, q, tool)
	if err != nil || len(found) == 0 {
		return draft{}, false, err
	}
	if form == "kpi_target" && q.asksElse(found[0]) {
		return draft{}, false, nil
	}
	if compares && form != "kpi_gap" {
		d, ok := b.compareMentions(c, q, found[0])
		return d, ok, nil
	}
	if q.forms["kpi_breakdown"] || q.has("breakdown") || q.forms["breakoff"] || q.forms["again"] {
		return draft{}, false, nil
	}
	d, err := b.stand(ctx, c, q, tool, found, form)
	return d, len(d.lines) > 0 && err == nil, err
}

// tells reports that q may be told of an indicator: its document may be read.
func (c *corpus) tells(q *question, i kpi.Indicator) bool {
	s := c.byID[i.Document]
	return s == nil || q.mayRead(s)
}

// asksElse reports an attribute of the question that the target of the indicator
// is not: who is responsible, by which day, a rate of an amount.
func (q *question) asksElse(i kpi.Indicator) bool {
	words := zh.Squeeze(zh.Fold(i.Words))
	return slices.ContainsFunc(q.attrs, func(a *attribute) bool {
		return !a.units[i.Unit] && (len(a.units) > 0 || a.find != nil) && !a.in(words, i.Words)
	})
}

// kpiForm is the form of the question, or of the one before it when this one
// only goes on.
func (q *question) kpiForm() string {
	for _, f := range kpiForms {
		if q.forms[f] {
			return f
		}
	}
	if q.carried != nil && len(q.attrs) == 0 {
		return q.carried.kpiForm()
	}
	return ""
}

// namesForm reports that q itself, not the question before it, asks how a
// target stands.
func (q *question) namesForm() bool {
	return slices.ContainsFunc(kpiForms, func(f string) bool { return q.forms[f] })
}

// meant are the indicators that the question speaks of; of a question that
// goes on, those of the one before it when it names none.
func (b *Bot) meant(ctx context.Context, c *corpus, q *question, tool *kpi.Tool) ([]kpi.Indicator, error) {
	cat, err := tool.Catalog(ctx)
	if err != nil {
		return nil, fmt.Errorf("indicators: %w", err)
	}
	texts := []string{q.core + " " + q.englishText(b.lex)}
	if q.carried != nil && (q.own == 0 || q.namesForm()) {
		texts = append(texts, q.core+" "+q.carried.core, q.carried.core)
	}
	for _, t := range texts {
		var out []kpi.Indicator
		best := 0.0
		for _, m := range cat.Resolve(t) {
			best = max(best, m.Score)
			if m.Score >= matchLeast && m.Score >= best-matchReach && b.inPlace(c, q, m.Indicator) && c.tells(q, m.Indicator) {
				out = append(out, m.Indicator)
			}
		}
		if len(out) > 0 {
			return out[:min(len(out), rowsMost)], nil
		}
	}
	return nil, nil
}

// inPlace reports that the document of the indicator covers the places that
// the question names.
func (b *Bot) inPlace(c *corpus, q *question, i kpi.Indicator) bool {
	d := c.byID[i.Document]
	for _, p := range q.places {
		if d != nil && d.place != p && d.up != p && !strings.Contains(d.title, p) {
			return false
		}
	}
	return true
}

func (q *question) englishText(lex *Lexicon) string {
	if !q.english {
		return ""
	}
	return lex.translate(q.norm)
}

// stand says how indicators stand.
func (b *Bot) stand(ctx context.Context, c *corpus, q *question, tool *kpi.Tool, found []kpi.Indicator, form string) (draft, error) {
	d := draft{notes: b.fixNotes(q)}
	for _, i := range found {
		req := kpi.Request{Indicator: i.Code, AsOf: kpi.Date(q.ask.AsOf)}
		if len(q.years) > 0 {
			req.Period = q.years[0]
		}
		r, err := tool.Query(ctx, req)
		switch {
		case errors.Is(err, kpi.ErrPeriod): // another year's plan may set it, or none
			return draft{}, nil
		case err != nil:
			return draft{}, fmt.Errorf("indicator %s: %w", i.Code, err)
		}
		b.told(c, q, &d, r, form)
	}
	return d, nil
}

// told adds what is known about one indicator: figures, the clause that sets
// the target, and what contradicts it.
func (b *Bot) told(c *corpus, q *question, d *draft, r kpi.Result, form string) {
	i := r.Indicator
	d.figs = append(d.figs, FigureOf(r))
	a := FigureOf(r).args()
	key := ""
	switch {
	case form == "kpi_target":
	case r.Status == kpi.Withheld:
		key, d.state = "kpi_withheld", Refused
	case r.Status == kpi.NoActual:
		key = "kpi_noactual"
	case r.Status == kpi.Met && r.Over != "" && r.Over != "0":
		key = "kpi_over"
	case r.Status == kpi.Met:
		key = "kpi_met"
	case r.Gap == "0" || r.Needed != "" && r.Needed != r.Gap && r.Needed != "0":
		key = "kpi_strict"
	default:
		key = "kpi_short"
	}
	if key != "" {
		d.frame(b.lex.say(q.english, key, a))
	}
	if form == "kpi_when" && r.Monthly != "" && r.Monthly != "0" {
		d.frame(b.lex.say(q.english, "kpi_monthly", a))
	}
	d.setBy(c, q, i.ClauseID, i.Words, i.Name)
	for _, m := range i.Mentions {
		if m.Conflict {
			b.conflict(c, q, d, i, m)
			continue
		}
		d.setBy(c, q, m.ClauseID, m.Words, i.Name)
	}
	for _, w := range r.Warnings {
		if w.Kind != "contradiction" && w.Kind != "strict" {
			d.warns = append(d.warns, Warning{Kind: w.Kind, Text: w.Text, Clauses: w.Clauses})
		}
	}
}

// FigureOf is a result as channels show it.
func FigureOf(r kpi.Result) Figure {
	i := r.Indicator
	return Figure{Code: i.Code, Name: i.Name, Unit: i.Unit, Comparator: string(i.Comparator), Target: r.Target, Actual: r.Actual, AsOf: string(r.AsOf), Source: r.Source,
		Gap: r.Gap, Over: r.Over, Needed: r.Needed, Monthly: r.Monthly, Progress: r.Progress, Clause: i.Clause, Words: i.Phrase()}
}

// setBy quotes the part of a clause that sets a target.
func (d *draft) setBy(c *corpus, q *question, clauseID, words, name string) {
	if e, ok := c.locate(clauseID, words); ok {
		d.quote(c.label(e.clause), q.narrow(name).shows(e, setBudget))
	}
}

// setBudget is how much of the clause an answer about a figure quotes, in
// runes.
const setBudget = 110

// narrow is the question with name as its only topic.
func (q *question) narrow(name string) *question {
	n := *q
	n.terms = nil
	name = zh.Fold(name)
	r := []rune(name)
	for i := 0; i+2 <= len(r); i++ {
		n.terms = append(n.terms, term{text: string(r[i : i+2]), idf: 1})
	}
	return &n
}

// locate finds the words of a target in their clause.
func (c *corpus) locate(clauseID, words string) (evidence, bool) {
	k, ok := c.index.Clause(clauseID)
	if !ok {
		return evidence{}, false
	}
	i := strings.Index(k.Text, words)
	if i < 0 || words == "" {
		return evidence{}, false
	}
	start := len([]rune(k.Text[:i]))
	return evidence{clause: k, doc: c.byID[k.Document]}.at(zh.Span{Start: start, End: start + len([]rune(words))}), true
}

// conflict warns of a passage that gives another amount, with both quotes.
func (b *Bot) conflict(c *corpus, q *question, d *draft, i kpi.Indicator, m kpi.Mention) {
	one, ok1 := c.locate(i.ClauseID, i.Words)
	two, ok2 := c.locate(m.ClauseID, m.Words)
	if !ok1 || !ok2 {
		return
	}
	other := kpi.Format(m.Target) + m.Unit
	d.frame(b.lex.say(q.english, "conflict", args{"Name": i.Name, "QuoteA": kpi.Format(i.Target) + i.Unit, "QuoteB": other, "LabelA": c.label(one.clause), "LabelB": c.label(two.clause)}))
	text := d.lines[len(d.lines)-1].frame
	d.warns = append(d.warns, Warning{Kind: "contradiction", Text: text, Clauses: []int{one.clause.Number, two.clause.Number}})
	about := q.narrow(i.Name)
	about.terms = append(about.terms, term{text: zh.Fold(other), idf: 5})
	d.quote(c.label(two.clause), about.shows(two, setBudget/2))
}

// flag warns of a passage in the answer whose amount contradicts a target, and
// says so where the question is about that target.
func (b *Bot) flag(ctx context.Context, c *corpus, q *question, d *draft) error {
	if b.kpi == nil || len(d.warns) > 0 || len(d.figs) > 0 {
		return nil
	}
	cat, err := b.kpi.Public().Catalog(ctx)
	if err != nil {
		return fmt.Errorf("indicators: %w", err)
	}
	meant, err := b.meant(ctx, c, q, b.kpi.Public())
	if err != nil {
		return err
	}
	for _, i := range cat.All() {
		for _, m := range i.Conflicts() {
			if !d.touches(m) {
				continue
			}
			set, ok := c.locate(i.ClauseID, i.Words)
			if !ok {
				continue
			}
			var own draft
			own.quote(c.label(set.clause), q.narrow(i.Name).shows(set, setBudget/2))
			b.conflict(c, q, &own, i, m)
			d.warns = append(d.warns, own.warns...)
			if len(own.lines) > 2 && d.state != Refused && slices.ContainsFunc(meant, func(o kpi.Indicator) bool { return o.Code == i.Code }) {
				d.lines = append(d.lines, own.lines[1])
				if set := own.lines[0]; !slices.ContainsFunc(d.lines, func(l line) bool { return l.quote != nil && *l.quote == *set.quote }) {
					d.lines = append(d.lines, set)
				}
				d.figs = append(d.figs, FigureOf(kpi.Result{Indicator: i, Target: kpi.Format(i.Target)}))
			}
		}
	}
	return nil
}

// touches reports that the draft shows the amount that m gives.
func (d *draft) touches(m kpi.Mention) bool {
	amount := kpi.Format(m.Target) + m.Unit
	return slices.ContainsFunc(d.lines, func(l line) bool {
		return l.quote != nil && l.quote.clause.ID == m.ClauseID && strings.Contains(zh.Squeeze(l.quote.shown), amount)
	})
}

// compareMentions answers whether the passages on an indicator agree.
func (b *Bot) compareMentions(c *corpus, q *question, i kpi.Indicator) (draft, bool) {
	if len(i.Mentions) == 0 {
		return draft{}, false
	}
	d := draft{figs: []Figure{FigureOf(kpi.Result{Indicator: i, Target: kpi.Format(i.Target)})}}
	differ := len(i.Conflicts()) > 0
	value := kpi.Format(i.Target) + i.Unit
	if differ {
		d.frame(b.lex.say(q.english, "differ", nil))
	} else {
		d.frame(b.lex.say(q.english, "same", args{"Value": value}))
	}
	d.setBy(c, q, i.ClauseID, i.Words, i.Name)
	for _, m := range i.Mentions {
		if m.Conflict {
			b.conflict(c, q, &d, i, m)
			continue
		}
		d.setBy(c, q, m.ClauseID, m.Words, i.Name)
	}
	if !differ {
		d.frame(b.lex.say(q.english, "wording", nil))
	}
	return d, true
}

// overview lists many indicators: all, those behind, the best and the worst,
// or those of a clause.
func (b *Bot) overview(ctx context.Context, c *corpus, q *question, tool *kpi.Tool) (draft, bool, error) {
	period := 0
	if len(q.years) > 0 {
		period = q.years[0]
	}
	rs, err := tool.List(ctx, period, kpi.Date(q.ask.AsOf))
	if errors.Is(err, kpi.ErrPeriod) || err == nil && len(rs) == 0 && period != 0 {
		return b.refuse(q, "noyear", args{"Year": period, "Have": b.haveYears(c, q)}), true, nil
	}
	if err != nil || len(rs) == 0 {
		return draft{}, false, err
	}
	rs = slices.DeleteFunc(slices.Clone(rs), func(r kpi.Result) bool { return !c.tells(q, r.Indicator) })
	if len(rs) == 0 {
		return draft{}, false, nil
	}
	rs = b.selected(q, rs)
	d := draft{notes: b.fixNotes(q)}
	if !q.ask.Persona.Internal() {
		rs = slices.Clone(rs)
		d.state = Refused
		d.frame(b.lex.say(q.english, "kpi_private", nil))
	}
	shown := rs[:min(len(rs), rowsMost)]
	d.frame(b.lex.say(q.english, "kpi_count", args{"Total": strconv.Itoa(len(rs)), "Shown": strconv.Itoa(len(shown))}))
	for _, r := range shown {
		d.figs = append(d.figs, FigureOf(r))
		key := "kpi_row"
		if r.Actual == "" {
			key = "kpi_rowtarget"
		}
		d.frame(b.lex.say(q.english, key, FigureOf(r).args()))
	}
	for _, r := range rs[len(shown):] {
		d.figs = append(d.figs, FigureOf(r))
	}
	return d, true, nil
}

// selected are the results that the question asks for, in its order.
func (b *Bot) selected(q *question, rs []kpi.Result) []kpi.Result {
	if len(q.refs) > 0 {
		rs = slices.DeleteFunc(slices.Clone(rs), func(r kpi.Result) bool {
			return !slices.ContainsFunc(q.refs, func(f ref) bool { return !f.chapter && slices.Contains(r.Indicator.Clauses(), f.n) })
		})
	}
	switch {
	case q.forms["kpi_behind"]:
		return kpi.Behind(rs)
	case q.forms["kpi_rank"]:
		return kpi.Rank(rs, q.forms["kpi_worst"])
	}
	return slices.SortedStableFunc(slices.Values(rs), func(x, y kpi.Result) int { // those with actual values first
		return strings.Compare(noActual(x), noActual(y))
	})
}

func noActual(r kpi.Result) string {
	if r.Actual == "" {
		return "1"
	}
	return "0"
}
