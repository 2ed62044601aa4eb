package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// part is one of several things that a question asks.
type part struct {
	text  string
	thing string // what the same is asked of beside other things; "" for none
}

// asks are what a question asks one by one: its sentences with a question
// mark, and in each the things that the same is asked of (A和B各…?). What is
// asked of all of them together behind (后果分别是什么?) belongs to each.
func (b *Bot) asks(q *question) []part {
	var out []part
	for s := range strings.FieldsFuncSeq(q.core, func(r rune) bool { return strings.ContainsRune("?？;；", r) }) {
		each := b.lex.each(s)
		switch short := len([]rune(s)) <= shortPart; {
		case len(each) > 1 && len(q.numbers) == 0:
			out = append(out, each...)
		case len(out) > 0 && out[len(out)-1].thing != "" && (short || b.lex.form("each", s)):
			for i := range out {
				if out[i].thing != "" {
					out[i].text += "?" + s
				}
			}
		case len(out) > 0 && out[len(out)-1].thing != "" && b.lex.form("together", s):
			out = append(out, part{text: things(out) + s})
		case len([]rune(s)) >= 4:
			out = append(out, part{text: s})
		}
	}
	return out
}

// things names what the parts ask the same of: A、B.
func things(ps []part) string {
	var out []string
	for _, p := range ps {
		if p.thing != "" {
			out = append(out, p.thing)
		}
	}
	return strings.Join(out, "、")
}

const shortPart = 8 // runes of a question that cannot stand alone

// each splits a sentence that asks the same of several things into one for
// each of them; nil for any other.
func (x *Lexicon) each(s string) []part {
	m := x.forms["each"].FindStringIndex(s)
	if m == nil {
		return nil
	}
	tail := s[m[0]:]
	for _, w := range []string{"分别", "各自", "各"} {
		if t, ok := strings.CutPrefix(tail, w); ok {
			tail = t
			break
		}
	}
	segs := strings.SplitAfter(strings.ReplaceAll(s[:m[0]], "，", ","), ",")
	for i := len(segs) - 1; i >= 0; i-- {
		head, of, rest := x.coupled(segs, i)
		if len(of) < 2 {
			continue
		}
		var out []part
		for _, t := range of {
			out = append(out, part{head + t + rest + strings.Join(segs[i+1:], "") + tail, t})
		}
		return out
	}
	return nil
}

// coupled finds the things that segment i names, or that it adds to the one
// before it (A,和B): the text before them, and what is said of all behind the
// last one (浙江两地的条例).
func (x *Lexicon) coupled(segs []string, i int) (head string, things []string, rest string) {
	re := x.forms["couple"]
	text := x.forms["uncouple"].ReplaceAllStringFunc(segs[i], func(w string) string { return strings.Repeat("\x00", len(w)) })
	from := i
	if m := re.FindStringIndex(text); m != nil && m[0] == 0 && i > 0 {
		from, things = i-1, append(things, strings.TrimSuffix(segs[i-1], ","))
	}
	last := 0
	for _, m := range append(re.FindAllStringIndex(text, -1), []int{len(text), len(text)}) {
		if m[0] > last {
			things = append(things, segs[i][last:m[0]])
		}
		last = m[1]
	}
	n := len(things) - 1
	if n < 1 {
		return "", nil, ""
	}
	if m := x.forms["together"].FindStringIndex(things[n]); m != nil {
		things[n], rest = things[n][:m[0]], things[n][m[1]:]
	}
	if last, of, ok := strings.Cut(things[n], "的"); ok && hanCount(of) >= sharedLeast && !slices.ContainsFunc(things[:n], func(t string) bool { return strings.Contains(t, "的") }) {
		things[n], rest = last, "的"+of+rest // A和B的有效期
	}
	owner, _, owned := strings.Cut(things[0], "的")
	for k := range things {
		if things[k] = strings.TrimSuffix(things[k], ","); len([]rune(things[k])) < 2 {
			return "", nil, ""
		}
		if owned && k > 0 && !strings.Contains(strings.Join(things[1:], ""), "的") {
			things[k] = owner + "的" + things[k] // 医院的A和B
		}
	}
	if strings.HasSuffix(segs[i], ",") {
		rest += ","
	}
	return strings.Join(segs[:from], ""), things, rest
}

// sharedLeast is how long what stands behind 的 in the last of several things is
// where it belongs to each of them, in characters.
const sharedLeast = 4

