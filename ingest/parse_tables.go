package ingest

import "slices"

// isRow reports whether the line is a row of a table: cells between tabs or
// pipes.
func isRow(r []rune) bool {
	return slices.Contains(r, '\t') || len(r) > 2 && r[0] == '|' && slices.Contains(r[1:], '|')
}

// tables finds tables of one cell a line by their running numbers 1, 2, 3 …:
// a row begins with its number, its cells stand between tabs.
func (p *page) tables() {
	type row struct {
		at, n  int
		letter rune
	}
	var rows []row
	flush := func() {
		if len(rows) >= 3 {
			size := rows[1].at - rows[0].at
			for i := 1; i+1 < len(rows); i++ {
				size = max(size, min(12, rows[i+1].at-rows[i].at))
			}
			first := rows[0].at
			head := first
			if head > 2 && p.starts(&p.lines[head-1]) && isHeaderCell(p.text(p.lines[head-2])) { // the name of a group of rows
				head--
			}
			for head > 0 && isHeaderCell(p.text(p.lines[head-1])) && (p.lines[head-1].gap || !p.lines[rows[0].at].gap) {
				head--
			}
			if first-head != 1 {
				first = head
			}
			last := min(len(p.lines), rows[len(rows)-1].at+size)
			starts := map[int]bool{}
			for _, r := range rows {
				starts[r.at] = true
			}
			p.markCells(first, last, starts)
		}
		rows = rows[:0]
	}
	for i, l := range p.lines {
		n, letter, ok := rowNumber(p.text(l))
		if !ok {
			continue
		}
		if k := len(rows); k > 0 {
			next := rows[k-1].n + 1
			if n != next && p.numbered(i+1, rows[k-1].at+maxRow, next) {
				continue // a figure in a cell of the row
			}
			if at := 2*rows[k-1].at - rows[max(k-2, 0)].at; k > 1 && i < at && p.numbered(at, at, next) {
				continue // the next row is where it should be
			}
			if n == next && p.numbered(i+1, i+1, n) {
				continue // the last cell of the row
			}
		}
		if k := len(rows); k > 0 && (n != rows[k-1].n+1 || letter != rows[k-1].letter || i-rows[k-1].at > maxRow || i-rows[k-1].at < 2) {
			flush()
		}
		rows = append(rows, row{i, n, letter})
	}
	flush()
}

const maxRow = 14 // cells of a row

// numbered reports a row of number n in lines[from:to+1].
func (p *page) numbered(from, to, n int) bool {
	for i := from; i <= to && i < len(p.lines); i++ {
		if m, letter, ok := rowNumber(p.text(p.lines[i])); ok && m == n && letter == 0 {
			return true
		}
	}
	return false
}

// rowNumber reads the number of a row that fills its cell: 12, A3.
func rowNumber(r []rune) (n int, letter rune, ok bool) {
	if len(r) > 1 && isLatin(r[0]) {
		letter, r = r[0], r[1:]
	}
	n, e := numeralAt(r, 0, 3)
	return n, letter, e == len(r) && isDigit(r[0])
}

func isHeaderCell(r []rune) bool {
	if len(r) > 10 || annexLine(r) {
		return false
	}
	_, marked := markerAt(r, 0)
	c := r[len(r)-1]
	return !marked && !isStop(c)
}

// markCells makes lines[from:to] one table: a row ends before a line that starts
// the next one, or a marker; the table before a note.
func (p *page) markCells(from, to int, starts map[int]bool) {
	for i := from; i < to; i++ {
		l := &p.lines[i]
		if i > from && (isNote(p.text(*l)) || annexLine(p.text(*l))) {
			return
		}
		l.cell = true
		if i > from {
			prev := &p.lines[i-1]
			prev.sep = "\t"
			if starts[i] || p.starts(l) || p.starts(prev) {
				prev.sep = "\n"
			}
		}
	}
}
