package bot

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// Runes that an answer shows: of one statement, of a list, and of all
// statements together.
const (
	shortBudget = 230
	listBudget  = 480
	wholeBudget = 260
)

// compose drafts the answer to q from sentences of the corpus.
func (b *Bot) compose(ctx context.Context, c *corpus, q *question) (draft, error) {
	if d, ok := b.outside(c, q); ok {
		return d, nil
	}
	if d, ok, err := b.indicators(ctx, c, q); ok || err != nil {
		return d, err
	}
	s := b.scope(c, q)
	c.weigh(q, s)
	if d, ok := b.structure(c, q, s); ok {
		return d, nil
	}
	if d, ok := b.wholeClause(c, q, s); ok {
		return d, nil
	}
	if d, ok, err := b.missing(ctx, c, q, s); ok || err != nil {
		return d, err
	}
	for _, special := range []func(*corpus, *question, scope) (draft, bool){b.mentionList, b.figureList, b.elsewhere, b.suspect, b.definition} {
		if d, ok := special(c, q, s); ok {
			return d, nil
		}
	}
	if d, ok, err := b.perClause(ctx, c, q, s); ok || err != nil {
		return d, err
	}
	if items := q.split(); len(items) > 1 {
		return b.perItem(ctx, c, q, s, items)
	}
	if len(s.groups) > 1 {
		return b.perGroup(ctx, c, q, s)
	}
	es, err := b.gather(ctx, c, q, s.docs)
	if err != nil {
		return draft{}, err
	}
	if len(es) == 0 {
		return b.refuse(q, "nothing", nil), nil
	}
	if y := q.otherYear(c, es[0]); y != 0 {
		return b.refuse(q, "noyear", args{"Year": y, "Have": b.haveYears(c, q)}), nil
	}
	if d, ok := b.lacking(c, q, es); ok {
		return d, nil
	}
	if d, ok := b.premise(c, q, es); ok {
		return d, nil
	}
	if subs := q.questions(); len(subs) > 1 {
		return b.perQuestion(ctx, c, q, s, es, subs)
	}
	if q.forms["yesno"] {
		return b.yesNo(c, q, es), nil
	}
	if d, ok := b.total(c, q, es); ok {
		return d, nil
	}
	return b.plain(c, q, es), nil
}

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

// otherYear is a year that q asks for and that neither the clause nor its
// document is about; 0 when one of the years fits.
func (q *question) otherYear(c *corpus, e evidence) int {
	for _, y := range q.years {
		if e.doc.year == y || e.doc.Meta.Issued.Year() == y || strings.Contains(c.folded(e.clause), yearText(y)) {
			return 0
		}
		if e.doc.year == 0 && (c.contains(yearText(y), []string{e.doc.ID}) || c.contains("["+strconv.Itoa(y)+"]", []string{e.doc.ID}) || strings.Contains(e.doc.number, strconv.Itoa(y)) || c.contains("〔"+strconv.Itoa(y), []string{e.doc.ID})) {
			return 0
		}
	}
	if len(q.years) == 0 {
		return 0
	}
	return q.years[0]
}

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

// plain answers with the sentences that say it.
func (b *Bot) plain(c *corpus, q *question, es []evidence) draft {
	d := draft{notes: b.fixNotes(q)}
	if len(q.refs) == 1 && (q.forms["list"] || q.forms["wholelist"]) {
		if k := es[0].clause; len([]rune(k.Text)) <= wholeBudget && es[0].clause == k {
			b.wholeText(c, &d, k)
			return d
		}
	}
	picked := b.pick(q, es)
	for _, e := range picked {
		b.add(c, q, &d, e)
	}
	for _, e := range q.others(picked, es) {
		b.add(c, q, &d, e)
	}
	return d
}

// others are the best sentences of further clauses where the words of the
// question do not settle which clause is meant: then those that score nearly
// as well are shown too, as far as they are short.
func (q *question) others(picked, es []evidence) []evidence {
	room := othersBudget
	for _, p := range picked {
		if p.clause != es[0].clause || q.share(p.fold) >= settled || opens(p.text) {
			return nil
		}
		room -= min(p.end-p.start, shortBudget)
	}
	var out []evidence
	seen := map[*rag.Clause]bool{es[0].clause: true}
	for _, e := range es {
		if e.score < es[0].score-secondReach || len(out) == othersMost {
			break
		}
		if seen[e.clause] || e.isTitle() || e.isRemark() || opens(e.text) {
			continue
		}
		if room -= min(e.end-e.start, shortBudget); room < 0 && len(out) > 0 {
			break
		}
		seen[e.clause] = true
		out = append(out, e)
	}
	return out
}

