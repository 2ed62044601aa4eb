package format

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// cell is one place of a table's grid. A cell that spans several places
// stands in each.
type cell struct {
	text   string
	header bool // marked as a heading by the document
	span   bool // continues the cell to the left
}

// Bounds of what counts as a heading that nothing marks as one.
const (
	headingRunes = 14
	maxColumns   = 200
)

var notHeading = regexp.MustCompile(`[0-9０-９。；;]`)

// render writes the table one row a line. Under a heading row each cell is
// bound to its heading, so that a row can be read, found and quoted alone:
//
//	序号：3	事项：以关联企业从产业链核心企业获得的应收账款为质押	单位：人民银行
//
// Without one the cells stand side by side. A table of one column or one row
// is paragraphs.
func render(grid [][]cell) []string {
	grid = trimGrid(grid)
	if len(grid) == 0 {
		return nil
	}
	if len(grid) == 1 || columns(grid) == 1 {
		var out []string
		for _, row := range grid {
			for i, c := range row {
				if c.text != "" && !(i > 0 && c.span) {
					out = append(out, strings.Split(c.text, "\n")...)
				}
			}
		}
		return out
	}
	n := headingRows(grid)
	heads := headings(grid[:n])
	var out []string
	for _, row := range grid[:n] {
		out = append(out, joinCells(row, nil))
	}
	for _, row := range grid[n:] {
		if s := joinCells(row, heads); s != "" {
			out = append(out, s)
		}
	}
	return out
}

// joinCells is one row as a line, its cells bound to heads.
func joinCells(row []cell, heads []string) string {
	var parts []string
	whole := wholeRow(row)
	for i, c := range row {
		if c.span && i > 0 {
			continue
		}
		text := strings.Join(strings.Split(c.text, "\n"), " ")
		if text == "" {
			continue
		}
		if i < len(heads) && heads[i] != "" && !whole {
			text = heads[i] + "：" + text
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, "\t")
}

// wholeRow reports whether one cell spans the row: a heading between rows.
func wholeRow(row []cell) bool {
	for _, c := range row[1:] {
		if !c.span {
			return false
		}
	}
	return true
}

// headings joins the heading rows column by column.
func headings(rows [][]cell) []string {
	var heads []string
	for _, row := range rows {
		for i, c := range row {
			for len(heads) <= i {
				heads = append(heads, "")
			}
			text := squeeze(c.text)
			switch {
			case text == "" || heads[i] == text || strings.HasSuffix(heads[i], "/"+text):
			case heads[i] == "":
				heads[i] = text
			default:
				heads[i] += "/" + text
			}
		}
	}
	return heads
}

// headingRows counts the rows that are headings: those the document marks so,
// else the first when it looks like one.
func headingRows(grid [][]cell) int {
	n := 0
	for n < len(grid) && marked(grid[n]) {
		n++
	}
	if n == len(grid) { // all marked: nothing is told apart
		n = 0
	}
	if n > 0 || columns(grid) < 3 {
		return n
	}
	return looksLikeHeading(grid)
}

func marked(row []cell) bool {
	for _, c := range row {
		if !c.header && c.text != "" {
			return false
		}
	}
	return len(row) > 0
}

// looksLikeHeading returns 1 when the first row names columns: every cell
// filled, short, different, without figures, above rows that differ in kind.
func looksLikeHeading(grid [][]cell) int {
	seen, headLen := map[string]bool{}, 0
	for i, c := range grid[0] {
		if c.span && i > 0 {
			return 0
		}
		text := squeeze(c.text)
		if text == "" || seen[text] || utf8.RuneCountInString(text) > headingRunes || notHeading.MatchString(text) {
			return 0
		}
		seen[text] = true
		headLen += utf8.RuneCountInString(text)
	}
	bodyLen, numbered := 0, 0
	for _, row := range grid[1:] {
		for i, c := range row {
			bodyLen += utf8.RuneCountInString(squeeze(c.text))
			if i == 0 && notHeading.MatchString(c.text) {
				numbered++
			}
		}
	}
	rows := len(grid) - 1
	if numbered*2 > rows || bodyLen > headLen*rows*3/2 {
		return 1
	}
	return 0
}

func columns(grid [][]cell) (n int) {
	for _, row := range grid {
		n = max(n, len(row))
	}
	return n
}

// trimGrid drops rows and columns without any text.
func trimGrid(grid [][]cell) [][]cell {
	used := make([]bool, columns(grid))
	for _, row := range grid {
		for i, c := range row {
			used[i] = used[i] || c.text != "" && !c.span
		}
	}
	var out [][]cell
	for _, row := range grid {
		var kept []cell
		text := false
		for i, c := range row {
			if used[i] {
				kept = append(kept, c)
				text = text || c.text != ""
			}
		}
		if text {
			out = append(out, kept)
		}
	}
	return out
}

// table writes an HTML table and reports whether it is one: a table that
// holds tables, headings or a whole page only arranges them.
func (h *page) table(n *html.Node) bool {
	for c := range n.Descendants() {
		switch c.DataAtom {
		case atom.Table, atom.H1, atom.H2, atom.Article:
			return false
		}
	}
	var grid [][]cell
	down := map[int]downward{} // cells that reach into the rows below
	for tr := range n.Descendants() {
		if tr.DataAtom == atom.Tr {
			grid = append(grid, h.row(tr, down))
		} else if tr.DataAtom == atom.Caption {
			h.block(tr)
		}
	}
	h.out.newline()
	for _, line := range render(grid) {
		h.out.add(line)
		h.out.newline()
	}
	return true
}

type downward struct {
	cell cell
	rows int
}

func (h *page) row(tr *html.Node, down map[int]downward) (row []cell) {
	fill := func() {
		for d, ok := down[len(row)]; ok && d.rows > 0; d, ok = down[len(row)] {
			down[len(row)] = downward{d.cell, d.rows - 1}
			row = append(row, d.cell)
		}
	}
	for td := tr.FirstChild; td != nil; td = td.NextSibling {
		if td.DataAtom != atom.Td && td.DataAtom != atom.Th || len(row) >= maxColumns {
			continue
		}
		fill()
		sub := &page{stats: h.stats, total: h.total}
		sub.children(td)
		h.t.Dropped = append(h.t.Dropped, sub.t.Dropped...)
		c := cell{text: strings.TrimSpace(sub.out.String()), header: td.DataAtom == atom.Th}
		rows, cols := span(attr(td, "rowspan")), span(attr(td, "colspan"))
		for i := range cols {
			c.span = i > 0
			if rows > 1 {
				down[len(row)] = downward{c, rows - 1}
			}
			row = append(row, c)
		}
	}
	fill()
	return row
}

// span reads a rowspan or colspan, 1 to maxColumns.
func span(s string) int {
	n := 0
	for _, r := range strings.TrimSpace(s) {
		if r < '0' || r > '9' || n > maxColumns {
			break
		}
		n = n*10 + int(r-'0')
	}
	return min(max(n, 1), maxColumns)
}
