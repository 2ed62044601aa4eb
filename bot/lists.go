package bot

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// add quotes e with what it needs to be understood: the items of a list that
// it opens, the opening of the list that it is an item of, or the sentence
// that it takes up. What the draft has quoted before is not quoted again.
func (b *Bot) add(c *corpus, q *question, d *draft, e evidence) {
	budget := shortBudget
	if q.asksList() {
		budget = listBudget
	}
	if lead, ok := leadLine(e); ok {
		e, budget = lead, max(budget, leadMost)
	}
	sentence := e
	e = b.extend(q, e)
	if lead, ok := opening(e); ok && !opens(e.text) {
		if line, ok := leadLine(lead); ok {
			lead = line
		}
		b.tell(c, d, q.shows(lead, leadMost))
	}
	for _, head := range []func(evidence) (evidence, bool){header, antecedent} {
		if h, ok := head(e); ok {
			b.tell(c, d, q.shows(h, shortBudget))
		}
	}
	b.tell(c, d, q.shows(e, budget))
	b.follow(c, q, d, sentence)
	if opens(e.text) {
		list := items(e, listBudget)
		if len(list) == 0 {
			list = c.below(e, listBudget)
		}
		for _, item := range q.relevant(e, list) {
			b.tell(c, d, q.shows(item, shortBudget))
		}
	}
}

// leadLine is all of the line of e where it opens a list by its last sentence:
// 有下列行为之一的,处…罚款;情节严重的,处…罚款: belongs together.
func leadLine(e evidence) (evidence, bool) {
	if isItem(e.text) || e.start >= e.end {
		return e, false
	}
	line := e.line()
	return line, line.end-line.start <= leadMost && strings.TrimSpace(line.text) == line.text && opens(line.text) && !isItem(line.text) && len(items(line, listBudget)) > 0
}

const leadMost = 300 // runes of a line that opens a list

// tell quotes s unless the draft has quoted it.
func (b *Bot) tell(c *corpus, d *draft, s span) {
	if !d.quotes(evidence{clause: s.clause, start: s.start, end: s.end}) {
		d.quote(c.label(s.clause), s)
	}
}

// asksList reports that q wants all of a list, not one of its items.
func (q *question) asksList() bool {
	return q.forms["list"] || q.has("enumeration") || q.has("condition")
}

// antecedent is the sentence before e that e takes up: 按上述标准的…执行.
func antecedent(e evidence) (evidence, bool) {
	if !takesUp(e.text) {
		return evidence{}, false
	}
	var last evidence
	for _, s := range sentencesOf(e) {
		if s.Start >= e.start {
			break
		}
		last = e.at(s)
	}
	return last, last.end > 0 && !opens(last.text) && !isAsked(last)
}

// takesUp reports a sentence that speaks of what stands above it.
func takesUp(s string) bool {
	return slices.ContainsFunc([]string{"上述", "前述", "上列", "前款", "前项"}, func(w string) bool { return strings.Contains(s, w) })
}

// below are the clauses that e, the last sentence of its own, announces: those
// below it in an outline, or beside it under one heading. Together they have at
// most budget runes: whole if that suffices, else by their titles where they
// have one, else the first of them.
func (c *corpus) below(e evidence, budget int) []evidence {
	if !e.ends() {
		return nil
	}
	var whole, short []evidence
	at := slices.IndexFunc(e.doc.Clauses, func(k rag.Clause) bool { return k.ID == e.clause.ID })
	for i := at + 1; i < len(e.doc.Clauses); i++ {
		k := &e.doc.Clauses[i]
		nested := e.clause.Number > 0 && strings.HasPrefix(k.Label, e.clause.Label)
		if beside := e.clause.Number == 0 && k.Number > 0 && len(k.Path) > 0 && slices.Equal(k.Path, e.clause.Path); !nested && !beside {
			break
		}
		item := wholeOf(k, e.doc)
		whole = append(whole, item)
		if k.Title != "" && strings.HasPrefix(k.Text, k.Title) {
			item = item.at(zh.Span{End: len([]rune(k.Title))})
		}
		short = append(short, item)
	}
	if runes(whole) <= budget {
		return whole
	}
	for i := range short {
		if budget -= short[i].end - short[i].start; budget < 0 {
			return short[:i]
		}
	}
	return short
}

// runes is how long the pieces of evidence are together.
func runes(es []evidence) int {
	n := 0
	for _, e := range es {
		n += e.end - e.start
	}
	return n
}

// ends reports the last sentence of a clause.
func (e evidence) ends() bool {
	return strings.TrimSpace(string([]rune(e.clause.Text)[e.end:])) == ""
}

// wholeOf is all of a clause as one piece of evidence.
func wholeOf(k *rag.Clause, doc *source) evidence {
	return evidence{clause: k, doc: doc}.at(zh.Span{End: len([]rune(k.Text))})
}

