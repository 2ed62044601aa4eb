package bot

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// unsettled reports that one thing is asked for, and that the words of the
// question do not settle which clause is meant, so that the model may choose
// another.
func (b *Bot) unsettled(q *question, a Answer, kept []string) bool {
	several := q.asksList() || b.lex.form("each", q.core) || len(b.asks(q)) > 1
	if several || len(q.refs) > 0 || len(a.Figures)+len(a.Warnings) > 0 {
		return false
	}
	free := append(b.fixNotes(q), b.lex.say(q.english, "partly", args{}))
	return !slices.ContainsFunc(kept, func(l string) bool { return !slices.Contains(free, l) }) &&
		!slices.ContainsFunc(a.Citations, func(c Citation) bool { return q.share(zh.Squeeze(zh.Fold(c.Quote))) >= settled })
}

// unfit says why an answer whose statements stand is not to be shown.
func (e *exchange) unfit(ctx context.Context, a Answer) string {
	switch {
	case len(a.Citations) == 0:
		return "no sentence stands"
	case len([]rune(a.Text)) > max(longMost, len([]rune(e.built.Text))*6/5):
		return "too long"
	}
	why := ""
	if e.open {
		why = e.strays(ctx, a)
	} else {
		why = e.lacks(a)
	}
	if why == "" {
		why = e.conflict(ctx, a)
	}
	if why != "" {
		return why
	}
	if bad := e.b.verify(e.c, e.q.ask, a); len(bad) > 0 {
		return bad[0].Why
	}
	return ""
}

// conflict says that a reworded answer shows an amount that contradicts a
// target, where the built-in one does not, which would have said so.
func (e *exchange) conflict(ctx context.Context, a Answer) string {
	var d draft
	for _, c := range a.Citations {
		if k, ok := e.c.index.Clause(c.ClauseID); ok {
			d.quote("", span{clause: k, doc: e.c.byID[k.Document], start: c.Start, end: c.End, shown: c.Quote})
		}
	}
	if err := e.b.flag(ctx, e.c, e.q, &d); err != nil || len(d.warns) > len(e.built.Warnings) {
		return "an amount contradicts a target"
	}
	return ""
}

// strays says why the clauses that a model chose do not answer: by the checks
// that make the built-in answer a refusal, and because they are less like the
// question than what that quotes.
func (e *exchange) strays(ctx context.Context, a Answer) string {
	clauses, chosen := slices.Clone(e.quoted), map[*rag.Clause]bool{}
	for _, c := range a.Citations {
		if k, ok := e.c.index.Clause(c.ClauseID); ok {
			chosen[k] = true
			if !slices.Contains(clauses, k) {
				clauses = append(clauses, k)
			}
		}
	}
	es, err := e.b.sentences(ctx, e.c, e.q, keepClauses(e.c, nil, clauses))
	if err != nil {
		return "not compared"
	}
	if likeness(es, a.Citations) < likeness(es, e.built.Citations)-likeReach {
		return "less like the question"
	}
	if len(clauses) == len(e.quoted) && len(chosen) == len(clauses) { // none was chosen
		return e.lacks(a)
	}
	es = slices.DeleteFunc(es, func(s evidence) bool { return !chosen[s.clause] })
	if len(es) == 0 || e.q.otherYear(e.c, es[0]) != 0 {
		return "not of the year"
	}
	text := e.unmarked(a.Text, true)
	told := zh.Squeeze(zh.Fold(text))
	in := func(at *attribute) bool { return at.in(told, text) }
	if _, lacking := e.b.lacking(e.c, e.q, es); lacking || len(e.q.attrs) > 0 && !slices.ContainsFunc(e.q.attrs, in) {
		return "what is asked for is left out"
	}
	return ""
}

// likeReach is how much less like the question, by cosine, the best sentence of
// other clauses may be.
const likeReach = .06

// likeness is that of the most like of the sentences that are quoted.
func likeness(es []evidence, quotes []Citation) float64 {
	best := -1.0
	for _, s := range es {
		if slices.ContainsFunc(quotes, func(c Citation) bool { return c.ClauseID == s.clause.ID && c.Start < s.end && s.start < c.End }) {
			best = max(best, s.dense)
		}
	}
	return best
}

// lacks says what a reworded answer leaves out: a clause that the built-in
// answer stands on, the figures asked for, the attribute asked for.
func (e *exchange) lacks(a Answer) string {
	for i, k := range e.quoted {
		if !slices.ContainsFunc(a.Citations, func(c Citation) bool { return c.ClauseID == k.ID }) {
			return fmt.Sprintf("[%d] is not used", i+1)
		}
	}
	if e.q.asksList() && slices.ContainsFunc(e.built.Citations, func(was Citation) bool {
		return !slices.ContainsFunc(a.Citations, func(c Citation) bool { return c.ClauseID == was.ClauseID && c.Start < was.End && was.Start < c.End })
	}) {
		return "an item of the list is left out"
	}
	have := zh.Quantities(e.unmarked(a.Text, false))
	for _, f := range zh.Quantities(e.unmarked(e.built.Text, false)) {
		if !f.Ordinal && f.Unit != "" && !slices.ContainsFunc(have, f.Same) {
			return "a figure of the material is left out"
		}
	}
	said, was := e.unmarked(a.Text, true), e.unmarked(e.built.Text, true)
	told, before := zh.Squeeze(zh.Fold(said)), zh.Squeeze(zh.Fold(was))
	for _, at := range e.q.attrs {
		if at.in(before, was) && !at.in(told, said) {
			return "what is asked for is left out"
		}
	}
	for _, t := range e.q.terms {
		if t.in(before) && !t.in(told) {
			return "“" + t.text + "” is left out"
		}
	}
	for _, n := range names(before) {
		if !strings.Contains(told, n) {
			return "“" + n + "” is left out"
		}
	}
	return ""
}

// unmarked is a text without markers, of all lines or of those that the
// program does not say itself.
func (e *exchange) unmarked(text string, all bool) string {
	var out strings.Builder
	for l := range strings.SplitSeq(text, "\n") {
		if all || !slices.Contains(e.kept, l) {
			out.WriteString(markRE.ReplaceAllString(l, "") + "\n")
		}
	}
	return out.String()
}

// names are the quoted names of a folded text.
func names(s string) []string {
	var out []string
	for _, m := range quotedRE.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1]+m[2])
	}
	for _, m := range titleRE.FindAllStringSubmatch(s, -1) {
		out = append(out, m[1])
	}
	return out
}
