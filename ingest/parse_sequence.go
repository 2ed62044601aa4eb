package ingest

import (
	"slices"
	"strings"
)

// node is a marker that was found to number a clause or a heading.
type node struct {
	marker
	parent   *node
	prev     *node // the sibling before it
	children int
	inline   bool // stood in the middle of a line
	end      int  // where the next node or stretch begins
	contin   bool // its number goes on from the clauses of the heading before
	heading  int  // the first rune after its heading, 0 where it has none
	title    string
	chapter  bool // stands as a heading above clauses
}

// sequence decides which candidates number clauses: those that go on with a
// sequence that is open, or begin one.
type sequence struct {
	p        *page
	all      []candidate
	stack    []*node
	nodes    []*node
	last     [kinds]int // the last number of each family
	items    map[kind]int
	lines    [kinds]bool // families of which many begin a line
	gluey    bool        // half of the headings 一、 are stuck to the line before
	from     int         // the first rune
	standard bool        // numbered 1, 1.1, 1.1.1
	answer   int         // paragraph of the answer of a question page that is open
	warnings []Warning
}

// number reads the sequences of the ranges, which stand in reading order.
func (p *page) number(in []Range) ([]*node, []Warning) {
	s := &sequence{p: p, items: map[kind]int{}, answer: -1}
	for k, q := range in {
		if k == 0 {
			s.from = q.Start
		}
		s.all = append(s.all, p.candidates(q.Start, q.End)...)
	}
	s.standard = s.isStandard()
	s.countLines()
	for i := range s.all {
		s.markAnswer(i)
		if s.answer < 0 && s.accepts(i) {
			s.accept(i)
		}
	}
	return s.nodes, s.warnings
}

func (s *sequence) top() *node {
	if len(s.stack) == 0 {
		return nil
	}
	return s.stack[len(s.stack)-1]
}

// open is the place of family k in the stack, -1 when it is not open.
func (s *sequence) open(k kind) int {
	return slices.IndexFunc(s.stack, func(n *node) bool { return n.kind == k })
}

// bare reports whether a heading is open whose text up to i is short and ends
// no sentence, so that what is glued to it may be its first clause.
func (s *sequence) bare(i int) bool {
	from := 0
	if t := s.top(); t != nil {
		from = t.marker.end
	} else {
		return i < s.from+120
	}
	if i-from > 45 || i < from {
		return false
	}
	return !slices.ContainsFunc(s.p.r[from:i], func(c rune) bool { return strings.ContainsRune("。；;！", c) })
}

// next reports whether the number after that of s.all[i] follows, before the
// family begins again; at a line start where strong.
func (s *sequence) next(i int, strong bool) bool {
	c := s.all[i]
	for j := i + 1; j < len(s.all) && j < i+80; j++ {
		d := s.all[j]
		if d.kind != c.kind {
			continue
		}
		if d.n == c.n+1 && (!strong || d.stand == lineStart) {
			return true
		}
		if d.n <= c.n && d.stand == lineStart {
			return false
		}
	}
	return false
}

func (s *sequence) accepts(i int) bool {
	c := s.all[i]
	switch {
	case c.kind.statute():
		return s.acceptsStatute(i)
	case c.kind == decimals:
		return s.standard && c.stand == lineStart && s.acceptsDecimals(c)
	case s.inArticle(c.kind):
		return false
	case c.kind >= halfParen && (c.stand != lineStart || len(s.stack) == 0):
		return false
	}
	return s.acceptsOutline(i)
}

// inArticle reports whether an article is open to which family k belongs as
// 款 and 项.
func (s *sequence) inArticle(k kind) bool {
	a := s.open(article)
	at := s.open(k)
	return a >= 0 && !(at >= 0 && at < a)
}

func (s *sequence) acceptsDecimals(c candidate) bool {
	var prev []int
	for _, n := range slices.Backward(s.stack) {
		if n.kind == decimals {
			prev = n.nums
			break
		}
	}
	d := len(c.nums)
	if d > len(prev)+1 {
		return len(prev) == 0 && c.n == 1 || d > 1 && len(prev) > 0 && c.nums[0] == prev[0]+1
	}
	if d <= len(prev) {
		return slices.Equal(c.nums[:d-1], prev[:d-1]) && c.n > prev[d-1] && c.n <= prev[d-1]+3
	}
	return slices.Equal(c.nums[:d-1], prev) && c.n <= 2
}

