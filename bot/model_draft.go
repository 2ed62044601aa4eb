package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// Receipt is how an answer came about when a model was asked.
type Receipt struct {
	Model      string    `json:"model"`
	Prompt     string    `json:"prompt"`     // SHA-256 of the prompt files
	Standalone string    `json:"standalone"` // the question with its earlier turns
	Evidence   []string  `json:"evidence"`   // IDs of the clauses given, in the order of their numbers
	Tools      []string  `json:"tools"`      // tools called
	Verdicts   []Verdict `json:"verdicts"`   // of the last draft
	Steps      int       `json:"steps"`
	TokensIn   int64     `json:"tokens_in"`
	TokensOut  int64     `json:"tokens_out"`
	Cost       float64   `json:"cost"`
	Outcome    string    `json:"outcome"` // Used, or why the built-in answer stands
}

// Used is the outcome of a receipt where the sentences that the model picked are used.
const Used = "used"

// Verdict is what became of one statement of a draft.
type Verdict struct {
	Text string `json:"text"`
	Why  string `json:"why,omitempty"` // "" when it stands
}

// Bounds of the exchange about one answer.
const (
	stepsMost   = 6
	callsMost   = 8     // tool calls of one step
	tokensMost  = 24000 // prompt and completion, all steps
	spare       = 300 * time.Millisecond
	historyMost = 600 // runes
	listMost    = 4   // clauses of a built-in answer that a model may add to
)

// errUnused says that nothing of a draft was used.
var errUnused = errors.New("the draft is not used")

// choose lets the model pick sentences, where the built-in answer is no refusal
// and quotes a few clauses that are in force. base is the draft of built, which
// stands whenever no sentence is picked, or not in time.
func (b *Bot) choose(ctx context.Context, c *corpus, q *question, base draft, built Answer) Answer {
	m := b.model
	if m == nil || built.Status != Answered || q.forms["inject"] || q.forms["fabricate"] || q.forms["offtopic"] || b.lex.orders(q.ask.Question) {
		return built
	}
	quoted := base.clauses()
	repealed := func(k *rag.Clause) bool { return !c.byID[k.Document].Meta.Repealed.IsZero() } // which is said with each quote
	within := slices.ContainsFunc(base.lines, func(l line) bool { return l.quote != nil && l.frame != "" })
	if len(quoted) == 0 || len(quoted) > listMost || within || slices.ContainsFunc(quoted, repealed) {
		return built
	}
	r := &Receipt{Model: m.Name, Prompt: m.prompts.tongue(q).hash, Standalone: q.standalone(), Evidence: []string{}, Tools: []string{}, Verdicts: []Verdict{}}
	built.Receipt = r
	if m.resting() {
		r.Outcome = "resting"
		return b.without(q, built)
	}
	limit := m.Timeout
	if end, ok := ctx.Deadline(); ok {
		limit = min(limit, time.Until(end)-spare)
	}
	if limit <= 0 {
		r.Outcome = "no time left"
		return b.without(q, built)
	}
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m.usage.answers.Add(1)
	e := &exchange{desk: &desk{b: b, c: c, q: q}, r: r, built: built, base: base, quoted: quoted, open: !b.settles(c, q, base)}
	a, err := e.hold(timed)
	r.Cost = m.cost(r.TokensIn, r.TokensOut)
	for _, k := range e.desk.evidence {
		r.Evidence = append(r.Evidence, k.ID)
	}
	if errors.Is(err, errUnused) {
		m.note(nil)
		r.Outcome = "not used: " + cmp.Or(e.why, "no draft")
		return built
	}
	if ctx.Err() == nil { // else the asker has gone
		m.note(err)
	}
	if err != nil {
		r.Outcome = err.Error()
		m.Logger.Warn("model did not answer", "model", m.Name, "error", err.Error())
		return b.without(q, built)
	}
	r.Outcome = Used
	return a
}

// without is the built-in answer with a note that the model was not there.
func (b *Bot) without(q *question, a Answer) Answer {
	a.Warnings = append(slices.Clone(a.Warnings), Warning{Kind: "model", Text: b.lex.say(q.english, "model_absent", nil)})
	return a
}

