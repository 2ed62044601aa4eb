package bot

import (
	"context"
	"slices"
	"strings"
	"unicode/utf8"

	"zhengda/rag"
)

// questions are the parts of a question that asks more than one thing, each
// with its own question mark.
func (q *question) questions() []string {
	var out []string
	for p := range strings.FieldsFuncSeq(q.core, func(r rune) bool { return r == '?' || r == '？' }) {
		if len([]rune(p)) >= 4 {
			out = append(out, p)
		}
	}
	return out
}

// perQuestion answers each part with the best sentence for it, from the
// clauses found for the whole.
func (b *Bot) perQuestion(ctx context.Context, c *corpus, q *question, s scope, es []evidence, parts []string) (draft, error) {
	d := draft{notes: b.fixNotes(q)}
	var near []rag.Passage
	for _, e := range es {
		if e.score > es[0].score-partReach && !slices.ContainsFunc(near, func(p rag.Passage) bool { return p.Clause.ID == e.clause.ID }) {
			near = append(near, e.passage)
		}
	}
	var told []evidence
	for i, text := range parts[:min(len(parts), 3)] {
		part := b.read(c, Ask{Question: text})
		part.carried = q.carried
		c.weigh(part, s)
		found := es
		if i > 0 || len(part.terms) > 0 {
			var err error
			if found, err = b.sentences(ctx, c, part, near); err != nil {
				return draft{}, err
			}
		}
		for _, e := range found {
			if !slices.ContainsFunc(told, func(t evidence) bool { return t.clause == e.clause && t.start == e.start }) {
				told = append(told, e)
				if part.forms["yesno"] {
					d.frame(b.lex.say(q.english, b.verdict(c, part, e), args{}))
				}
				b.add(c, part, &d, e)
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
		es, err := b.gather(ctx, c, q, g)
		if err != nil {
			return draft{}, err
		}
		if len(es) == 0 {
			continue
		}
		found = append(found, es[0].passage)
		b.add(c, q, &d, es[0])
	}
	if len(found) == 0 {
		return b.refuse(q, "nothing", nil), nil
	}
	return d, nil
}

// perClause answers once for each of the clauses that the question names.
func (b *Bot) perClause(ctx context.Context, c *corpus, q *question, s scope) (draft, bool, error) {
	ks := q.clauses(c, s.docs)
	if len(ks) < 2 || len(ks) > 4 || q.forms["yesno"] && !q.forms["compare"] {
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

// split lists the things that a question asks for one by one: A、B、C分别….
func (q *question) split() []string {
	if len(q.numbers) > 0 {
		return nil
	}
	i := strings.Index(q.core, "分别")
	if i < 0 {
		i = strings.Index(q.core, "各自")
	}
	if i < 0 {
		return nil
	}
	head := q.core[:i]
	if j := strings.LastIndexAny(head, ",，:："); j >= 0 {
		_, n := utf8.DecodeRuneInString(head[j:])
		head = head[j+n:]
	}
	var out []string
	for p := range strings.FieldsFuncSeq(head, func(r rune) bool { return strings.ContainsRune("、和与跟", r) }) {
		if len([]rune(p)) >= 2 {
			out = append(out, p)
		}
	}
	return out
}

// perItem answers once for each thing asked for.
func (b *Bot) perItem(ctx context.Context, c *corpus, q *question, s scope, items []string) (draft, error) {
	d := draft{notes: b.fixNotes(q)}
	for _, item := range items[:min(len(items), 5)] {
		part := b.read(c, Ask{Question: item})
		part.forms, part.attrs = q.forms, q.attrs
		es, err := b.gather(ctx, c, part, s.docs)
		if err != nil {
			return draft{}, err
		}
		if len(es) > 0 {
			b.add(c, part, &d, es[0])
		}
	}
	if len(d.lines) == 0 {
		return b.refuse(q, "nothing", nil), nil
	}
	return d, nil
}