func (s *sequence) acceptsStatute(i int) bool {
	c := s.all[i]
	last := s.last[c.kind]
	if at := s.open(hanComma); at >= 0 && c.kind == article && last == 0 && c.n != 1 {
		return false
	}
	cont := c.n == last+1 || c.n == last && c.sub > 0
	if c.n == 0 {
		return s.open(article) >= 0
	}
	first := c.n == 1 && (last == 0 || c.kind == section)
	switch c.stand {
	case lineStart:
		if c.kind != article && !s.headingLike(c) {
			return false
		}
		return true
	case afterStop, spaced:
		return cont || first || c.n == 1 && s.next(i, false) && s.bare(c.start) || c.n > last && c.n <= last+5 && (s.bare(c.start) || c.flat) ||
			c.kind == article && c.n > last && c.n <= last+30 && s.next(i, false)
	case afterComma, afterColon:
		return c.flat && c.n > last && c.n <= last+5
	}
	if t := s.top(); s.bare(c.start) && (t == nil || t.kind != article) {
		return cont || first || c.n > last && c.n <= last+5 && c.flat
	}
	if cont && c.kind == article && s.remnant(c.start, s.p.paras[c.para].Start) && isInlineSpace(s.p.r[c.end-1]) {
		return true
	}
	if cont || first { // a heading glued to a sentence that was not ended
		return c.kind != article && s.firstBelow(i)
	}
	return false
}

// firstBelow reports whether the first clause of a heading follows s.all[i]
// within its line.
func (s *sequence) firstBelow(i int) bool {
	if i+1 == len(s.all) {
		return false
	}
	next := s.all[i+1]
	return next.start-s.all[i].start < 45 && next.kind > s.all[i].kind && (next.n == s.last[next.kind]+1 || next.n == 1 && next.kind > article)
}

// remnant reports whether only a few words stand between i and the end of the
// sentence or the line before: a heading that has lost its number.
func (s *sequence) remnant(i, from int) bool {
	for j := i - 1; j >= i-12; j-- {
		if j < from {
			return true
		}
		if strings.ContainsRune("。；！？", s.p.r[j]) {
			return true
		}
		if strings.ContainsRune("，、：,:", s.p.r[j]) {
			return false
		}
	}
	return false
}

// headingLike reports whether what follows the marker of a chapter is short
// and ends no sentence within its line.
func (s *sequence) headingLike(c candidate) bool {
	q := s.p.paras[c.para]
	n := 0
	for i := c.end; i < q.End; i++ {
		if strings.ContainsRune("。；", s.p.r[i]) {
			break
		}
		if m, ok := markerAt(s.p.r, i); ok && m.kind <= digitDot {
			return true
		}
		n++
	}
	return n <= 60 || c.flat
}

func (s *sequence) acceptsOutline(i int) bool {
	c := s.all[i]
	at := s.open(c.kind)
	last := 0
	if at >= 0 {
		last = s.stack[at].n
	}
	cont := at >= 0 && c.n == last+1
	goesOn := at < 0 && s.last[c.kind] > 0 && c.n == s.last[c.kind]+1
	if s.isItem(i) {
		return false
	}
	if c.stand == lineStart {
		switch {
		case cont, goesOn, c.n == 1:
			return true
		case at >= 0:
			return c.n == last && s.p.lineOf(c.start).gap || c.n > last && c.n <= last+5 && (s.next(i, false) || c.n == last+2)
		case s.last[c.kind] > 0:
			return c.n > s.last[c.kind] && c.n <= s.last[c.kind]+3
		}
		return c.n <= 3 && s.next(i, true) || len(s.nodes) == 0 && s.next(i, true)
	}
	known := c.flat || s.lines[c.kind] || s.gluey || c.kind == hanComma
	switch c.stand {
	case afterStop:
		return cont || known && (goesOn || c.n == 1 && s.next(i, false)) || c.kind == hanComma && c.n > last && c.n <= last+5 && s.endsLine(c)
	case afterColon:
		return c.n == 1 && s.next(i, !c.flat && !s.gluey && c.kind != hanComma)
	case afterComma:
		return false
	}
	if s.bare(c.start) && (s.top() != nil || c.flat) {
		return cont || known && goesOn || c.n == 1 && s.next(i, !known && s.top() == nil)
	}
	return cont && c.flat && c.kind != digitDot && s.next(i, false) && (c.stand == spaced || s.closedBefore(c.start))
}