// fixNotes say which words were read as which.
func (b *Bot) fixNotes(q *question) []string {
	var out []string
	for _, f := range q.fixes {
		out = append(out, b.lex.say(q.english, "fixed", args{"From": f.from, "To": f.to}))
	}
	return out
}

// pick chooses the sentence that answers and those that a question with
// several parts needs beside it.
func (b *Bot) pick(q *question, es []evidence) []evidence {
	out := es[:1:1]
	covered := func(t term) bool {
		return slices.ContainsFunc(out, func(e evidence) bool { return t.in(e.fold) })
	}
	parts := q.parts()
	for len(out) < parts {
		best, gain := -1, 0.0
		for i, e := range es {
			if slices.ContainsFunc(out, func(o evidence) bool { return o.clause == e.clause && o.start == e.start }) || e.score < es[0].score-partReach {
				continue
			}
			g := 0.0
			for _, t := range q.terms {
				if !covered(t) && t.in(e.fold) {
					g += t.weight()
				}
			}
			if g > gain+1e-9 {
				best, gain = i, g
			}
		}
		if best < 0 {
			break
		}
		out = append(out, es[best])
	}
	if len(out) < 2 {
		out = append(out, neighbours(out[0], es)...)
	}
	return out
}

// Reach, in points of evidence.score, of a further part and of a further
// sentence of the same clause.
const (
	partReach      = 3.5
	neighbourReach = 1.0
	secondReach    = 1.8
	paragraphMost  = 140 // runes of a paragraph that is quoted whole
	othersMost     = 2
	othersBudget   = 240 // runes of all sentences together
	settled        = .3  // share of the question's terms in a sentence that settles which clause is meant
)

// parts is the number of statements that a question asks for at most.
func (q *question) parts() int {
	n := 1
	if strings.Count(q.core, "?")+strings.Count(q.core, "？") > 1 {
		n = 2
	}
	for _, w := range []string{"分别", "各", "以及", "同时", "两者", "和", "、", "与"} {
		if strings.Contains(q.core, w) {
			n = max(n, 2)
		}
	}
	if strings.Contains(q.core, "分别") || strings.Contains(q.core, "、") {
		n = 3
	}
	return n
}

// neighbours are further sentences of the same clause that score nearly as
// well.
func neighbours(first evidence, es []evidence) []evidence {
	for _, e := range es {
		if e.clause == first.clause && e.start != first.start && e.score > first.score-neighbourReach {
			return []evidence{e}
		}
	}
	return nil
}

// add quotes e with what it needs to be understood: the items of a list that
// it opens, or the opening of the list that it is an item of.
func (b *Bot) add(c *corpus, q *question, d *draft, e evidence) {
	budget := shortBudget
	if q.forms["list"] || q.has("enumeration") || q.has("condition") {
		budget = listBudget
	}
	label := c.label(e.clause)
	e = q.extend(e)
	if lead, ok := opening(e); ok && !opens(e.text) {
		d.quote(label, q.shows(lead, shortBudget/2))
	}
	if head, ok := header(e); ok {
		d.quote(label, q.shows(head, shortBudget/2))
	}
	d.quote(label, q.shows(e, budget))
	if opens(e.text) {
		for _, item := range q.relevant(items(e, listBudget)) {
			d.quote(label, q.shows(item, shortBudget))
		}
	}
}

// header is the first row of the table that e is another row of.
func header(e evidence) (evidence, bool) {
	if !strings.Contains(e.text, "\t") {
		return evidence{}, false
	}
	for _, s := range sentencesOf(e) {
		if o := e.at(s); strings.Contains(o.text, "\t") {
			return o, o.start < e.start
		}
	}
	return evidence{}, false
}

