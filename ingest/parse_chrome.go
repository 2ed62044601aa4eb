package ingest

import (
	_ "embed"
	"regexp"
	"slices"
	"strings"
)

//go:embed parse_chrome.txt
var chromeList string

// chrome holds the expressions of parse_chrome.txt by where they count.
var chrome = func() map[string]*regexp.Regexp {
	lists := map[string][]string{}
	for _, l := range strings.Split(chromeList, "\n") {
		if where, expr, ok := strings.Cut(l, "\t"); ok && !strings.HasPrefix(l, "#") {
			lists[where] = append(lists[where], expr)
		}
	}
	out := map[string]*regexp.Regexp{}
	for where, exprs := range lists {
		out[where] = regexp.MustCompile(`(?i)^(?:` + strings.Join(exprs, "|") + `)$`)
	}
	return out
}()

func isChrome(where string, r []rune) bool {
	return len(r) <= 300 && chrome[where].MatchString(string(r))
}

// drop takes lines[i:j] out of the page.
func (p *page) drop(i, j int) {
	if i >= j {
		return
	}
	p.gone = append(p.gone, Range{p.lines[i].a, p.lines[j-1].b})
	if j < len(p.lines) {
		p.lines[j].gap = p.lines[j].gap || i == 0 || p.lines[i].gap
	}
	p.lines = slices.Delete(p.lines, i, j)
}

// dropChrome takes out what is no part of the document: page numbers, scripts
// and contents everywhere; metadata, navigation and page footers before the
// first and after the last line that looks like a clause.
func (p *page) dropChrome() {
	p.dropWhere(0, len(p.lines), func(l line) bool { return isChrome("any", p.text(l)) })
	p.dropContents()
	p.dropRunningHeads()
	p.dropPageNumbers()
	first, last := p.body()
	p.dropTail(last)
	last = min(last, len(p.lines))
	p.dropWhere(last, len(p.lines), func(l line) bool { return isChrome("edge", p.text(l)) })
	p.dropHead(first)
	p.dropMarkup()
	slices.SortFunc(p.gone, func(a, b Range) int { return a.Start - b.Start })
	merged := p.gone[:0]
	for _, g := range p.gone {
		if n := len(merged); n > 0 && g.Start < merged[n-1].End {
			merged[n-1].End = max(merged[n-1].End, g.End)
		} else {
			merged = append(merged, g)
		}
	}
	p.gone = merged
}

// dropRunningHeads drops the title where it is repeated on later pages, at least
// twice and right behind a page number, and the page numbers: numbers alone on
// their lines that count the pages one by one.
func (p *page) dropRunningHeads() {
	if len(p.lines) == 0 {
		return
	}
	first, second := squeeze(p.text(p.lines[0])), ""
	if len(p.lines) > 1 {
		second = squeeze(p.text(p.lines[1]))
	}
	heads, numbers := map[int]bool{}, map[int]bool{}
	repeated, last := 0, -1
	for i, l := range p.lines {
		if n, e := numeralAt(p.r, l.a, 3); e == l.b && isDigit(p.r[l.a]) {
			if last >= 0 && n != last+1 {
				return
			}
			numbers[l.a], last = true, n
		}
		if i == 0 || !numbers[p.lines[i-1].a] || squeeze(p.text(l)) != first {
			continue
		}
		repeated++
		heads[l.a] = true
		if i+1 < len(p.lines) && squeeze(p.text(p.lines[i+1])) == second {
			heads[p.lines[i+1].a] = true
		}
	}
	if repeated >= 2 && len([]rune(first)) >= 4 {
		p.dropWhere(0, len(p.lines), func(l line) bool { return heads[l.a] || numbers[l.a] })
	}
}

// dropWhere drops the lines of lines[from:to] for which f holds, in runs.
func (p *page) dropWhere(from, to int, f func(line) bool) {
	kept := p.lines[:from:from]
	run := Range{-1, -1}
	gap := false
	flush := func() {
		if run.Start >= 0 {
			p.gone = append(p.gone, run)
			run = Range{-1, -1}
		}
	}
	for i, l := range p.lines[from:] {
		if from+i < to && f(l) {
			if run.Start < 0 {
				run.Start = l.a
			}
			run.End = l.b
			gap = gap || l.gap && len(kept) > 0 && !p.openEnd(kept[len(kept)-1])
			continue
		}
		flush()
		l.gap = l.gap || gap
		gap = false
		kept = append(kept, l)
	}
	flush()
	p.lines = kept
}

// openEnd reports whether the sentence of l is not at its end.
func (p *page) openEnd(l line) bool { return !p.ends(l) }

// body is the range of lines from the first to after the last one that begins
// with a marker or holds a sentence.
func (p *page) body() (first, last int) {
	first, last = -1, 0
	for i, l := range p.lines {
		m, ok := markerAt(p.r, l.a)
		long := l.b-l.a > 60 || l.b-l.a > 15 && p.ends(l) && slices.Contains(p.text(l), '。')
		if !(ok && m.kind < digitParen) && !long || isChrome("edge", p.text(l)) || isChrome("tail", p.text(l)) {
			continue
		}
		if first < 0 {
			first = i
		}
		last = i + 1
	}
	return max(first, 0), last
}

