package format

import (
	"regexp"
	"sort"
	"strings"
	"unicode"
)

// layout turns pages set in lines back into paragraphs. A line that reaches
// the right margin goes on in the next one, unless that is indented; so a
// wrapped line that happens to begin with a number does not look like a
// marker.
type layout struct {
	pages   []string
	dropped []string
	left    int // columns before a line that is not indented
	right   int // columns at which full lines end
}

type pageLine struct {
	text   string
	indent int // columns
	end    int
	blank  bool // blank lines stand before it
	top    bool // first of its page
}

var (
	pageNumber = regexp.MustCompile(`^[-—–－·•\s]*(第\s*)?[0-9０-９ivxIVX]{1,4}\s*(页)?([,，/共\s]*[0-9]{1,4}\s*页?)?[-—–－·•\s]*$`)
	digitRuns  = regexp.MustCompile(`[0-9]+`)
	// marker begins a numbered paragraph.
	marker = regexp.MustCompile(`^(第[一二三四五六七八九十百千零〇○0-9]+[编章节条]|[一二三四五六七八九十百]+、|[（(][一二三四五六七八九十百0-9]+[)）]|[0-9]{1,3}[.．、]([^0-9]|$)|附件?\s*[0-9一二三四五六七八九十]*\s*[:：]|注\s*[:：])`)
	// gap separates the cells of a table row.
	gap = regexp.MustCompile(` {3,}`)
)

func (l *layout) text() string {
	pages := make([][]pageLine, len(l.pages))
	for i, p := range l.pages {
		pages[i] = split(p)
	}
	pages = l.running(pages)
	l.margins(pages)
	var out lines
	var prev *pageLine
	for _, page := range pages {
		for i := range page {
			line := &page[i]
			if prev != nil && !l.continues(prev, line) {
				out.newline()
			}
			joinLine(&out, tidy(line.text))
			prev = line
		}
	}
	return out.String()
}

func split(page string) (out []pageLine) {
	blank := false
	for s := range strings.SplitSeq(page, "\n") {
		s = strings.TrimRightFunc(s, unicode.IsSpace)
		body := strings.TrimLeftFunc(s, unicode.IsSpace)
		if body == "" {
			blank = true
			continue
		}
		indent := displayWidth(s[:len(s)-len(body)])
		out = append(out, pageLine{text: body, indent: indent, end: indent + displayWidth(body), blank: blank, top: len(out) == 0})
		blank = false
	}
	return out
}

// running takes page numbers and running heads off the pages: lines at the
// top or foot that stand on three pages and on half of them, figures aside.
func (l *layout) running(pages [][]pageLine) [][]pageLine {
	count := map[string]int{}
	for _, p := range pages {
		for _, i := range edges(len(p)) {
			count[runKey(p[i].text)]++
		}
	}
	for n, p := range pages {
		for len(p) > 0 && l.isRunning(p[0].text, count, len(pages)) {
			l.dropped = append(l.dropped, p[0].text)
			p = p[1:]
		}
		for len(p) > 0 && l.isRunning(p[len(p)-1].text, count, len(pages)) {
			l.dropped = append(l.dropped, p[len(p)-1].text)
			p = p[:len(p)-1]
		}
		if len(p) > 0 {
			p[0].top, p[0].blank = true, false
		}
		pages[n] = p
	}
	return pages
}

func (l *layout) isRunning(s string, count map[string]int, pages int) bool {
	n := count[runKey(s)]
	return pageNumber.MatchString(s) && (pages > 1 || !marker.MatchString(s)) || n >= 3 && n*2 >= pages
}

func runKey(s string) string { return digitRuns.ReplaceAllString(squeeze(s), "#") }

// edges are the indices of the two lines at each end of a page of n lines.
func edges(n int) []int {
	var out []int
	for _, i := range []int{0, 1, n - 2, n - 1} {
		if i >= 0 && i < n && (len(out) == 0 || out[len(out)-1] < i) {
			out = append(out, i)
		}
	}
	return out
}

