package ingest

import (
	"slices"
	"strconv"
	"strings"

	"zhengda/rag"
)

// Parse reads the text of a document. It never fails: text without any
// structure becomes paragraphs.
func Parse(text string) Parsed {
	p := newPage(text)
	p.dropChrome()
	p.layout()
	b := &builder{p: p, seen: map[string]bool{}, again: map[string]int{}, out: Parsed{
		Preamble: []Paragraph{}, Chapters: []Chapter{}, Clauses: []Clause{}, Warnings: []Warning{}}}
	b.split(p.front())
	for i := range b.parts {
		b.parts[i].nodes, b.parts[i].warnings = p.number(b.parts[i].text)
		b.numbered = b.numbered || len(b.parts[i].nodes) > 0
	}
	for i := range b.parts {
		b.build(&b.parts[i])
	}
	b.sweep()
	b.warn()
	return b.out
}

// document is one of the documents of a page: a covering notice, what it
// carries, an annex.
type document struct {
	head     stretch
	text     []Range   // without its head and its inner stretches
	inner    []stretch // signatures and lists of annexes
	nodes    []*node
	warnings []Warning
	runs     [kinds]numbering
	prefix   string   // of the keys of its clauses
	loose    string   // of the labels of its unnumbered paragraphs
	path     []string // heading above all its clauses
	count    int      // unnumbered paragraphs so far
}

type builder struct {
	p        *page
	out      Parsed
	parts    []document
	numbered bool            // there are numbered clauses
	begun    bool            // the first of them is passed
	seen     map[string]bool // the keys in use
	again    map[string]int  // how often a key came again
}

// split cuts the page into documents at its titles and annexes.
func (b *builder) split(marks []stretch) {
	if len(b.p.lines) == 0 {
		return
	}
	at := b.p.lines[0].a
	d := document{}
	flush := func(to int) {
		if at < to {
			d.text = append(d.text, Range{at, to})
		}
	}
	for _, m := range marks {
		switch m.role {
		case titleRole:
			d.head = m
			b.out.Title = m.title
			at = m.b
		case subjectRole, annexRole:
			flush(m.a)
			b.parts = append(b.parts, d)
			d, at = document{head: m}, m.b
		default:
			flush(m.a)
			d.inner, at = append(d.inner, m), m.b
		}
	}
	flush(len(b.p.r))
	b.parts = append(b.parts, d)
	b.name()
}

// name gives each document what sets the keys and labels of its clauses apart.
func (b *builder) name() {
	var subjects []string
	for _, d := range b.parts {
		if d.head.role == subjectRole {
			subjects = append(subjects, d.head.title)
		}
	}
	if len(subjects) == 1 {
		b.out.Subject = subjects[0]
	}
	for i := range b.parts {
		d := &b.parts[i]
		switch d.head.role {
		case titleRole:
			if len(subjects) > 0 {
				d.prefix, d.loose = "通知", "通知"
			}
		case subjectRole:
			if len(subjects) > 1 {
				d.prefix, d.path = d.head.title, []string{d.head.title}
			}
		case annexRole:
			d.prefix, d.loose = d.head.label, d.head.label
			d.path = []string{strings.TrimSpace(d.head.label + " " + d.head.title)}
		}
	}
}

// build emits one document in reading order.
func (b *builder) build(d *document) {
	if d.head.role != titleRole {
		n := 0
		if d.head.role == annexRole {
			n, _, _ = annexNumber(d.head.label)
		}
		b.out.Chapters = append(b.out.Chapters, Chapter{
			Chapter: rag.Chapter{Label: d.head.label, Number: n, Title: d.head.title}, Start: d.head.a, End: d.head.b})
	}
	if d.head.role == annexRole {
		b.begun = true
	}
	arrange(b.p, d)
	nodes, inner := d.nodes, d.inner
	for _, q := range d.text {
		for len(inner) > 0 && inner[0].a < q.Start {
			b.stretch(d, inner[0])
			inner = inner[1:]
		}
		if len(nodes) == 0 || nodes[0].start >= q.End {
			b.paragraphs(d, q, nil)
			continue
		}
		if nodes[0].start > q.Start {
			b.paragraphs(d, Range{q.Start, nodes[0].start}, nil)
		}
		for len(nodes) > 0 && nodes[0].start < q.End {
			b.begun = true
			b.node(d, nodes[0])
			nodes = nodes[1:]
		}
	}
	for _, s := range inner {
		b.stretch(d, s)
	}
	b.out.Warnings = append(b.out.Warnings, d.warnings...)
}

func annexNumber(label string) (int, int, bool) {
	r := []rune(label)
	for i := range r {
		if n, e := numeralAt(r, i, 3); e > i {
			return n, e, true
		}
	}
	return 0, 0, false
}