// endsLine reports whether what follows the marker is short and fills its
// paragraph, as a heading does.
func (s *sequence) endsLine(c candidate) bool {
	q := s.p.paras[c.para]
	return q.End-c.end <= 30 && q.End > c.end && !isStop(s.p.r[q.End-1])
}

// closedBefore reports whether a closing bracket stands right before i.
func (s *sequence) closedBefore(i int) bool {
	return i > 0 && strings.ContainsRune("）)”》", s.p.r[i-1])
}

// isItem reports whether family k is a list inside paragraphs rather than a
// level of the outline: it begins again and again under one chapter or, where
// nothing stands above it, in the whole document.
func (s *sequence) isItem(i int) bool {
	c := s.all[i]
	t := s.top()
	if t != nil && !(t.kind < article) {
		return false
	}
	if t == nil && c.kind == hanComma {
		return false
	}
	from := 0
	if t != nil {
		from = t.start + 1
	}
	if v, ok := s.items[c.kind]; ok && (v == from || v == -from) {
		return v == from && from > 0
	}
	ones := 0
	for j := i; j < len(s.all); j++ {
		d := s.all[j]
		if d.stand != lineStart && !d.flat {
			continue
		}
		if d.kind < article || d.kind == hanComma && c.kind != hanComma {
			break
		}
		if d.kind == c.kind && d.n == 1 {
			ones++
		}
	}
	s.items[c.kind] = -from
	if ones > 1 {
		s.items[c.kind] = from
	}
	return ones > 1 && from > 0
}

// accept makes s.all[i] a node under what is open.
func (s *sequence) accept(i int) {
	c := s.all[i]
	n := &node{marker: c.marker, inline: c.stand != lineStart}
	keep := len(s.stack)
	for k, o := range s.stack {
		if o.kind == c.kind && (c.kind != decimals || len(o.nums) >= len(c.nums)) || c.kind.statute() && o.kind.statute() && o.kind > c.kind ||
			c.kind.statute() && !o.kind.statute() && (s.statuteAbove(k) || o.kind != hanComma) {
			keep = k
			break
		}
	}
	if keep < len(s.stack) && s.stack[keep].kind == c.kind {
		n.prev = s.stack[keep]
	}
	prev := s.last[c.kind]
	restart := keep == len(s.stack) || c.kind == section
	n.contin = restart && !c.kind.statute() && prev > 0 && c.n > prev
	s.stack = s.stack[:keep]
	if t := s.top(); t != nil {
		n.parent = t
		t.children++
	}
	if c.n > 0 {
		s.warn(c, prev, restart)
	}
	s.stack = append(s.stack, n)
	s.nodes = append(s.nodes, n)
	if c.n > 0 {
		s.last[c.kind] = c.n
	}
	if c.kind < chapter { // a new 编 counts its chapters again
		s.last[chapter], s.last[section] = 0, 0
	}
	if c.kind == chapter {
		s.last[section] = 0
	}
}

// statuteAbove reports whether a statute marker stands in the stack below k:
// what is above it belongs to its text.
func (s *sequence) statuteAbove(k int) bool {
	return slices.ContainsFunc(s.stack[:k], func(n *node) bool { return n.kind.statute() })
}

func (s *sequence) warn(c candidate, prev int, restart bool) {
	line := s.p.read(c.start, min(len(s.p.r), c.start+24))
	add := func(kind, text string) {
		s.warnings = append(s.warnings, Warning{Kind: kind, Text: text, Start: c.start, End: c.marker.end})
	}
	switch {
	case c.kind == decimals:
	case c.n == prev && c.sub == 0 && !(restart && c.n == 1):
		add(RepeatedNumber, "编号重复:"+c.label+",见“"+line+"…”")
	case restart && c.n == 1, c.n == prev+1, c.sub > 0:
	case restart && prev == 0 || c.n > prev+1:
		add(MissingNumber, "编号不连续:"+c.label+"之前缺号,见“"+line+"…”")
	case c.n == 1 && !restart && !c.kind.statute():
		add(RepeatedNumber, "编号重新从"+c.label+"开始,见“"+line+"…”")
	case c.n < prev && c.n > 1:
		add(RepeatedNumber, "编号倒退:"+c.label+",见“"+line+"…”")
	}
	if c.stand != lineStart && !c.flat {
		add(GluedHeading, "编号粘在上一段末尾:“"+line+"…”")
	}
}
