package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/mattn/go-runewidth"
	"golang.org/x/term"
)

// widths measures text as terminals show it: Chinese two columns, ambiguous
// characters one.
var widths = &runewidth.Condition{StrictEmojiNeutral: true}

// screen writes text for a person.
type screen struct {
	w      io.Writer
	width  int // columns; 0: lines are left as they are
	colour bool
}

// screen is standard output. Lines are wrapped to the terminal, or to COLUMNS
// where that is set; colour is for terminals, unless NO_COLOR is set.
func (a *app) screen() *screen {
	s := &screen{w: a.out}
	if n, err := strconv.Atoi(a.getenv("COLUMNS")); err == nil && n >= 20 {
		s.width = n
	}
	if fd, ok := terminal(a.out); ok {
		if n, _, err := term.GetSize(fd); err == nil && n >= 20 {
			s.width = n
		}
		s.colour = a.getenv("NO_COLOR") == "" && a.getenv("TERM") != "dumb"
	}
	return s
}

// terminal is the file descriptor of w if that is a terminal.
func terminal(w any) (int, bool) {
	f, ok := w.(*os.File)
	if !ok {
		return 0, false
	}
	return int(f.Fd()), term.IsTerminal(int(f.Fd()))
}

// Styles of paint.
const (
	bold  = "1"
	faint = "2"
	red   = "31"
	green = "32"
	amber = "33"
)

// paint gives text a style where there is colour; style "" is none.
func (s *screen) paint(style, text string) string {
	if !s.colour || style == "" || text == "" {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (s *screen) line(format string, values ...any) { fmt.Fprintf(s.w, format+"\n", values...) }

// text writes paragraphs, each line of which begins with indent, in a style.
func (s *screen) text(indent, style, text string) {
	for line := range strings.SplitSeq(text, "\n") {
		for _, l := range wrap(line, s.width-widths.StringWidth(indent)) {
			s.line("%s%s", indent, s.paint(style, l))
		}
	}
}

// Characters that a line does not begin or end with.
const (
	noBegin = "，。、；：！？,.;:!?)）]】》〉”’」』%％…—"
	noEnd   = "(（[【《〈“‘「『"
)

// wrap cuts a line into lines of at most width columns, between any two
// Chinese characters and between Latin words; width below 20 leaves it whole.
func wrap(line string, width int) []string {
	if width < 20 || widths.StringWidth(line) <= width {
		return []string{line}
	}
	var out []string
	r := []rune(line)
	start, columns, last := 0, 0, 0 // last: where the line may be cut
	for i, c := range r {
		if i > start && breakable(r[i-1], c) {
			last = i
		}
		if columns += widths.RuneWidth(c); columns <= width {
			continue
		}
		if last <= start {
			last = i
		}
		out = append(out, strings.TrimRight(string(r[start:last]), " "))
		for start = last; start < i && r[start] == ' '; start++ {
		}
		columns = widths.StringWidth(string(r[start : i+1]))
	}
	return append(out, string(r[start:]))
}

// breakable reports whether a line may end between a and b.
func breakable(a, b rune) bool {
	if strings.ContainsRune(noBegin, b) || strings.ContainsRune(noEnd, a) {
		return false
	}
	return a == ' ' || widths.RuneWidth(a) == 2 || widths.RuneWidth(b) == 2
}

// table writes rows in columns; the first row is the head. Columns named in
// right are set flush right.
func (s *screen) table(rows [][]string, right ...int) {
	size := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			size[i] = max(size[i], widths.StringWidth(cell))
		}
	}
	flush := make(map[int]bool)
	for _, i := range right {
		flush[i] = true
	}
	for n, row := range rows {
		var b strings.Builder
		for i, cell := range row {
			pad := strings.Repeat(" ", size[i]-widths.StringWidth(cell))
			if flush[i] {
				cell = pad + cell
			} else if i < len(row)-1 {
				cell += pad
			}
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(cell)
		}
		line := strings.TrimRight(b.String(), " ")
		if n == 0 {
			line = s.paint(bold, line)
		}
		s.line("%s", line)
	}
}

// clip shortens s to width columns.
func clip(s string, width int) string {
	return widths.Truncate(strings.Join(strings.Fields(s), " "), width, "…")
}
