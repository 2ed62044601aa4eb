package ingest

import (
	"sort"
	"strings"
	"unicode"
)

// line is a line of the source that holds visible text.
type line struct {
	a, b   int    // rune offsets of its text, white space at both ends left out
	tab    bool   // begins with a tab: a cell of a table
	gap    bool   // one or more blank lines stand before it
	cell   bool   // stands in a table of one cell a line
	sep    string // what stands between it and the next line when they are read
	broken bool   // its sentence goes on after a blank line
}

// page is the source with its layout.
type page struct {
	r     []rune
	lines []line // without those dropped
	gone  []Range
	flat  []Range // lines that hold a whole document or a large part of it
	paras []Range // paragraphs: lines that are read together
}

// isBlank reports white space and invisible runes.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r >= 0x200b && r <= 0x200f || r == 0x2060 || r == 0xfeff || r >= 0x1c && r <= 0x1f
}

func newPage(text string) *page {
	p := &page{r: []rune(text)}
	start, gap := 0, false
	for i := 0; i <= len(p.r); i++ {
		if i < len(p.r) && !strings.ContainsRune("\n\r\v\f\u0085\u2028\u2029", p.r[i]) {
			continue
		}
		a, b := trim(p.r, start, i)
		if a < b {
			p.lines = append(p.lines, line{a: a, b: b, gap: gap, tab: p.r[start] == '\t', sep: "\n"})
			gap = false
		} else if !(i > 0 && start == i && i < len(p.r) && p.r[i] == '\n' && p.r[i-1] == '\r') {
			gap = true
		}
		start = i + 1
	}
	return p
}

func trim(r []rune, a, b int) (int, int) {
	for a < b && isBlank(r[a]) {
		a++
	}
	for b > a && isBlank(r[b-1]) {
		b--
	}
	return a, b
}

func (p *page) str(a, b int) string { return string(p.r[a:b]) }

func (p *page) text(l line) []rune { return p.r[l.a:l.b] }

// read gives the text of [a,b): dropped runes left out, broken lines joined.
func (p *page) read(a, b int) string {
	var out strings.Builder
	i := sort.Search(len(p.lines), func(i int) bool { return p.lines[i].b > a })
	g := sort.Search(len(p.gone), func(g int) bool { return p.gone[g].End > a })
	sep := ""
	for ; i < len(p.lines) && p.lines[i].a < b; i++ {
		l := p.lines[i]
		from, to := trim(p.r, max(l.a, a), min(l.b, b))
		n := out.Len()
		if from < to {
			out.WriteString(sep)
		}
		m := out.Len()
		for from < to {
			for g < len(p.gone) && p.gone[g].End <= from {
				g++
			}
			if g < len(p.gone) && p.gone[g].Start <= from {
				from = p.gone[g].End
				continue
			}
			stop := to
			if g < len(p.gone) {
				stop = min(to, p.gone[g].Start)
			}
			out.WriteString(string(p.r[from:stop]))
			from = stop
		}
		if out.Len() == m && m > n { // nothing but dropped runes
			s := out.String()[:n]
			out.Reset()
			out.WriteString(s)
		} else if out.Len() > m {
			sep = l.sep
		}
	}
	return strings.TrimFunc(out.String(), isBlank)
}

const (
	stops   = "。！？；!?;：:"
	closers = "”’）)》」』】〕\""
)

// lastRune is the last rune of r[:i] that is neither white space nor a closing
// mark, and whether closing marks were passed.
func lastRune(r []rune, from, i int) (c rune, closed bool) {
	for i--; i >= from; i-- {
		switch {
		case isBlank(r[i]):
		case strings.ContainsRune(closers, r[i]):
			closed = true
		default:
			return r[i], closed
		}
	}
	return 0, closed
}

func isStop(r rune) bool { return r != 0 && strings.ContainsRune(stops, r) }

// ends reports whether the line ends a sentence.
func (p *page) ends(l line) bool {
	c, _ := lastRune(p.r, l.a, l.b)
	return isStop(c) || c == '…' || c == '.' && !isDigit(p.r[l.a])
}

// width is the number of full-width places of a line.
func width(r []rune) int {
	w := 0
	for _, c := range r {
		if c < 0x80 {
			w++
		} else {
			w += 2
		}
	}
	return (w + 1) / 2
}

// wrapWidth is the width at which the lines of the page are cut, 0 where they
// are not: most lines that end in mid-sentence have the same width.
func (p *page) wrapWidth() int {
	count, open := map[int]int{}, 0
	for _, l := range p.lines {
		if w := width(p.text(l)); w >= 16 && w <= 60 && !p.ends(l) {
			count[w]++
			open++
		}
	}
	best, most := 0, 0
	for w := 16; w <= 60; w++ {
		if n := count[w-2] + count[w-1] + count[w] + count[w+1]; n > most {
			best, most = w, n
		}
	}
	if most < 5 || most*2 < open || most*4 < len(p.lines) {
		return 0
	}
	return best
}

