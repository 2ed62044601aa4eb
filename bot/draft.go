package bot

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// draft is an answer in the making: lines of framing text and quotes.
type draft struct {
	lines []line
	notes []string // shown before the lines
	warns []Warning
	figs  []Figure
	state Status
	loose bool // it is the best sentences found, among which a model may choose
}

// line is one statement: framing around a quote, or framing alone.
type line struct {
	frame string // phrase with \x00 where text and marker go; "" for none
	label string // as shown before the quote; "" for none
	quote *span
}

// span is a verbatim range of a clause, and which parts of it are shown.
type span struct {
	clause     *rag.Clause
	doc        *source
	start, end int
	shown      string // verbatim parts joined by ……
}

// runes is about how long the line is shown.
func (l line) runes() int {
	n := utf8.RuneCountInString(l.frame) + utf8.RuneCountInString(l.label)
	if l.quote != nil {
		n += utf8.RuneCountInString(l.quote.shown)
	}
	return n
}

const ellipsis = "……"

func (d *draft) frame(s string) { d.lines = append(d.lines, line{frame: s}) }

func (d *draft) quote(label string, s span) { d.lines = append(d.lines, line{label: label, quote: &s}) }

// answerMost is how many runes an answer has at most; what is beyond is left
// out from the end, line by line.
const answerMost = 560

// cut leaves out the last lines of a long draft.
func (d draft) cut() draft {
	room := answerMost
	var before *line
	for i, l := range d.lines {
		room -= len([]rune(l.frame))
		if l.quote != nil {
			room -= len([]rune(l.quote.shown)) + len([]rune(l.named(before)))
			before = &d.lines[i]
		}
		if room < 0 && i > 0 {
			d.lines = d.lines[:i]
			break
		}
	}
	return d
}

// finish renders a draft and its citations.
func (b *Bot) finish(c *corpus, q *question, d draft) Answer {
	a := Answer{ID: q.ask.ID, Question: q.ask.Question, Status: d.state, Citations: []Citation{}, Figures: d.figs, Warnings: d.warns, Followups: []string{}, Model: "builtin"}
	if a.Status == "" {
		a.Status = Answered
	}
	if a.Figures == nil {
		a.Figures = []Figure{}
	}
	if a.Warnings == nil {
		a.Warnings = []Warning{}
	}
	var out []string
	out = append(out, d.notes...)
	var before *line
	for i, l := range d.lines {
		if l.quote == nil {
			out = append(out, l.frame)
			before = nil
			continue
		}
		n := a.cite(*l.quote)
		text := l.quote.shown
		switch label := l.named(before); {
		case l.frame != "":
			text = strings.Replace(l.frame, "\x00", text+mark(n), 1)
		case label != "" && !strings.HasPrefix(text, label):
			text = b.lex.say(q.english, "said", args{"Label": label, "Text": text, "Mark": mark(n)})
		default:
			text += mark(n)
		}
		before = &d.lines[i]
		out = append(out, text)
	}
	a.Text = strings.Join(out, "\n")
	a.Followups = b.next(c, q, a)
	return a
}

// next are questions that the reader may ask now: the whole of the first
// clause cited, and where else the weightiest named term stands.
func (b *Bot) next(c *corpus, q *question, a Answer) []string {
	out := []string{}
	if len(a.Citations) == 0 {
		return out
	}
	if k, ok := c.index.Clause(a.Citations[0].ClauseID); ok && k.Number > 0 && len(q.refs) == 0 {
		out = append(out, b.lex.say(q.english, "next_clause", args{"Label": c.label(k)}))
	}
	best := term{}
	for _, t := range q.terms {
		if t.named && len([]rune(t.text)) >= 3 && t.weight() > best.weight() {
			best = t
		}
	}
	if best.text != "" && !q.forms["mentions"] {
		out = append(out, b.lex.say(q.english, "next_mentions", args{"Term": best.text}))
	}
	return out
}

// without leaves out the lines that problems name; a problem of a citation
// leaves out all.
func (d draft) without(bad []Problem) draft {
	notes, lines := d.notes, d.lines
	d.notes, d.lines = nil, nil
	drop := map[int]bool{}
	for _, p := range bad {
		drop[p.Line] = true
	}
	for i, n := range notes {
		if !drop[i] && !drop[-1] {
			d.notes = append(d.notes, n)
		}
	}
	for i, l := range lines {
		if !drop[len(notes)+i] && !drop[-1] {
			d.lines = append(d.lines, l)
		}
	}
	return d
}

// quoteLimit is how long a citation grows by what is quoted next, in runes.
const quoteLimit = 800