// dropTail drops a page footer: from the first footer line after the body to
// the end, when nothing there is a sentence.
func (p *page) dropTail(from int) {
	for i := from; i < len(p.lines); i++ {
		if isChrome("tail", p.text(p.lines[i])) {
			p.drop(i, len(p.lines))
			return
		}
	}
}

// dropHead drops metadata before the body, and the navigation above the title.
func (p *page) dropHead(first int) {
	title := p.findTitle(first)
	isMeta := func(l line) bool { return isChrome("edge", p.text(l)) || isChrome("tail", p.text(l)) }
	if title < 0 {
		p.dropWhere(0, min(first, len(p.lines)), isMeta)
		return
	}
	at := p.lines[title].a
	p.dropWhere(0, min(first, len(p.lines)), func(l line) bool { return l.a < at || l.a != at && isMeta(l) })
}

// findTitle is the line at which the title begins, -1 when nothing above the
// first text is chrome: the first line above lines[first] that reads like the
// title of an official document, else the last one before its metadata.
func (p *page) findTitle(first int) int {
	meta := -1
	for i, l := range p.lines[:min(first, len(p.lines))] {
		if isChrome("edge", p.text(l)) || isChrome("tail", p.text(l)) {
			if meta < 0 || i > 0 {
				meta = i
			}
		}
	}
	if meta < 0 {
		return -1
	}
	for i, l := range p.lines[:first] {
		t := p.text(l)
		if isChrome("edge", t) || isChrome("tail", t) || addressee(t) {
			continue
		}
		if c, _ := lastRune(p.r, l.a, l.b); c == '。' || c == '？' || c == '?' {
			break
		}
		if titleLike(t) || len(t) >= 8 && titleBegins(t) {
			return i
		}
	}
	for i := meta - 1; i >= 0; i-- {
		if t := p.text(p.lines[i]); !isChrome("edge", t) && !isChrome("tail", t) {
			return i
		}
	}
	return -1
}

// dropPageNumbers drops bare numbers that stand alone between cut lines, and
// one before the first line.
func (p *page) dropPageNumbers() {
	bare := func(l line) (int, bool) {
		n, e := numeralAt(p.r, l.a, 3)
		return n, e == l.b && isDigit(p.r[l.a])
	}
	var at []int
	for i, l := range p.lines {
		if _, ok := bare(l); ok {
			at = append(at, i)
		}
	}
	pages, cut := map[int]bool{}, p.wrapWidth() > 0
	for k, i := range at {
		near := k > 0 && i-at[k-1] < 15 || k+1 < len(at) && at[k+1]-i < 15
		if i == 0 || !near && cut {
			pages[p.lines[i].a] = true
		}
	}
	if len(pages) > 0 {
		p.dropWhere(0, len(p.lines), func(l line) bool { return pages[l.a] })
	}
}

// dropContents drops a table of contents: the lines after 目录 up to the one
// that is printed a second time.
func (p *page) dropContents() {
	for i, l := range p.lines[:min(len(p.lines), 80)] {
		if t := squeeze(p.text(l)); t != "目录" && t != "目次" {
			continue
		}
		if i+1 < len(p.lines) && slices.ContainsFunc(p.gone, func(g Range) bool { return l.b <= g.Start && g.End <= p.lines[i+1].a }) {
			p.drop(i, i+1) // its entries with page numbers are dropped
			return
		}
		seen := map[string]bool{}
		for j := i + 1; j < len(p.lines) && j < i+400; j++ {
			t := squeeze(p.text(p.lines[j]))
			if n := len([]rune(t)); n > 50 || p.ends(p.lines[j]) && n > 20 {
				return
			}
			if _, marked := markerAt(p.r, p.lines[j].a); seen[t] && marked {
				p.drop(i, j)
				return
			}
			seen[t] = true
		}
		return
	}
}

// dropMarkup drops the signs of Markdown: # before a heading, ** around words.
func (p *page) dropMarkup() {
	for i := range p.lines {
		l := &p.lines[i]
		a := l.a
		for a < l.b && p.r[a] == '#' {
			a++
		}
		if a > l.a && a < l.b && isInlineSpace(p.r[a]) {
			p.gone = append(p.gone, Range{l.a, a})
			l.a, _ = trim(p.r, a, l.b)
			l.gap = true
		}
		open := -1
		for j := l.a; j+1 < l.b; j++ {
			if p.r[j] != '*' || p.r[j+1] != '*' {
				continue
			}
			if open < 0 {
				open = j
			} else if j > open+2 {
				p.gone = append(p.gone, Range{open, open + 2}, Range{j, j + 2})
				open = -1
			}
			j++
		}
		for l.a+2 < l.b && p.isGone(l.a) {
			l.a, _ = trim(p.r, l.a+2, l.b)
		}
	}
}

// isGone reports whether the rune at i is among the last dropped ranges.
func (p *page) isGone(i int) bool {
	for _, g := range p.gone[max(0, len(p.gone)-64):] {
		if g.Start <= i && i < g.End {
			return true
		}
	}
	return false
}

// squeeze is the text without white space and invisible runes.
func squeeze(r []rune) string {
	var b strings.Builder
	for _, c := range r {
		if !isBlank(c) {
			b.WriteRune(c)
		}
	}
	return b.String()
}