// clauses are those that the draft quotes, in order.
func (d draft) clauses() []*rag.Clause {
	var out []*rag.Clause
	for _, l := range d.lines {
		if l.quote != nil && !slices.Contains(out, l.quote.clause) {
			out = append(out, l.quote.clause)
		}
	}
	return out
}

// like is the cosine to the question of the best sentence that the draft quotes.
func (d draft) like(es []evidence) float64 {
	best := -1.0
	for _, e := range es {
		if d.touching(e) {
			best = max(best, e.dense)
		}
	}
	return best
}

// frames is what the program says itself in the draft.
func (d draft) frames() []string {
	out := slices.Clone(d.notes)
	for _, l := range d.lines {
		if l.quote == nil {
			out = append(out, l.frame)
		}
	}
	return out
}

// standalone is the question as it would be asked without the earlier turns.
func (q *question) standalone() string {
	if q.carried == nil {
		return q.ask.Question
	}
	return q.carried.ask.Question + " " + q.ask.Question
}

// condensed is what was said before, newest last, within historyMost runes,
// without what speaks to a machine.
func (q *question) condensed(x *Lexicon) string {
	var out []string
	left := historyMost
	for _, t := range slices.Backward(q.ask.History) {
		text, who := oneLine(t.Content), "用户"
		if x.orders(text) {
			continue
		}
		if t.Role == "assistant" {
			who = "答复"
		}
		r := []rune(markRE.ReplaceAllString(text, ""))
		r = r[:min(len(r), 160)]
		if left -= len(r); left < 0 {
			break
		}
		out = append(out, who+":"+string(r))
	}
	slices.Reverse(out)
	return strings.Join(out, "\n")
}

// exchange is the talk with a model about one answer.
type exchange struct {
	*desk
	r      *Receipt
	built  Answer
	base   draft // of built
	quoted []*rag.Clause
	open   bool    // the model may choose other clauses
	like   float64 // cosine to the question of the best sentence that base quotes
	why    string  // why nothing of the last draft is used
}

// hold asks, runs tools, verifies, asks once more, and puts together what
// stands.
func (e *exchange) hold(ctx context.Context) (Answer, error) {
	ms, err := e.opening(ctx)
	if err != nil {
		return Answer{}, err
	}
	m, retried := e.b.model, false
	var stood Answer // what verified of the first draft
	for e.r.Steps < stepsMost && e.r.TokensIn+e.r.TokensOut < tokensMost {
		offers := e.offers()
		if e.r.Steps == stepsMost-1 {
			offers = nil
		}
		said, err := m.talk(ctx, ms, offers)
		switch {
		case err != nil && stood.Text != "":
			return stood, nil
		case retried && errors.Is(err, ErrModelRejected): // longer than the model can read
			return Answer{}, errUnused
		case err != nil:
			return Answer{}, err
		}
		e.r.Steps++
		e.r.TokensIn += said.in
		e.r.TokensOut += said.out
		if len(said.calls) > callsMost {
			return Answer{}, fmt.Errorf("%w: %d tool calls at once", ErrModelBad, len(said.calls))
		}
		if len(said.calls) > 0 {
			ms = append(ms, assistant(said))
			for i, out := range e.runAll(ctx, said.calls) {
				e.r.Tools = append(e.r.Tools, clip(said.calls[i].name))
				ms = append(ms, result(said.calls[i], out))
			}
			continue
		}
		a, problems := e.assemble(ctx, said.text)
		if a.Text != "" {
			stood = a
		}
		if len(problems) == 0 || retried {
			break
		}
		retried = true
		t := m.prompts.tongue(e.q)
		ms = append(ms, assistant(reply{text: said.text}), user(fill(t.retry, fields{Problems: strings.Join(problems, "\n")})))
	}
	if stood.Text == "" {
		return Answer{}, errUnused
	}
	return stood, nil
}

func clip(s string) string { r := []rune(s); return string(r[:min(len(r), 40)]) }