// underHeading are the clauses below the heading that names what q asks the
// list of: all of 申报材料 for “要交哪些材料”. It is the heading of e, one of its
// document that q says in full, or the only one there.
func (q *question) underHeading(e evidence) []evidence {
	if !q.asksList() && !q.has("procedure") || opens(e.text) && len(items(e, listBudget)) > 1 {
		return nil
	}
	var path, only []string
	headings := 0
	for i := range e.doc.Clauses {
		p := e.doc.Clauses[i].Path
		if len(p) == 0 || !q.lists(p[len(p)-1]) {
			continue
		}
		if !slices.Equal(p, only) {
			headings++
			only = p
		}
		if slices.Equal(p, e.clause.Path) {
			path = p
			break
		}
		if path == nil && len([]rune(common(q.core, zh.Fold(p[len(p)-1])))) >= 4 {
			path = p
		}
	}
	if path == nil && headings == 1 && sectionRE.MatchString(only[len(only)-1]) {
		path = only
	}
	if path == nil {
		return nil
	}
	var out []evidence
	for i := range e.doc.Clauses {
		if k := &e.doc.Clauses[i]; slices.Equal(k.Path, path) {
			out = append(out, wholeOf(k, e.doc))
		}
	}
	if len(out) < 2 || len(out) > 12 {
		return nil
	}
	return out
}

// sectionRE is how headings end that a document has but one of.
var sectionRE = regexp.MustCompile(`(材料|资料|条件|对象|流程|程序|步骤)$`)

// lists reports that q asks for the list of what the heading ends with.
func (q *question) lists(heading string) bool {
	r := []rune(strings.TrimRight(zh.Fold(heading), "。:. "))
	if len(r) < 4 {
		return false
	}
	for _, m := range wantRE.FindAllStringSubmatch(q.core, -1) {
		if strings.HasPrefix(m[2], string(r[len(r)-2:])) || strings.HasSuffix(m[1], string(r[len(r)-2:])) {
			return true
		}
	}
	return false
}

// wantRE finds what stands before and behind 哪些: 材料有哪些, 哪些申报材料.
var wantRE = regexp.MustCompile(`([\p{Han}]*?)(?:要|都|有|是|包括|需要)*(?:哪些|哪几[个项种类样]|什么|啥|几[个项种类样])(?:申报|申请|办理|认定)?([\p{Han}]*)`)

// isAsked reports the question of a pair of question and answer, or the heading of
// a clause that answers it.
func isAsked(e evidence) bool {
	return strings.HasPrefix(e.fold, "问:") || e.start == 0 && e.end-e.start <= askedMost && strings.HasSuffix(e.fold, "?") && !e.ends()
}

const askedMost = 60 // runes of a heading that asks

// settle puts what answers before what only announces: the answer of a pair of
// question and answer takes the place of its question, and a sentence that
// opens a list which is not there goes to the end.
func (q *question) settle(c *corpus, es []evidence) []evidence {
	var out, asked []evidence
	for _, e := range es { // best first
		if isAsked(e) {
			asked = append(asked, e)
		} else {
			out = append(out, e)
		}
	}
	for i, a := range asked {
		verdict := q.forms["yesno"] && i == 0 && isAsked(es[0]) // its first sentence answers the very question
		answers := func(e evidence) bool {
			return e.clause == a.clause && e.start > a.start && (!verdict || strings.HasPrefix(e.fold, "答:")) &&
				!slices.ContainsFunc(asked, func(o evidence) bool { return o.clause == a.clause && o.start > a.start && o.start < e.start })
		}
		if i := slices.IndexFunc(out, answers); i >= 0 {
			out[i].score = max(out[i].score, a.score)
		}
	}
	for i, e := range out {
		switch k := e.clause; {
		case opens(e.text) && e.ends() && len(c.below(e, listBudget)) == 0:
			out[i].score += 2 * emptyWeight
		case k.Number == 0 && (k.Label == "主送" || k.Label == "附件目录" || k.Label == "落款" && !q.has("issued")):
			out[i].score += emptyWeight
		}
	}
	slices.SortStableFunc(out, func(a, b evidence) int { return cmp.Compare(b.score, a.score) })
	return out
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

// relevant are the items that say what q asks beyond what lead, which opens
// the list, says of them all; all of them where it asks for the list, or where
// none says more than the others.
func (q *question) relevant(lead evidence, all []evidence) []evidence {
	if q.asksList() || q.forms["define"] {
		return all
	}
	beyond := *q
	beyond.terms = slices.DeleteFunc(slices.Clone(q.terms), func(t term) bool { return t.in(lead.fold) })
	best := 0.0
	for _, i := range all {
		best = max(best, beyond.share(i.fold))
	}
	if best == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(i evidence) bool { return beyond.share(i.fold) < best-1e-9 })
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

// items are the list that e opens, up to budget runes. An item goes on to the
// end of its line, whatever sentences it has.
func items(e evidence, budget int) []evidence {
	var out []evidence
	r := []rune(e.clause.Text)
	for _, s := range sentencesOf(e) {
		if s.Start < e.end {
			continue
		}
		i := e.at(s)
		n := len(out) - 1
		switch {
		case isItem(i.text):
			out = append(out, i)
		case n < 0:
			return nil
		case !slices.Contains(r[out[n].end:s.Start], '\n'):
			out[n] = e.at(zh.Span{Start: out[n].start, End: s.End})
			i = out[n]
		case strings.HasSuffix(out[n].text, "。"):
			return out
		default:
			continue
		}
		if budget -= s.End - s.Start; budget < 0 {
			return out[:n+1]
		}
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
