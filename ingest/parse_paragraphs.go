package ingest

import (
	"sort"
	"strconv"
	"strings"

	"zhengda/internal/zh"
)

// parasIn are the paragraphs of [a,b), cut at both ends.
func (p *page) parasIn(a, b int) []Range {
	var out []Range
	k := sort.Search(len(p.paras), func(k int) bool { return p.paras[k].End > a })
	for ; k < len(p.paras) && p.paras[k].Start < b; k++ {
		s, e := trim(p.r, max(a, p.paras[k].Start), min(b, p.paras[k].End))
		if s < e {
			out = append(out, Range{s, e})
		}
	}
	return out
}

// pieces cuts [a,b) into parts of about the length piece that end with a
// paragraph, or with a sentence where a paragraph is long. Together they hold
// all of [a,b).
func (b *builder) pieces(from, to int) []Range {
	var out []Range
	at := from
	cut := func(i int) {
		if i > at {
			out = append(out, Range{at, i})
			at = i
		}
	}
	for _, q := range b.p.parasIn(from, to) {
		if q.End-at > piece && q.Start > at && q.End-q.Start > 80 {
			cut(q.Start)
		}
		for q.End-at > longest {
			cut(b.sentenceEnd(at+piece, min(q.End, at+longest)))
		}
		if q.End-at >= piece {
			cut(q.End)
		}
	}
	if n := len(out); at < to && n > 0 && b.p.read(at, to) == "" {
		out[n-1].End = to
	} else {
		cut(to)
	}
	return out
}

// sentenceEnd is the first rune after the end of a sentence at or after i, or
// to where there is none before it.
func (b *builder) sentenceEnd(i, to int) int {
	for ; i < to; i++ {
		if b.p.r[i] == '。' || b.p.r[i] == '；' {
			return i + 1
		}
	}
	return to
}

// paragraphs emits unnumbered text: as the preamble where it stands before the
// first clause, else as clauses without a number. n is the heading it stands
// below.
func (b *builder) paragraphs(d *document, q Range, n *node) {
	groups := b.group(q)
	for i, g := range groups {
		if i == 0 {
			g.Start = q.Start
		}
		end := q.End
		if i+1 < len(groups) {
			end = groups[i+1].Start
		}
		text := b.p.read(g.Start, g.End)
		if !b.begun && b.numbered {
			b.addPreamble(d, text, g.Start, end)
			continue
		}
		d.count++
		label := d.loose + "第" + strconv.Itoa(d.count) + "段"
		c := Clause{Label: label, Title: lineTitle(text), Path: d.path, Text: text, Start: g.Start, End: end}
		if c.Path == nil {
			c.Path = []string{}
		}
		key := label
		if n == nil {
			key = strings.TrimPrefix(label, d.prefix)
		}
		c.key = b.fresh(d.prefix, key, n)
		b.out.Clauses = append(b.out.Clauses, c)
	}
}

// lineTitle is the first of several lines where it is a heading.
func lineTitle(text string) string {
	first, _, more := strings.Cut(text, "\n")
	r := []rune(first)
	if !more || len(r) > 30 || isStop(r[len(r)-1]) || strings.ContainsAny(first, "，。；\t|") {
		return ""
	}
	return first
}

// group puts the paragraphs of q together that are read together: a list with
// its lead, a heading with its text, the rows of a table.
func (b *builder) group(q Range) []Range {
	var out []Range
	prev := Range{}
	paras := b.p.parasIn(q.Start, q.End)
	field := func(i int) bool { return i < len(paras) && isField(b.p.r[paras[i].Start:paras[i].End]) }
	for i, s := range paras {
		section := i > 0 && field(i-1) && field(i+1) && isShort(b.p.r[s.Start:s.End]) // the heading of further labelled lines
		if len(out) > 0 && !section && b.belongs(prev, s, out[len(out)-1]) {
			out[len(out)-1].End = s.End
		} else {
			out = append(out, s)
		}
		prev = s
	}
	var cut []Range
	for _, g := range out {
		if g.End-g.Start > longest {
			cut = append(cut, b.pieces(g.Start, g.End)...)
		} else {
			cut = append(cut, g)
		}
	}
	return cut
}

