package bot

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// statement is what a model says in one piece, and the clauses that it says it
// stands on.
type statement struct {
	text    string // without markers
	markers []int
}

const (
	statementMost  = 300 // runes of one statement
	statementsMost = 12
)

var (
	markersRE = regexp.MustCompile(`[\[【［〔](\d{1,3}(?:[,，、\s]+\d{1,3})*)[\]】］〕]`)
	bulletRE  = regexp.MustCompile(`^(?:[-*•·>#]+\s*|\d{1,2}[.、)]\s*)`)
	figureRE  = regexp.MustCompile(`^\{([\w-]{1,64})\}[。.]?$`)
)

// statements reads a draft: one statement a line, or several sentences with
// their markers in one. Markers may stand before a line too, as they do in the
// material.
func statements(text string) []statement {
	var out []statement
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(strings.ReplaceAll(bulletRE.ReplaceAllString(strings.TrimSpace(line), ""), "**", ""))
		if m := markersRE.FindStringIndex(line); m != nil && m[0] == 0 && !markersRE.MatchString(line[m[1]:]) {
			line = line[m[1]:] + line[:m[1]]
		}
		for line != "" && len(out) < statementsMost {
			var s statement
			s, line = cutStatement(line)
			if s.text != "" || len(s.markers) > 0 {
				out = append(out, s)
			}
		}
	}
	return out
}

// cutStatement takes the first sentence of a line, up to and with the markers
// that close it.
func cutStatement(line string) (statement, string) {
	var s statement
	for {
		m := markersRE.FindStringSubmatchIndex(line)
		if m == nil {
			s.text += line
			line = ""
			break
		}
		s.text += line[:m[0]]
		for n := range strings.FieldsFuncSeq(line[m[2]:m[3]], func(r rune) bool { return !unicode.IsDigit(r) }) {
			if i, err := strconv.Atoi(n); err == nil && !slices.Contains(s.markers, i) {
				s.markers = append(s.markers, i)
			}
		}
		line = strings.TrimSpace(line[m[1]:])
		rest := strings.TrimLeft(line, "。.;； ")
		if strings.HasSuffix(s.text, "。") || rest != line || rest == "" {
			if !markersRE.MatchString(rest) || markersRE.FindStringIndex(rest)[0] > 0 {
				line = rest
				break
			}
		}
	}
	s.text = strings.TrimSpace(s.text)
	return s, line
}