// margins finds where lines begin and where full ones end.
func (l *layout) margins(pages [][]pageLine) {
	var ends, indents []int
	for _, p := range pages {
		for _, line := range p {
			if !isRow(line.text) {
				ends, indents = append(ends, line.end), append(indents, line.indent)
			}
		}
	}
	if len(ends) == 0 {
		return
	}
	sort.Ints(ends)
	sort.Ints(indents)
	l.right = ends[len(ends)*9/10]
	l.left = indents[len(indents)/10]
}

// slack is how many columns a full line may lack: a character that must not
// begin the next line takes its neighbour with it. One that ends in
// mid-sentence may lack twice as much: a number is not broken.
const slack = 7

// continues reports whether line b goes on where a ends.
func (l *layout) continues(a, b *pageLine) bool {
	switch {
	case isRow(a.text), isRow(b.text), b.blank && !b.top:
		return false
	case a.end < l.right-slack && (ended(a.text) || a.end < l.right-2*slack), l.right < 40 && a.end < l.right-2:
		return false
	case b.indent > l.left+2 && b.indent > a.indent+1:
		return false
	case a.indent > l.left+6: // centred: a title, a signature
		return false
	case marker.MatchString(b.text):
		return !ended(a.text) && b.indent <= l.left+1 && a.end >= l.right-3 && !headingLike(b.text)
	}
	return true
}

// headingLike reports a marker that no sentence runs into: an article or a
// chapter with a gap after it.
func headingLike(s string) bool {
	m := marker.FindString(s)
	rest := strings.TrimPrefix(s, m)
	return strings.HasPrefix(m, "第") && (rest == "" || strings.HasPrefix(rest, " ") || strings.HasPrefix(rest, "\u3000"))
}

func ended(s string) bool {
	switch lastRune(s) {
	case '。', '；', '！', '？', '：', ':', ';', '”', '）', ')':
		return true
	}
	return false
}

// isRow reports whether the line is a row of a table: two gaps or more, or one
// wide one.
func isRow(s string) bool {
	g := gap.FindAllString(s, -1)
	return len(g) >= 2 || len(g) == 1 && len(g[0]) >= 6
}

// tidy takes out the spaces that setting the page put in: between Chinese and
// Latin characters and around full-width punctuation. Cells are separated by
// tabs.
func tidy(s string) string {
	if isRow(s) {
		cells := gap.Split(strings.TrimSpace(s), -1)
		for i, c := range cells {
			cells[i] = tidy(c)
		}
		return strings.Join(cells, "\t")
	}
	head := ""
	if m := marker.FindString(s); strings.HasPrefix(m, "第") && strings.HasPrefix(s[len(m):], " ") {
		head, s = m+"\u3000", strings.TrimLeft(s[len(m):], " ")
	}
	r := []rune(s)
	var b strings.Builder
	b.WriteString(head)
	for i := 0; i < len(r); i++ {
		if r[i] != ' ' {
			b.WriteRune(r[i])
			continue
		}
		j := i
		for j < len(r) && r[j] == ' ' {
			j++
		}
		if i > 0 && j < len(r) && keepSpace(r[i-1], r[j], j-i) {
			b.WriteByte(' ')
		}
		i = j - 1
	}
	return b.String()
}

// keepSpace reports whether n spaces between a and b mean anything.
func keepSpace(a, b rune, n int) bool {
	wa, wb := wide(a), wide(b)
	if wa && wb {
		return n > 1 && unicode.Is(unicode.Han, a) && unicode.Is(unicode.Han, b)
	}
	return !wa && !wb
}

// joinLine appends a line to the paragraph begun, with a space where two
// Latin words meet.
func joinLine(out *lines, s string) {
	if out.line.Len() > 0 {
		first := []rune(s)
		if len(first) > 0 && !wide(first[0]) && !wide(lastRune(out.line.String())) && unicode.IsLetter(first[0]) && unicode.IsLetter(lastRune(out.line.String())) {
			out.add(" ")
		}
	}
	out.add(s)
}

// displayWidth counts columns: two for a Chinese character.
func displayWidth(s string) (n int) {
	for _, r := range s {
		switch {
		case r == '\t':
			n += 4
		case wide(r) || r >= 0x1100 && r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xfe30 && r <= 0xfe4f:
			n += 2
		default:
			n++
		}
	}
	return n
}