// opening is what the model is told first: the rules, and the question with
// the clauses found, those of the built-in answer starred, ☆ where it may choose
// from others.
func (e *exchange) opening(ctx context.Context) ([]message, error) {
	m := e.b.model
	var lines []string
	star, given := "★", m.Given
	if e.open {
		star, given = "☆", 2*given
	}
	for _, k := range e.quoted {
		lines = append(lines, e.show(k, star))
	}
	docs := e.q.within
	if len(docs) == 0 {
		docs = ids(e.c.docs)
	}
	query := e.q.query()
	query.Documents, query.K = docs, given+len(e.quoted)
	ps, err := e.c.index.Search(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	for _, p := range ps {
		if len(lines) < given && !slices.Contains(e.evidence, p.Clause) {
			lines = append(lines, e.show(p.Clause, ""))
		}
	}
	t := m.prompts.tongue(e.q)
	return []message{system(t.system), user(fill(t.user, fields{History: e.q.condensed(e.b.lex), Results: e.b.lex.quiet(strings.Join(e.base.frames(), "\n")),
		Evidence: e.b.lex.quiet(strings.Join(lines, "\n")), Question: e.q.ask.Question}))}, nil
}

// assemble reads a draft and puts the sentences that it picks into the answer.
// The answer is empty where there are none; the problems say what failed.
func (e *exchange) assemble(ctx context.Context, text string) (Answer, []string) {
	var picks []evidence
	var figs []Figure
	var problems []string
	e.r.Verdicts = []Verdict{}
	e.why = "no sentence stands"
	said, clauses := statements(text), slices.Clone(e.quoted)
	for _, s := range said {
		marked, _ := e.marked(s)
		clauses = append(clauses, marked...)
	}
	slices.SortFunc(clauses, func(a, b *rag.Clause) int { return strings.Compare(a.ID, b.ID) })
	es, err := e.supplied(ctx, slices.Compact(clauses))
	if err != nil {
		return Answer{}, append(problems, "not compared")
	}
	e.like = e.base.like(es)
	for _, s := range said {
		found, fig, why := e.picks(s, es)
		e.r.Verdicts = append(e.r.Verdicts, Verdict{Text: s.text, Why: why})
		if why != "" {
			problems = append(problems, s.text+" —— "+why)
		}
		picks = append(picks, found...)
		figs = append(figs, fig...)
	}
	if !e.open && len(picks) > 0 { // what else it picks need not be said
		problems = nil
	}
	if len(picks)+len(figs) == 0 {
		return Answer{}, append(problems, e.why)
	}
	d := e.with(picks, figs)
	if err = e.b.flag(ctx, e.c, e.q, &d); err != nil {
		return Answer{}, append(problems, "not compared")
	}
	a := e.b.verified(e.c, e.q, d)
	if a.Status != Answered {
		e.why = "the answer does not verify"
		return Answer{}, append(problems, e.why)
	}
	a.Model, a.Receipt = e.b.model.Name, e.r
	return a, problems
}

// picks are the sentences that a statement copies from the clauses that it marks,
// or the result of query_kpi that it names.
func (e *exchange) picks(s statement, es []evidence) (found []evidence, figs []Figure, why string) {
	if m := figureRE.FindStringSubmatch(s.text); m != nil {
		i := slices.IndexFunc(e.figures, func(f Figure) bool { return f.Code == m[1] })
		if i < 0 || slices.ContainsFunc(e.base.figs, func(f Figure) bool { return f.Code == m[1] }) {
			return nil, nil, "no such result"
		}
		return nil, e.figures[i : i+1], ""
	}
	if len([]rune(s.text)) > statementMost {
		return nil, nil, "too long"
	}
	clauses, why := e.marked(s)
	if why != "" {
		return nil, nil, why
	}
	es = slices.DeleteFunc(slices.Clone(es), func(o evidence) bool { return !slices.Contains(clauses, o.clause) })
	r := []rune(s.text)
	for _, t := range zh.Sentences(s.text) {
		p, bad := pick(string(r[t.Start:t.End]), es)
		if bad == "" {
			bad = e.allowed(p)
		}
		if bad == "" {
			found = append(found, p)
		} else {
			why = bad
		}
	}
	return found, nil, why
}