// relevant are the items that say what q asks; all of them where it asks for
// the list, or where none says more than the others.
func (q *question) relevant(all []evidence) []evidence {
	if q.forms["list"] || q.forms["define"] || q.has("enumeration") || q.has("condition") {
		return all
	}
	best := 0.0
	for _, i := range all {
		best = max(best, q.share(i.fold))
	}
	if best == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(i evidence) bool { return q.share(i.fold) < best-1e-9 })
}

func (q *question) has(attr string) bool {
	return slices.ContainsFunc(q.attrs, func(a *attribute) bool { return a.name == attr })
}

// opens reports a sentence that announces a list.
func opens(text string) bool {
	return strings.HasSuffix(text, "：") || strings.HasSuffix(text, ":")
}

// sentencesOf are the sentences of a clause.
func sentencesOf(e evidence) []zh.Span { return zh.Sentences(e.clause.Text) }

func (e evidence) at(s zh.Span) evidence {
	e.start, e.end = s.Start, s.End
	e.text = string([]rune(e.clause.Text)[s.Start:s.End])
	e.fold = zh.Squeeze(zh.Fold(e.text))
	return e
}

// extend takes in what belongs to the sentence e: a remark in brackets behind
// it, and for a list the sentence that says what it includes.
func (q *question) extend(e evidence) evidence {
	for _, s := range sentencesOf(e) {
		if s.Start < e.end {
			continue
		}
		next := e.at(s)
		remark := (strings.HasPrefix(next.text, "（") || strings.HasPrefix(next.text, "(")) && !isItem(next.text) && s.End-s.Start <= 80
		includes := strings.HasPrefix(next.text, "包括") || strings.HasPrefix(next.text, "主要包括") || strings.HasPrefix(next.text, "具体包括") || strings.HasPrefix(next.text, "其中包括")
		if remark || includes && (q.forms["define"] || q.forms["list"]) {
			return e.at(zh.Span{Start: e.start, End: s.End})
		}
		break
	}
	return e.paragraph(paragraphMost)
}

// paragraph is the whole paragraph of e where that is at most so many runes:
// the sentences of one belong together (但…除外, 逾期…).
func (e evidence) paragraph(most int) evidence {
	if strings.Contains(e.text, "\t") || opens(e.text) || isItem(e.text) {
		return e
	}
	from, to := e.start, e.end
	r := []rune(e.clause.Text)
	for from > 0 && r[from-1] != '\n' {
		from--
	}
	for to < len(r) && r[to] != '\n' {
		to++
	}
	whole := e.at(zh.Span{Start: from, End: to})
	if to-from > most || opens(whole.text) {
		return e
	}
	return whole
}

// items are the list that e opens, up to budget runes.
func items(e evidence, budget int) []evidence {
	var out []evidence
	for _, s := range sentencesOf(e) {
		if s.Start < e.end {
			continue
		}
		i := e.at(s)
		if !isItem(i.text) {
			if len(out) > 0 && strings.HasSuffix(out[len(out)-1].text, "。") {
				break
			}
			if len(out) > 0 {
				continue
			}
			break
		}
		if budget -= s.End - s.Start; budget < 0 {
			break
		}
		out = append(out, i)
	}
	return out
}

// isItem reports a sentence that begins with the marker of a list item.
func isItem(s string) bool {
	r := []rune(s)
	if len(r) < 3 {
		return false
	}
	if r[0] == '（' || r[0] == '(' {
		for i := 1; i < min(len(r), 6); i++ {
			if r[i] == '）' || r[i] == ')' {
				_, ok := zh.Numeral(string(r[1:i]))
				return ok
			}
		}
		return false
	}
	if r[0] >= '①' && r[0] <= '⑳' {
		return true
	}
	i := 0
	for i < len(r) && (r[i] >= '0' && r[i] <= '9' || strings.ContainsRune("一二三四五六七八九十", r[i])) {
		i++
	}
	return i > 0 && i < 4 && i < len(r) && strings.ContainsRune("、.．是", r[i])
}

// opening is the sentence that opens the list of which e is an item.
func opening(e evidence) (evidence, bool) {
	if !isItem(e.text) {
		return evidence{}, false
	}
	var last evidence
	found := false
	for _, s := range sentencesOf(e) {
		if s.Start >= e.start {
			break
		}
		if o := e.at(s); opens(o.text) && !isItem(o.text) {
			last, found = o, true
		}
	}
	return last, found
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