// belongs reports whether paragraph s is read with prev, the last one of the
// group g.
func (b *builder) belongs(prev, s, g Range) bool {
	r := b.p.r
	row := func(q Range) bool {
		return b.p.lineOf(q.Start).cell || isRow(r[q.Start:q.End]) || strings.Contains(b.p.read(q.Start, min(q.End, q.Start+200)), "\t")
	}
	size := s.End - g.Start
	c, _ := lastRune(r, prev.Start, prev.End)
	short := prev.End-prev.Start <= 30 && !isStop(c)
	if !b.begun && b.numbered {
		return row(prev) && row(s) && size < piece
	}
	_, marked := markerAt(r, s.Start)
	switch was := r[prev.Start:prev.End]; {
	case isField(r[s.Start:s.End]) && (isField(was) || isShort(was)):
		return size <= longest
	case size > piece && prev.End-prev.Start > 30, size > 2*piece:
		return false
	case row(prev) && row(s), c == '：' || c == ':' || c == '；':
		return true
	case marked && s.Start > g.Start:
		return !isHeading(r[prev.Start:prev.End]) || prev.Start == g.Start
	case isNote(r[s.Start:s.End]):
		return true
	}
	return short && (s.End-s.Start > 30 || !row(s) || prev.Start == g.Start)
}

// isField reports a line that is one of several labelled ones of a section, as
// 申请渠道：….
func isField(r []rune) bool {
	for i, c := range r {
		if c == '：' || c == ':' {
			return i >= 2 && i <= 6 && i+1 < len(r)
		}
		if !zh.IsHan(c) {
			return false
		}
	}
	return false
}

// isShort reports a line that may be a heading: short, and no sentence, field or
// row of a table.
func isShort(r []rune) bool {
	return len(r) <= 30 && !isStop(r[len(r)-1]) && !strings.ContainsAny(string(r), "，。；：:\t|")
}

func isHeading(r []rune) bool { return len(r) <= 20 && !isStop(r[len(r)-1]) && titleLike(r) }

// stretch emits a signature or a list of annexes.
func (b *builder) stretch(d *document, s stretch) {
	label := "落款"
	if s.role == listRole {
		label = "附件目录"
	}
	text := b.p.read(s.a, s.b)
	if !b.begun && b.numbered {
		b.out.Preamble = append(b.out.Preamble, Paragraph{Label: label, Text: text, Start: s.a, End: s.b})
		return
	}
	b.out.Clauses = append(b.out.Clauses, Clause{Label: d.loose + label, Path: pathOf(d), Text: text, Start: s.a, End: s.b,
		key: b.fresh(d.prefix, label, nil)})
}

func pathOf(d *document) []string {
	if d.path == nil {
		return []string{}
	}
	return d.path
}

// addPreamble labels a paragraph of the preamble by its lead-in, its role, or
// its place.
func (b *builder) addPreamble(d *document, text string, start, end int) {
	r := []rune(text)
	label := leadIn(r)
	switch {
	case label != "":
	case issueNo.MatchString(squeeze(r)):
		label = "文号"
	case addressee(r) && len(r) < 200:
		label = "主送"
	default:
		d.count++
		label = d.loose
		if label == "" {
			label = "前言"
		}
		label += "第" + strconv.Itoa(d.count) + "段"
	}
	b.out.Preamble = append(b.out.Preamble, Paragraph{Label: label, Text: text, Start: start, End: end})
}

// leadIn is the name a paragraph gives itself before a colon: 总体奋斗目标:….
func leadIn(r []rune) string {
	for i, c := range r {
		switch {
		case c == '：' || c == ':':
			if i >= 3 && i <= 12 && i+6 < len(r) && !addressee(r[:i+1]) {
				return string(r[:i])
			}
			return ""
		case !zh.IsHan(c):
			return ""
		}
	}
	return ""
}
