package bot

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

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

// Used is the outcome of a receipt whose answer the model worded.
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
	longMost    = 200 // runes of an answer, or a fifth more than the built-in one
	listMost    = 4   // clauses of a built-in answer that a model may reword
)

// whichRE is what a reason names, so that reasons can be counted.
var whichRE = regexp.MustCompile(`“.*”|\[\d+\]`)

// errUnused says that a draft did not answer.
var errUnused = errors.New("the draft does not answer")

// reword lets the model say the answer, where there is one and the answer is
// more than a refusal, a list or the make-up of a document. What the program
// has found out itself (verdicts, counts, figures) stays as it is; the quotes
// are reworded. The built-in answer stands whenever the draft does not
// verify, leaves something out, or does not come in time.
func (b *Bot) reword(ctx context.Context, c *corpus, q *question, built Answer) Answer {
	m := b.model
	if m == nil || built.Status != Answered || q.forms["inject"] || q.forms["fabricate"] || q.forms["offtopic"] {
		return built
	}
	kept, quoted := b.parts(c, q, built)
	repealed := func(k *rag.Clause) bool { return !c.byID[k.Document].Meta.Repealed.IsZero() } // which is said with each quote
	if len(quoted) == 0 || len(quoted) > listMost || slices.ContainsFunc(quoted, repealed) || slices.ContainsFunc(kept, func(l string) bool { return markRE.MatchString(l) }) {
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
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m.usage.answers.Add(1)
	e := &exchange{desk: &desk{b: b, c: c, q: q}, judge: &judge{b, c, m.prompts, q}, r: r, built: built, kept: kept, quoted: quoted, open: b.unsettled(q, built, kept)}
	a, err := e.hold(within)
	r.Cost = m.cost(r.TokensIn, r.TokensOut)
	for _, k := range e.desk.evidence {
		r.Evidence = append(r.Evidence, k.ID)
	}
	if errors.Is(err, errUnused) {
		m.note(nil)
		r.Outcome = "not used: " + cmp.Or(whichRE.ReplaceAllString(e.why, ellipsis), "no draft")
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

// parts separates what the program says itself from the clauses that it
// quotes.
func (b *Bot) parts(c *corpus, q *question, a Answer) (kept []string, quoted []*rag.Clause) {
	k := &check{b: b, c: c, a: &a, said: ""}
	for l := range strings.SplitSeq(a.Text, "\n") {
		if k.quotation(l, map[int]bool{}) != "" {
			kept = append(kept, l)
		}
	}
	for _, cit := range a.Citations {
		if cl, ok := c.index.Clause(cit.ClauseID); ok && !slices.Contains(quoted, cl) {
			quoted = append(quoted, cl)
		}
	}
	return kept, quoted
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
func (q *question) condensed(p *prompts) string {
	var out []string
	left := historyMost
	for _, t := range slices.Backward(q.ask.History) {
		text, who := oneLine(t.Content), "用户"
		if p.ordered(text) {
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
	judge  *judge
	r      *Receipt
	built  Answer
	kept   []string
	quoted []*rag.Clause
	open   bool   // the model may choose other clauses
	why    string // the last draft as a whole does not answer
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
// others.
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
	docs := e.b.scope(e.c, e.q).docs
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
	return []message{system(t.system), user(fill(t.user, fields{History: e.q.condensed(m.prompts), Results: m.prompts.quiet(strings.Join(e.kept, "\n")),
		Evidence: m.prompts.quiet(strings.Join(lines, "\n")), Question: e.q.ask.Question}))}, nil
}

// assemble verifies a draft and puts what stands together with what the
// program says itself. The answer is empty when that does not answer; the
// problems say what failed.
func (e *exchange) assemble(ctx context.Context, text string) (Answer, []string) {
	a := e.built
	a.Citations, a.Model = []Citation{}, e.b.model.Name
	a.Figures = slices.Clone(a.Figures)
	out := slices.Clone(e.kept)
	var problems []string
	e.r.Verdicts = []Verdict{}
	for _, s := range statements(text) {
		line, why := e.line(&a, s)
		e.r.Verdicts = append(e.r.Verdicts, Verdict{Text: s.text, Why: why})
		switch {
		case why != "":
			problems = append(problems, s.text+" —— "+why)
		case !slices.Contains(out, line):
			out = append(out, line)
		}
	}
	a.Text = strings.Join(out, "\n")
	a.Followups = e.b.next(e.c, e.q, a)
	if e.why = e.unfit(ctx, a); e.why != "" {
		return Answer{}, append(problems, e.why)
	}
	return a, problems
}

// line is a statement as it is shown, a sentence a line with the markers of its
// citations and where it stands, or a figure's line.
func (e *exchange) line(a *Answer, s statement) (line, why string) {
	if m := figureRE.FindStringSubmatch(s.text); m != nil {
		for _, f := range append(slices.Clone(e.figures), a.Figures...) {
			if f.Code == m[1] {
				if !slices.ContainsFunc(a.Figures, func(o Figure) bool { return o.Code == f.Code }) {
					a.Figures = append(a.Figures, f)
				}
				return e.b.told1(e.q, f), ""
			}
		}
		return "", "no such result"
	}
	found, why := e.judge.statement(s, e.evidence)
	if why != "" {
		return "", why
	}
	var lines []string
	for _, f := range found {
		k := f.on[0].quote.clause
		said := f.led || slices.ContainsFunc(a.Citations, func(c Citation) bool { return c.ClauseID == k.ID })
		marks := ""
		for _, on := range f.on {
			marks += mark(a.cite(on.quote))
		}
		if said || len(f.on) > 1 {
			lines = append(lines, f.text+marks)
		} else {
			lines = append(lines, e.b.lex.say(e.q.english, "said", args{"Label": e.c.label(k), "Text": f.text, "Mark": marks}))
		}
	}
	return strings.Join(lines, "\n"), ""
}