// node emits a heading, a clause, or a heading and the clause of its own text.
func (b *builder) node(d *document, n *node) {
	label := n.fullLabel(d)
	path := slices.Concat(d.path, n.headings())
	start := n.start
	if n.chapter {
		end := n.heading
		if end == 0 {
			end = n.marker.end
		}
		title := n.title
		if n.heading == 0 {
			title = ""
		}
		b.out.Chapters = append(b.out.Chapters, Chapter{
			Chapter: rag.Chapter{Label: strings.TrimRight(n.label, "、."), Number: n.n, Title: title, Path: path}, Start: n.start, End: end})
		if p := b.p.read(end, n.end); p == "" {
			return
		}
		path = append(path, n.full())
		if n.kind.statute() {
			loose := *d
			loose.loose, loose.prefix, loose.path, loose.count = n.label, d.prefix, path, 0
			b.paragraphs(&loose, Range{end, n.end}, n)
			return
		}
		start = end
	}
	from, end := max(start, n.marker.end), n.end
	rest := b.p.afterList(n)
	if rest > 0 {
		end = rest
	}
	b.clause(d, n, Clause{Label: label, Number: n.n, Title: n.title, Path: path, Start: start, End: end}, from)
	if rest > 0 {
		up := *n.parent
		c := Clause{Label: up.fullLabel(d) + "第2段", Number: up.n, Path: slices.Concat(d.path, up.headings()), Text: b.p.read(rest, n.end), Start: rest, End: n.end}
		c.key = b.fresh(d.prefix, up.key(d)+"第2段", nil)
		b.out.Clauses = append(b.out.Clauses, c)
	}
}

// afterList is where the text of the parent of n goes on after its list, of
// which n is the last point: the points before it end with semicolons, n ends
// a sentence, and a paragraph follows. It is 0 where there is none.
func (p *page) afterList(n *node) int {
	if n.parent == nil || n.parent.chapter || n.prev == nil || n.children > 0 || n.kind.statute() {
		return 0
	}
	if c, _ := lastRune(p.r, n.prev.marker.end, n.prev.end); c != '；' && c != ';' {
		return 0
	}
	first, more := p.firstPara(n.marker.end, n.end)
	if c, _ := lastRune(p.r, first.Start, first.End); !more || c != '。' {
		return 0
	}
	return p.parasIn(n.marker.end, n.end)[1].Start
}

// longest is the length, in runes, above which a clause is cut at its
// paragraphs; piece is about the length of the parts.
const longest, piece = 4000, 1200

// clause emits a clause whose text begins at from, in parts where it is long.
func (b *builder) clause(d *document, n *node, c Clause, from int) {
	c.key = b.fresh(d.prefix, n.key(d), n)
	if c.Path == nil {
		c.Path = []string{}
	}
	end := c.End
	if end-from <= longest {
		c.Text = b.p.read(from, end)
		b.out.Clauses = append(b.out.Clauses, c)
		return
	}
	label, key := c.Label, c.key
	for i, q := range b.pieces(from, end) {
		if i > 0 {
			c.Start = q.Start
			c.Label, c.key = label+"第"+strconv.Itoa(i+1)+"段", key+"第"+strconv.Itoa(i+1)+"段"
		}
		c.End, c.Text = q.End, b.p.read(q.Start, q.End)
		if i == 0 {
			c.Text = b.p.read(from, q.End)
		}
		b.out.Clauses = append(b.out.Clauses, c)
	}
}

// fresh is a key that no other clause of the page has: key, with the statute
// headings above n before it as far as needed.
func (b *builder) fresh(prefix, key string, n *node) string {
	full := prefix + key
	if n != nil {
		for p := n.parent; p != nil && b.seen[full]; p = p.parent {
			if p.kind.statute() {
				key = p.label + key
				full = prefix + key
			}
		}
	}
	base := full
	for b.seen[full] {
		b.again[base]++
		full = base + "~" + strconv.Itoa(b.again[base]+1)
	}
	b.seen[full] = true
	return full
}

// sweep drops what no part holds, which can only be signs of markup: so every
// visible rune has its place.
func (b *builder) sweep() {
	held := slices.Clone(b.p.gone)
	for _, d := range b.parts {
		if d.head.b > 0 {
			held = append(held, Range{d.head.a, d.head.b})
		}
	}
	for _, q := range b.out.Preamble {
		held = append(held, Range{q.Start, q.End})
	}
	for _, c := range b.out.Chapters {
		held = append(held, Range{c.Start, c.End})
	}
	for _, c := range b.out.Clauses {
		held = append(held, Range{c.Start, c.End})
	}
	held = append(held, Range{len(b.p.r), len(b.p.r)})
	slices.SortFunc(held, func(x, y Range) int { return x.Start - y.Start })
	at := 0
	for _, h := range held {
		if s, e := trim(b.p.r, at, max(at, h.Start)); s < e {
			b.p.gone = append(b.p.gone, Range{s, e})
		}
		at = max(at, h.End)
	}
}

// warn adds the warnings of the layout, in reading order with the others.
func (b *builder) warn() {
	p := b.p
	for i, l := range p.lines {
		if l.broken && i+1 < len(p.lines) {
			next := p.lines[i+1]
			b.out.Warnings = append(b.out.Warnings, Warning{Kind: BrokenParagraph, Start: l.b, End: next.a,
				Text: "句子被空行断开:“…" + p.str(max(l.a, l.b-10), l.b) + " ⏎ " + p.str(next.a, min(next.b, next.a+10)) + "…”"})
		}
	}
	for _, g := range p.gone {
		b.out.Warnings = append(b.out.Warnings, Warning{Kind: Dropped, Text: p.str(g.Start, g.End), Start: g.Start, End: g.End, Range: &Range{g.Start, g.End}})
	}
	slices.SortStableFunc(b.out.Warnings, func(x, y Warning) int { return x.Start - y.Start })
}
