package ingest

import (
	"slices"
	"sort"
	"strings"

	"zhengda/internal/zh"
)

// How a marker stands in its line.
type stand uint8

const (
	lineStart stand = iota
	afterStop
	afterColon
	afterComma
	spaced
	glued
)

// candidate is a marker that may number a clause.
type candidate struct {
	marker
	stand stand
	flat  bool // in a line that holds a whole document
	para  int
}

// candidates finds the markers of [a,b) outside quotations and brackets.
func (p *page) candidates(a, b int) []candidate {
	var out []candidate
	var note marker // the last point of the note that is open
	shut := 0       // the end of the quotation or bracket that i stands in
	k := sort.Search(len(p.paras), func(k int) bool { return p.paras[k].End > a })
	for ; k < len(p.paras) && p.paras[k].Start < b; k++ {
		q := Range{max(a, p.paras[k].Start), min(b, p.paras[k].End)}
		if m, ok := p.nameless(k, q); ok {
			out = append(out, candidate{marker: m, para: k})
			continue
		}
		flat := slices.ContainsFunc(p.flat, func(f Range) bool { return f.Start <= q.Start && q.End <= f.End })
		for i := q.Start; i < q.End; i++ {
			if c := p.r[i]; i >= shut && i > q.Start && (c == '“' || c == '《' || c == '（' || c == '(' || c == '‘') {
				if e := closing(p.r, i, q.End); e > i {
					shut = e
				} else if c == '“' {
					shut = p.quoted(i, q.End)
				}
			}
			if m, ok := markerAt(p.r, i); ok && p.inNote(q, m, &note) {
				i = m.end - 1
			} else if ok && m.end <= q.End+1 && (i >= shut || shut <= m.end) { // its own brackets shut nothing out
				m.end = min(m.end, q.End)
				out = append(out, candidate{m, p.standing(q.Start, i), flat, k})
				i = m.end - 1
			} else if ok {
				i = max(i, m.end-1)
			}
		}
	}
	return out
}

// nameless reads paragraph k as the heading of a chapter that has lost its
// number: a few words alone between the end of an article and the next one.
func (p *page) nameless(k int, q Range) (marker, bool) {
	if k == 0 || k+1 >= len(p.paras) || q != p.paras[k] || q.End-q.Start > 16 || q.End-q.Start < 2 {
		return marker{}, false
	}
	if _, marked := markerAt(p.r, q.Start); marked {
		return marker{}, false
	}
	next, ok := markerAt(p.r, p.paras[k+1].Start)
	prev := p.paras[k-1]
	c, _ := lastRune(p.r, prev.Start, prev.End)
	if !ok || next.kind != article || next.n < 2 || c != '。' {
		return marker{}, false
	}
	for _, c := range p.r[q.Start:q.End] {
		if !zh.IsHan(c) && c != '、' && !isInlineSpace(c) {
			return marker{}, false
		}
	}
	return marker{kind: chapter, start: q.Start, end: q.Start}, true
}

// inNote reports whether m counts the points of a note (注：1.…): it stands in
// it, or goes on with it at the beginning of the next paragraph.
func (p *page) inNote(q Range, m marker, note *marker) bool {
	if isNote(p.r[q.Start:q.End]) && m.start-q.Start <= 4 && m.n == 1 {
		*note = m
		return true
	}
	if note.kind == m.kind && m.n == note.n+1 {
		*note = m
		return true
	}
	if m.start == q.Start {
		*note = marker{}
	}
	return false
}

// quotation is the longest quotation of several paragraphs, in runes.
const quotation = 3000

// quoted is the end of a quotation of several paragraphs that begins at i, as
// an amendment quotes an article: a colon stands before it, and no other
// quotation begins before it ends but at the beginning of a paragraph.
func (p *page) quoted(i, paraEnd int) int {
	if p.r[i-1] != '：' && p.r[i-1] != ':' && p.r[i-1] != '为' {
		return 0
	}
	for j := paraEnd; j < min(len(p.r), i+quotation); j++ {
		switch p.r[j] {
		case '”':
			return j + 1
		case '“':
			if e := closing(p.r, j, min(len(p.r), j+200)); e > 0 && !p.opens(j) {
				j = e - 1
			}
		}
	}
	return 0
}

// opens reports whether the rune at i begins a line.
func (p *page) opens(i int) bool { return p.lineOf(i).a == i }

// closing is the rune after the partner of the opening mark at r[i], 0 when
// there is none near by.
func closing(r []rune, i, end int) int {
	pairs := map[rune]rune{'“': '”', '《': '》', '（': '）', '(': ')', '‘': '’'}
	open, want, depth := r[i], pairs[r[i]], 0
	for j := i; j < min(end, i+400); j++ {
		c := r[j]
		switch {
		case c == open || open == '（' && c == '(' || open == '(' && c == '（':
			depth++
		case c == want || want == '）' && c == ')' || want == ')' && c == '）':
			if depth--; depth == 0 {
				return j + 1
			}
		}
	}
	return 0
}

func (p *page) standing(from, i int) stand {
	c, closed := lastRune(p.r, from, i)
	switch {
	case c == 0 && !closed:
		return lineStart
	case c == '：' || c == ':':
		return afterColon
	case isStop(c):
		return afterStop
	case strings.ContainsRune("，,", c):
		return afterComma
	case closed && p.afterRemark(from, i):
		return afterStop
	case i > from && isInlineSpace(p.r[i-1]):
		return spaced
	}
	return glued
}

// afterRemark reports whether a remark in brackets stands right before i, and
// the end of a sentence before it: …。（科技部负责）.
func (p *page) afterRemark(from, i int) bool {
	_, i = trim(p.r, from, i)
	if i <= from || p.r[i-1] != '）' && p.r[i-1] != ')' {
		return false
	}
	depth := 0
	for j := i - 1; j >= from && j > i-200; j-- {
		switch p.r[j] {
		case '）', ')':
			depth++
		case '（', '(':
			if depth--; depth == 0 {
				c, _ := lastRune(p.r, from, j)
				return isStop(c)
			}
		}
	}
	return false
}