// perPart answers one by one what a question asks of several things, each from
// the documents that it means.
func (b *Bot) perPart(ctx context.Context, c *corpus, q *question, s scope) (draft, bool, error) {
	parts := b.asks(q)
	if len(parts) < 2 || parts[0].thing == "" {
		return draft{}, false, nil
	}
	parts = parts[:min(len(parts), 5)]
	ones, scopes := b.readParts(c, q, s, parts)
	if len(s.groups) > 1 && distinct(scopes) < len(s.groups) {
		return draft{}, false, nil // perGroup knows the documents better
	}
	d := draft{notes: b.fixNotes(q)}
	refused := 0
	for i, one := range ones {
		if m, ok, err := b.missing(ctx, c, one, scopes[i]); err != nil {
			return draft{}, false, err
		} else if ok {
			d.lines = append(d.lines, m.lines...)
			refused++
			continue
		}
		es, err := b.gather(ctx, c, one, scopes[i].docs)
		if err != nil {
			return draft{}, false, err
		}
		if len(es) > 0 && d.quotes(es[0]) && speaksOf(es[0], parts) {
			continue
		}
		if e, ok := one.fit(d, es); ok {
			if parts[i].thing == "" && one.forms["yesno"] {
				d.frame(b.lex.say(q.english, b.verdict(c, one, e), args{}))
			}
			b.add(c, one, &d, e)
			b.complete(c, one, &d, e, es)
		}
	}
	if refused == len(parts) {
		d.state = Refused
	}
	return d, len(d.lines) > 0, nil
}

// speaksOf reports a sentence that gives a figure for every thing that the same
// is asked of: as many figures, and of each thing a word that the others do
// not have.
func speaksOf(e evidence, parts []part) bool {
	return len(amountsIn(e, "")) >= len(parts) && !slices.ContainsFunc(parts, func(p part) bool {
		others := slices.DeleteFunc(slices.Clone(parts), func(o part) bool { return o == p })
		return p.thing != "" && !(&question{core: p.thing}).only(e.fold, things(others))
	})
}

// readParts reads each part as a question of its own, and finds its scope: the
// documents that it names, else those of the whole question unless another
// part names them.
func (b *Bot) readParts(c *corpus, q *question, s scope, parts []part) (ones []*question, scopes []scope) {
	claimed := false
	for _, p := range parts {
		one := b.read(c, Ask{Question: p.text})
		if q.carried != nil && !b.alone(one) {
			b.join(one, q.carried)
		}
		if p.thing != "" {
			one.one = true
			one.forms, one.attrs = q.forms, q.attrs
			one.search = p.thing + " " + one.search
		}
		of := b.scope(c, one)
		claimed = claimed || len(of.docs) > 0
		ones, scopes = append(ones, one), append(scopes, of)
	}
	for i, one := range ones {
		if len(scopes[i].docs) == 0 && !claimed {
			scopes[i] = s
		}
		c.weigh(one, scopes[i])
		for j := range one.terms {
			if t := &one.terms[j]; strings.Contains(parts[i].thing, t.text) && !slices.ContainsFunc(c.among(scopes[i].docs), func(d *source) bool { return d.tells(*t) }) {
				t.idf *= thingWeight
			}
		}
	}
	return ones, scopes
}

// thingWeight is what a term of the thing asked about counts for beside those
// that all parts share.
const thingWeight = 2

// distinct counts the scopes that differ.
func distinct(ss []scope) int {
	seen := map[string]bool{}
	for _, s := range ss {
		seen[strings.Join(s.docs, " ")] = true
	}
	return len(seen)
}

// fit is the best sentence that d has not quoted; one that gives the figure
// that q asks for before one near it that does not.
func (q *question) fit(d draft, es []evidence) (evidence, bool) {
	best, top := -1, 0.0
	for i, e := range es {
		if e.score < es[0].score-partReach {
			break
		}
		if s := e.score + givenWeight*q.given(e); !d.quotes(e) && (best < 0 || s > top) {
			best, top = i, s
		}
	}
	if best < 0 {
		return evidence{}, false
	}
	return es[best], true
}

// givenWeight is what a figure of the kind asked for counts for where the same
// is asked of several things.
const givenWeight = 1.0

// given is the share of the kinds of figure that q asks for which e has.
func (q *question) given(e evidence) float64 {
	kinds := q.kinds()
	n := 0
	for _, has := range kinds {
		if has(e) {
			n++
		}
	}
	return float64(n) / float64(max(len(kinds), 1))
}