// cite returns the number of the citation that holds s: one that is there, the
// latest one grown by what follows it at once, or a new one.
func (a *Answer) cite(s span) int {
	r := []rune(s.clause.Text)
	for _, c := range a.Citations {
		if c.ClauseID == s.clause.ID && c.Start <= s.start && s.end <= c.End {
			return c.N
		}
	}
	if n := len(a.Citations); n > 0 {
		last := &a.Citations[n-1]
		if last.ClauseID == s.clause.ID && last.End <= s.start && s.end-last.Start <= quoteLimit && strings.TrimSpace(string(r[last.End:s.start])) == "" {
			last.End, last.Quote = s.end, string(r[last.Start:s.end])
			return n
		}
	}
	quote := string(r[s.start:s.end])
	c := Citation{N: len(a.Citations) + 1, DocumentID: s.doc.ID, Document: s.doc.Title, Version: s.doc.Version, ClauseID: s.clause.ID, Label: s.clause.Label,
		Clause: s.clause.Number, Path: s.clause.Path, Title: s.clause.Title, Quote: quote, Start: s.start, End: s.end, URL: s.doc.Meta.URL}
	if c.Path == nil {
		c.Path = []string{}
	}
	a.Citations = append(a.Citations, c)
	return c.N
}

// named is how the clause of a quote is named behind the quote before it: not
// again, and without its document where that is the same.
func (l line) named(before *line) string {
	switch {
	case before == nil || l.label == "" || before.label == "":
		return l.label
	case l.label == before.label:
		return ""
	case l.quote.doc == before.quote.doc:
		return printed(l.quote.clause)
	}
	return l.label
}

// printed is the label of a clause without what ends it.
func printed(k *rag.Clause) string { return strings.TrimRight(k.Label, "、.．") }

func mark(n int) string { return "[" + strconv.Itoa(n) + "]" }

// label is how a clause is named in an answer: with its document when there
// are several.
func (c *corpus) label(k *rag.Clause) string {
	l := printed(k)
	d := c.byID[k.Document]
	if end := d.Meta.Repealed; !end.IsZero() { // true on any day, whether asked before it or after
		l = "(" + end.Format(time.DateOnly) + "起废止)" + l
	}
	if len(c.byID) == 1 {
		return l
	}
	return "《" + shortTitle(d.Title) + "》" + l
}

// shortTitle is the name in 《》 that a notice's title contains, else the title.
func shortTitle(t string) string {
	if _, after, ok := strings.Cut(t, "《"); ok {
		if name, _, ok := strings.Cut(after, "》"); ok && len([]rune(name)) >= 4 {
			return name
		}
	}
	return t
}

// shows cuts the sentence e to at most budget runes: the whole comma segments
// in a row that hold most of the question's terms, and as much around them as
// there is room for.
func (q *question) shows(e evidence, budget int) span {
	s := span{clause: e.clause, doc: e.doc, start: e.start, end: e.end}
	r := []rune(e.clause.Text)
	if e.end-e.start > budget {
		s.start, s.end = q.window(r, segments(r, e.start, e.end), budget)
	}
	s.shown = oneLine(string(r[s.start:s.end]))
	if s.start > e.start {
		s.shown = ellipsis + s.shown
	}
	if s.end < e.end {
		s.shown += ellipsis
	}
	return s
}

// window is the run of segments of at most budget runes that holds most of
// q's terms; of equal ones the longest, then the first. One segment may be
// longer than the budget.
func (q *question) window(r []rune, segs []zh.Span, budget int) (start, end int) {
	best, size := -1.0, 0
	for i := range segs {
		for j := i; j < len(segs) && (j == i || segs[j].End-segs[i].Start <= budget); j++ {
			n := segs[j].End - segs[i].Start
			w := q.share(zh.Squeeze(zh.Fold(string(r[segs[i].Start:segs[j].End]))))
			if w > best+1e-9 || w > best-1e-9 && n > size && i > 0 == (start > segs[0].Start) {
				best, size, start, end = w, n, segs[i].Start, segs[j].End
			}
		}
	}
	return start, end
}

// segments splits r[start:end] behind commas, colons and semicolons.
func segments(r []rune, start, end int) []zh.Span {
	var out []zh.Span
	from := start
	for i := start; i < end; i++ {
		if strings.ContainsRune("，,；;：:。\n", r[i]) && !(r[i] == ',' && i+1 < end && r[i+1] >= '0' && r[i+1] <= '9') {
			out = append(out, zh.Span{Start: from, End: i + 1})
			from = i + 1
		}
	}
	if from < end {
		out = append(out, zh.Span{Start: from, End: end})
	}
	return out
}

// oneLine joins the lines of a quote.
func oneLine(s string) string {
	return strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r == '\n' || r == '\r' }), " ")
}
