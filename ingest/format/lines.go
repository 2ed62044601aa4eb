package format

import (
	"strings"
	"unicode"
)

// lines builds text line by line; runs of white space inside a line become
// one space, and none beside a Chinese character at a line break of the
// source.
type lines struct {
	b     strings.Builder
	line  strings.Builder
	space rune // pending white space: 0, ' ' or '\n' (a line break in the source)
}

// add appends s as it is.
func (l *lines) add(s string) {
	if s != "" {
		l.line.WriteString(s)
		l.space = 0
	}
}

// flow appends text whose white space means nothing but a gap.
func (l *lines) flow(s string) {
	for _, r := range s {
		if r == '\n' || r == '\r' {
			l.space = '\n'
			continue
		}
		if unicode.IsSpace(r) && r != '\u3000' {
			if l.space == 0 {
				l.space = ' '
			}
			continue
		}
		if l.space != 0 && l.line.Len() > 0 {
			if l.space == ' ' || !(wide(lastRune(l.line.String())) && wide(r)) {
				l.line.WriteByte(' ')
			}
		}
		l.space = 0
		l.line.WriteRune(r)
	}
}

// newline ends the line; an empty one is not written.
func (l *lines) newline() {
	if s := strings.TrimRightFunc(l.line.String(), unicode.IsSpace); strings.TrimSpace(s) != "" {
		l.b.WriteString(s)
		l.b.WriteByte('\n')
	}
	l.line.Reset()
	l.space = 0
}

// String ends the last line and returns the text.
func (l *lines) String() string {
	l.newline()
	return l.b.String()
}

func lastRune(s string) (last rune) {
	for i := len(s) - 1; i >= 0 && i >= len(s)-4; i-- {
		if s[i] < 0x80 || s[i] >= 0xc0 {
			for _, r := range s[i:] {
				return r
			}
		}
	}
	return 0
}

// wide reports whether r is set without spaces around it: a Chinese character
// or full-width punctuation.
func wide(r rune) bool {
	return unicode.Is(unicode.Han, r) || r >= 0x3000 && r <= 0x303f || r >= 0xff00 && r <= 0xffef || r == '“' || r == '”' || r == '—' || r == '…'
}

// squeeze removes all white space.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}
