package ingest

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"zhengda/internal/zh"
)

// arrange finds headings and titles of the nodes of d, and which of them
// stand above clauses.
func arrange(p *page, d *document) {
	type family struct {
		parent *node
		kind   kind
	}
	siblings := map[family][]*node{}
	heads := map[family]bool{}
	for i, n := range d.nodes {
		n.end = d.text[len(d.text)-1].End
		for _, q := range d.text {
			if n.start < q.End {
				n.end = q.End
				break
			}
		}
		if i+1 < len(d.nodes) {
			n.end = min(n.end, d.nodes[i+1].start)
		}
		p.findHeading(n)
		f := family{n.parent, n.kind}
		siblings[f] = append(siblings[f], n)
		if n.kind == digitDot && n.parent != nil {
			d.runs[n.parent.kind].see(n)
		}
	}
	for f, of := range siblings {
		heads[f] = headsAll(p, of)
	}
	for _, n := range d.nodes {
		own := n.heading > 0 && p.read(n.heading, n.end) != ""
		switch {
		case n.kind == volume || n.kind == chapter || n.kind == section:
			n.chapter = true
		case n.kind == article:
		case n.parent == nil || n.parent.kind < article:
			n.chapter = heads[family{n.parent, n.kind}]
		default:
			n.chapter = n.children > 0 && n.heading > 0 && !own
		}
	}
}

// headsAll reports whether siblings of one family are headings: one has
// clauses below it, and half of them stand on a line of their own.
func headsAll(p *page, siblings []*node) bool {
	all, lines, short, parents := len(siblings), 0, 0, 0
	for _, n := range siblings {
		if n.children > 0 && n.heading > 0 {
			parents++
		}
		if n.heading == 0 {
			continue
		}
		if c, _ := lastRune(p.r, n.marker.end, n.heading); !isStop(c) || c == '：' || c == ':' {
			lines++
		}
		if len([]rune(n.title)) <= 25 {
			short++
		}
	}
	return parents > 0 && (lines*2 >= all || short == all)
}

// findHeading sets the heading and the title of n: a first line of its own, or
// the words before the first full stop, or a bracket after an article's number.
func (p *page) findHeading(n *node) {
	a, b := trim(p.r, n.marker.end, n.end)
	if a >= b {
		n.heading = n.marker.end
		return
	}
	line, more := p.firstPara(a, b)
	t := p.r[line.Start:line.End]
	if n.kind.statute() && n.kind != article {
		if len(t) <= 60 && !(more && slices.Contains(t, '。')) {
			n.heading, n.title = line.End, plainTitle(p.read(line.Start, line.End))
		}
		return
	}
	if n.kind == article {
		n.title = articleTitle([]rune(p.read(line.Start, line.End)), more)
		return
	}
	above := n.children > 0 || more
	c, _ := lastRune(p.r, line.Start, line.End)
	stop := slices.IndexFunc(t, func(c rune) bool { return c == '。' || c == '；' || c == ';' })
	switch {
	case above && len(t) <= 50 && (!isStop(c) || (c == '：' || c == ':') && len(t) <= 30 || stop == len(t)-1 && len(t) <= 31):
		n.heading, n.title = line.End, strings.TrimRight(p.read(line.Start, line.End), "。：:；")
	case stop > 0 && stop <= 40 && t[stop] == '。' && (stop < len(t)-1 || more) && plainHeading(t[:stop]):
		n.title = p.read(line.Start, line.Start+stop)
		if n.children > 0 {
			n.heading = line.Start + stop + 1
		}
	default:
		if i := slices.IndexFunc(t, func(c rune) bool { return !zh.IsHan(c) }); i > 1 && i <= 12 && (t[i] == '：' || t[i] == ':') && i < len(t)-1 {
			n.title = string(t[:i])
		}
	}
}

// plainHeading reports whether the words before a full stop can be a title:
// they leave no bracket open and hold no colon.
func plainHeading(t []rune) bool {
	return !unclosed(t) && !slices.ContainsFunc(t, func(c rune) bool { return c == '：' || c == ':' })
}

var bracketTitle = regexp.MustCompile(`^[（(【\[〔]\s*([^）)】\]〕。，,]{2,24})\s*[）)】\]〕]`)

// articleTitle is the title of an article that begins with the paragraph t: in
// brackets, or a line of its own.
func articleTitle(t []rune, more bool) string {
	if len(t) == 0 {
		return ""
	}
	if m := bracketTitle.FindStringSubmatch(string(t)); m != nil {
		return m[1]
	}
	if more && len(t) <= 20 && !isStop(t[len(t)-1]) && !slices.ContainsFunc(t, func(c rune) bool { return c == '，' || c == ',' || c == '。' }) {
		return string(t)
	}
	return ""
}

// firstPara is the first paragraph of [a,b), and whether more text follows.
func (p *page) firstPara(a, b int) (Range, bool) {
	if paras := p.parasIn(a, b); len(paras) > 0 {
		return paras[0], len(paras) > 1
	}
	return Range{a, b}, false
}

// fullLabel is the label as cited: with the outline markers above it, or 第N条
// where numbers run on through the chapters.
func (n *node) fullLabel(d *document) string {
	if n.runsOn(d) {
		return "第" + strconv.Itoa(n.n) + "条"
	}
	label := n.label
	for p := n.parent; p != nil && !p.kind.statute() && n.kind > article && n.kind != decimals; p = p.parent {
		label = p.label + label
	}
	return label
}

// runsOn reports whether n is one of the numbers 1. that run on through the
// headings of d.
func (n *node) runsOn(d *document) bool {
	return n.kind == digitDot && n.parent != nil && (n.parent.kind == hanComma || n.parent.kind.statute()) && d.runs[n.parent.kind].on()
}

// numbering counts how the numbers 1. below the headings of one family go on.
type numbering struct{ ones, contin int }

func (r *numbering) see(n *node) {
	if n.n == 1 {
		r.ones++
	}
	if n.contin {
		r.contin++
	}
}

// on reports whether the numbers run on through the headings: they go on under
// another heading, and begin only once.
func (r numbering) on() bool { return r.contin > 0 && r.ones <= 1 }

// full is the heading as a path shows it, with its marker.
func (n *node) full() string {
	if n.kind.statute() || n.kind == decimals {
		return strings.TrimSpace(n.label + " " + n.title)
	}
	return n.label + n.title
}

// headings are the headings above n, outermost first.
func (n *node) headings() []string {
	var out []string
	for p := n.parent; p != nil; p = p.parent {
		out = append(out, p.full())
	}
	slices.Reverse(out)
	return out
}

// key sets n apart from the other nodes of its document: its markers, without
// punctuation.
func (n *node) key(d *document) string {
	if n.kind == decimals {
		return n.label
	}
	if n.runsOn(d) {
		return strconv.Itoa(n.n)
	}
	own := strings.NewReplacer("、", "", ".", "")
	key := own.Replace(n.label)
	for p := n.parent; p != nil && !p.kind.statute() && n.kind > article; p = p.parent {
		key = own.Replace(p.label) + key
	}
	return key
}