// kinds are the kinds of figure that q asks for: those of its attributes, and
// for a bare 多少 beside a question of time one that is no time.
func (q *question) kinds() []func(evidence) bool {
	var out []func(evidence) bool
	bare := bareRE.MatchString(q.core)
	if unit := q.askedUnit(); unit != "" {
		out = append(out, figureOf(func(f zh.Quantity) bool { return f.Unit == unit && !f.Date }))
	}
	for _, a := range q.attrs {
		if len(a.units) == 0 {
			continue
		}
		out = append(out, figureOf(func(f zh.Quantity) bool { return a.units[f.Unit] }))
		bare = bare && a.name == "deadline"
	}
	if bare {
		out = append(out, figureOf(func(f zh.Quantity) bool {
			return f.Unit != "" && !f.Date && !f.Ordinal && zh.Kind(f.Unit) != zh.Kind("年")
		}))
	}
	return out
}

// bareRE finds 多少 without a measure.
var bareRE = regexp.MustCompile(`多少([,，?？]|$)`)

func figureOf(ok func(zh.Quantity) bool) func(evidence) bool {
	return func(e evidence) bool { return slices.ContainsFunc(zh.Quantities(e.text), ok) }
}

// complete quotes from the clause of e the sentences with the further kinds of
// figure that q asks for: how much, and how long.
func (b *Bot) complete(c *corpus, q *question, d *draft, e evidence, es []evidence) {
	for _, has := range q.kinds() {
		if has(e) {
			continue
		}
		if i := slices.IndexFunc(es, func(o evidence) bool { return o.clause == e.clause && has(o) && !d.quotes(o) }); i >= 0 {
			b.add(c, q, d, es[i])
		}
	}
}

// quotes reports that the draft quotes e already.
func (d draft) quotes(e evidence) bool {
	return slices.ContainsFunc(d.lines, func(l line) bool {
		return l.quote != nil && l.quote.clause == e.clause && l.quote.start <= e.start && e.end <= l.quote.end
	})
}

// perQuestion answers each part with the best sentence for it, from the
// clauses found for the whole.
func (b *Bot) perQuestion(ctx context.Context, c *corpus, q *question, s scope, es []evidence, parts []part) (draft, error) {
	d := draft{notes: b.fixNotes(q)}
	var near []rag.Passage
	for _, e := range es {
		if e.score > es[0].score-partReach && !slices.ContainsFunc(near, func(p rag.Passage) bool { return p.Clause.ID == e.clause.ID }) {
			near = append(near, e.passage)
		}
	}
	var told []evidence
	for i, p := range parts[:min(len(parts), 3)] {
		one := b.read(c, Ask{Question: p.text})
		one.carried = q.carried
		c.weigh(one, s)
		found := es
		if i > 0 || len(one.terms) > 0 {
			var err error
			if found, err = b.sentences(ctx, c, one, near); err != nil {
				return draft{}, err
			}
		}
		for _, e := range found {
			if !slices.ContainsFunc(told, func(t evidence) bool { return t.clause == e.clause && t.start == e.start }) {
				told = append(told, e)
				if one.forms["yesno"] {
					d.frame(b.lex.say(q.english, b.verdict(c, one, e), args{}))
				}
				b.add(c, one, &d, e)
				break
			}
		}
	}
	return d, nil
}

// perGroup answers once for each document or place that is compared.
func (b *Bot) perGroup(ctx context.Context, c *corpus, q *question, s scope) (draft, error) {
	d := draft{notes: b.fixNotes(q)}
	var found []rag.Passage
	for _, g := range s.groups[:min(len(s.groups), 4)] {
		one := *q
		one.one, one.terms = true, slices.Clone(q.terms)
		c.weigh(&one, scope{docs: g})
		es, err := b.gather(ctx, c, &one, g)
		if err != nil {
			return draft{}, err
		}
		if e, ok := one.fit(d, es); ok {
			found = append(found, e.passage)
			b.add(c, q, &d, e)
		}
	}
	if len(found) == 0 {
		return b.refuse(q, "nothing", nil), nil
	}
	return d, nil
}

// perClause answers once for each of the clauses that the question names.
func (b *Bot) perClause(ctx context.Context, c *corpus, q *question, s scope) (draft, bool, error) {
	ks := q.clauses(c, s.docs)
	if len(ks) < 2 || len(ks) > 6 || q.forms["yesno"] && !q.forms["compare"] {
		return draft{}, false, nil
	}
	d := draft{notes: b.fixNotes(q)}
	for _, k := range ks {
		es, err := b.sentences(ctx, c, q, []rag.Passage{{Clause: k, Document: c.byID[k.Document].Document}})
		if err != nil {
			return draft{}, false, err
		}
		if len(es) > 0 {
			b.add(c, q, &d, es[0])
		}
	}
	return d, len(d.lines) > 0, nil
}
