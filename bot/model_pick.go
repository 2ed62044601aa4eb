package bot

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// settles reports that the question's words settle which clauses answer, or
// that more than one thing is asked for: then a model may only add to what the
// built-in answer quotes.
func (b *Bot) settles(c *corpus, q *question, d draft) bool {
	switch {
	case !d.loose, c.index.Embedder() == "": // without vectors nothing tells how like the question another clause is
		return true
	case q.asksList(), b.lex.form("each", q.core), len(b.asks(q)) > 1, len(q.refs) > 0, len(d.figs)+len(d.warns) > 0:
		return true
	}
	partly := b.lex.say(q.english, "partly", args{})
	return slices.ContainsFunc(d.lines, func(l line) bool {
		return l.quote == nil && l.frame != partly || l.quote != nil && q.share(zh.Squeeze(zh.Fold(l.quote.shown))) >= settled
	})
}

// A statement picks the sentence that has at least this much of it in one run:
// in characters, or all of a shorter sentence, and of the shorter of the two.
const (
	pickLeast = 8
	pickShare = .6
)

// pick finds the sentence that a statement of a model copies, or says why there
// is none. A model only points at sentences: what is shown is the clause's own
// text, so whatever else the statement says does no harm; but one with a figure
// that the sentence does not have was not meant so.
func pick(said string, es []evidence) (evidence, string) {
	own, best, most := letters(said), -1, 0
	for i, e := range es {
		text := letters(e.text)
		n := len([]rune(common(own, text)))
		least := min(len([]rune(own)), len([]rune(text)))
		if n > most && (n >= pickLeast || n == len([]rune(text))) && float64(n) >= pickShare*float64(least) {
			best, most = i, n
		}
	}
	if best < 0 {
		return evidence{}, "is no sentence of the clause"
	}
	e := es[best]
	numbers := digits(e.text + " " + e.clause.Label + " " + e.doc.Title + " " + strconv.Itoa(e.clause.Number) + " " + strconv.Itoa(e.doc.year))
	for _, n := range digits(said) {
		if !slices.Contains(numbers, n) {
			return evidence{}, n + " does not stand there"
		}
	}
	have := zh.Quantities(e.text)
	for _, f := range zh.Quantities(said) {
		ofPlan := f.Date && f.Unit == "年" && int(f.Value.IntPart()) == e.doc.year
		if !f.Ordinal && !ofPlan && !slices.ContainsFunc(have, f.Same) {
			return evidence{}, fmt.Sprintf("%s%s does not stand there", f.Value, f.Unit)
		}
	}
	return e, ""
}

// digits are the numbers of a text in digits.
func digits(s string) []string {
	return strings.FieldsFunc(zh.Fold(s), func(r rune) bool { return r < '0' || r > '9' })
}

// letters are the folded letters and digits of a text.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || r == '%' {
			return r
		}
		return -1
	}, zh.Fold(s))
}

// supplied are the sentences of clauses as they may be quoted: none that speaks
// to a machine, and none of a question that stands in the document.
func (e *exchange) supplied(ctx context.Context, clauses []*rag.Clause) ([]evidence, error) {
	es, err := e.b.sentences(ctx, e.c, e.q, keepClauses(e.c, nil, clauses))
	return slices.DeleteFunc(es, func(o evidence) bool {
		return !slices.ContainsFunc(e.tell(o.clause), func(s zh.Span) bool { return s.Start == o.start })
	}), err
}

// marked are the clauses whose numbers a statement has, or why it has none.
func (e *exchange) marked(s statement) (clauses []*rag.Clause, why string) {
	for _, n := range s.markers {
		if n < 1 || n > len(e.evidence) {
			return nil, fmt.Sprintf("[%d] was not supplied", n)
		}
		clauses = append(clauses, e.evidence[n-1])
	}
	if len(clauses) == 0 {
		return nil, "no marker"
	}
	return clauses, ""
}

// allowed says why a sentence that a model picked is not quoted. Where the
// question's words settle what is meant, it is to be of the clauses that the
// built-in answer quotes, and to say something of the question that this does
// not. Else it is held to the checks that make the built-in answer a refusal,
// and to be about as like the question as what that quotes.
func (e *exchange) allowed(p evidence) string {
	switch {
	case e.base.touching(p):
		return ""
	case p.isTitle():
		return "is a heading"
	case !e.open && !slices.Contains(e.quoted, p.clause):
		return "is not of the clauses asked about"
	case !e.open && (!e.base.loose || !e.brings(p)):
		return "adds nothing that is asked"
	case !e.open:
		return ""
	}
	_, lacks := e.b.lacking(e.c, e.q, []evidence{p})
	switch {
	case len(e.q.within) > 0 && !slices.Contains(e.q.within, p.doc.ID):
		return "is of another document"
	case e.q.otherYear(e.c, p) != 0:
		return "is of another year"
	case lacks:
		return "does not give what is asked for"
	case p.dense < e.like-likeReach:
		return "is less like the question"
	}
	return ""
}

// brings reports that a sentence has a term of the question that what the built-in
// answer quotes does not have.
func (e *exchange) brings(p evidence) bool {
	return slices.ContainsFunc(e.q.terms, func(t term) bool {
		return t.in(p.fold) && !slices.ContainsFunc(e.base.lines, func(l line) bool { return l.quote != nil && t.in(zh.Squeeze(zh.Fold(l.quote.shown))) })
	})
}

// touching reports that the draft quotes a part of e.
func (d draft) touching(e evidence) bool {
	return slices.ContainsFunc(d.lines, func(l line) bool {
		return l.quote != nil && l.quote.clause == e.clause && l.quote.start < e.end && e.start < l.quote.end
	})
}

// likeReach is how much less like the question, by cosine, a sentence that a
// model picks may be than the best that the built-in answer quotes.
const likeReach = .06

// with is the built-in draft with the sentences that a model picked: behind what
// it says where the question's words settle what is meant; else before it, as
// far as the answer stays short, but never without its first quote.
func (e *exchange) with(picks []evidence, figs []Figure) draft {
	d := e.base
	d.lines = slices.Clone(d.lines)
	leads := e.open && len(picks) > 0 && !d.touching(picks[0])
	if leads {
		d.lines = nil
		if e.q.forms["yesno"] {
			d.frame(e.b.lex.say(e.q.english, e.b.verdict(e.c, e.q, picks[0]), args{}))
		}
	}
	shown := 0
	for _, p := range picks {
		if !d.touching(p) && shown < othersMost {
			shown++
			e.b.add(e.c, e.q, &d, p)
		}
	}
	if leads {
		d.lines = behind(d.lines, e.base.lines)
	}
	for _, f := range figs {
		d.frame(e.b.told1(e.q, f))
		d.figs = append(slices.Clone(d.figs), f)
	}
	return d.cut()
}

// behind are the lines picked with the quotes of the built-in answer behind them
// that they do not have: the first one whatever else has to go, the others as
// far as the answer stays short.
func behind(picked, base []line) []line {
	size := func(lines []line) (n int) {
		for _, l := range lines {
			n += l.runes()
		}
		return n
	}
	rest := slices.DeleteFunc(slices.Clone(base), func(l line) bool {
		return l.quote == nil || slices.ContainsFunc(picked, func(o line) bool { return o.quote != nil && *o.quote == *l.quote })
	})
	for i, l := range rest {
		for i == 0 && len(picked) > 1 && size(picked)+l.runes() > answerMost {
			picked = picked[:len(picked)-1]
		}
		if i > 0 && size(picked)+l.runes() > othersBudget {
			break
		}
		picked = append(picked, l)
	}
	return picked
}