// layout decides what stands between each two lines, and finds the paragraphs.
func (p *page) layout() {
	p.tables()
	w, indented := p.wrapWidth(), p.tabIndented()
	for i := range p.lines[:max(0, len(p.lines)-1)] {
		l, next := &p.lines[i], &p.lines[i+1]
		switch {
		case l.cell && next.cell:
		case next.tab && !next.gap && !indented && !p.startsTabbed(next) && !isNote(p.text(*next)):
			l.sep = "\t"
		case p.joins(*l, *next, w):
			l.sep = ""
			if p.r[l.b-1] < 0x80 && isLatin(p.r[l.b-1]) && isLatin(p.r[next.a]) {
				l.sep = " "
			}
			l.broken = next.gap
		}
	}
	for i := 0; i < len(p.lines); {
		j := i
		for j+1 < len(p.lines) && p.lines[j].sep != "\n" {
			j++
		}
		p.paras = append(p.paras, Range{p.lines[i].a, p.lines[j].b})
		i = j + 1
	}
	total := 0
	for _, q := range p.paras {
		total += q.End - q.Start
	}
	for _, q := range p.paras {
		if n := q.End - q.Start; n > 100 && n*5 > total*2 && p.crowded(q) {
			p.flat = append(p.flat, q)
		}
	}
}

// crowded reports whether three markers or more stand inside the paragraph
// after the end of a sentence.
func (p *page) crowded(q Range) bool {
	found := 0
	for i := q.Start + 1; i < q.End && found < 3; i++ {
		m, ok := markerAt(p.r, i)
		if !ok {
			continue
		}
		if s := p.standing(q.Start, i); m.kind <= digitDot && (s == afterStop || s == spaced) || m.kind <= hanComma && s == afterColon {
			found++
		}
		i = m.end - 1
	}
	return found == 3
}

// starts reports whether the line begins with a marker or is a heading of an
// annex.
func (p *page) starts(l *line) bool {
	m, ok := markerAt(p.r, l.a)
	if ok && m.kind == decimals {
		return len(m.nums) > 1 || m.end > m.start+2
	}
	return ok || annexLine(p.text(*l)) || strings.HasPrefix(p.str(l.a, l.b), "#")
}

// startsTabbed is starts for a line that begins with a tab, in which the small
// numbers count points inside a cell.
func (p *page) startsTabbed(l *line) bool {
	m, ok := markerAt(p.r, l.a)
	return p.starts(l) && !(ok && m.kind > hanComma)
}

// tabIndented reports whether tabs indent the paragraphs of the page, rather
// than begin the cells of its tables.
func (p *page) tabIndented() bool {
	tabs := 0
	for _, l := range p.lines {
		if l.tab {
			tabs++
		}
	}
	return tabs*5 > len(p.lines)*4
}

func isNote(r []rune) bool {
	return len(r) > 1 && (r[0] == '注' || r[0] == '附') && (r[1] == '：' || r[1] == ':' || r[1] == '件')
}

// joins reports whether the sentence of l goes on in next. Lines cut at width
// w are joined wherever they are full; other lines only where it is plain that
// a sentence was cut.
func (p *page) joins(l, next line, w int) bool {
	if p.starts(&next) && !p.refers(l) {
		return false
	}
	a, b := p.text(l), p.text(next)
	if l.cell || next.cell || l.tab || next.tab || isNote(b) || isRow(a) || isRow(b) {
		return false
	}
	if strings.ContainsRune("，。、；：！？,;）)”》】", b[0]) && len(b) > 1 {
		return true
	}
	if dateLine(a) || dateLine(b) || a[0] == '#' || strings.HasPrefix(string(a), "<!") {
		return false
	}
	ends := p.ends(l)
	if w > 0 {
		if n := width(a); n >= w-2 && n <= w+3 && !(ends && next.gap) {
			return true
		}
	}
	if ends {
		return false
	}
	last := a[len(a)-1]
	if strings.ContainsRune("，、,（(《“—", last) || unclosed(a) {
		return len(a) > 8
	}
	if len(a) < 12 || len(b) < 2 {
		return false
	}
	inner := false // a sentence ends inside the line: it is no heading
	for _, c := range a[:len(a)-1] {
		if c == '。' || c == '；' {
			inner = true
		}
	}
	return (inner || len(a) >= 60) && !strings.ContainsRune("）)", last) && last != '…' && (p.ends(next) || len(b) >= 20)
}

// refers reports whether the line ends as before a reference that was cut off
// by the end of the line: 依照本办法⏎第八条….
func (p *page) refers(l line) bool {
	s := p.str(max(l.a, l.b-4), l.b)
	for _, e := range words["reference-before"] {
		if strings.HasSuffix(s, e) && !p.ends(l) {
			return true
		}
	}
	return false
}

// unclosed reports whether a bracket or a quotation mark is left open.
func unclosed(r []rune) bool {
	depth := map[rune]int{}
	for _, c := range r {
		switch c {
		case '（', '(':
			depth['（']++
		case '）', ')':
			depth['（']--
		case '《':
			depth['《']++
		case '》':
			depth['《']--
		case '“':
			depth['“']++
		case '”':
			depth['“']--
		}
	}
	return depth['（'] > 0 || depth['《'] > 0 || depth['“'] > 0
}

// lineOf is the line that holds the rune at i.
func (p *page) lineOf(i int) line {
	k := sort.Search(len(p.lines), func(k int) bool { return p.lines[k].b > i })
	if k == len(p.lines) {
		return line{}
	}
	return p.lines[k]
}
