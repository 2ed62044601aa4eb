package format

import (
	"regexp"
	"strings"

	"gopkg.in/yaml.v3"
)

var (
	mdHeading = regexp.MustCompile(`^ {0,3}#{1,6}(?:[ \t]+|$)(.*?)(?:[ \t]+#+)?[ \t]*$`)
	mdRule    = regexp.MustCompile(`^ {0,3}([-*_][ \t]*){3,}$`)
	mdBullet  = regexp.MustCompile(`^[ \t]*[-*+][ \t]+`)
	mdQuote   = regexp.MustCompile(`^[ \t]*>[ \t]?`)
	mdFence   = regexp.MustCompile("^ {0,3}(```|~~~)")
	mdImage   = regexp.MustCompile(`!\[([^\]\n]*)\]\([^)\n]*\)`)
	mdLink    = regexp.MustCompile(`\[([^\]\n]*)\]\(([^()\s]*)(?:[ \t]+"[^"\n]*")?\)(?:\{[^}\n]*\})?`)
	mdComment = regexp.MustCompile(`(?s)<!--.*?-->`)
	mdTag     = regexp.MustCompile(`</?(?:a|b|i|u|em|strong|span|div|p|br|font|sup|sub|center)(?:[ \t][^<>\n]*)?/?>`)
	mdStrong  = regexp.MustCompile(`(\*\*|__)([^*_\n]+)(\*\*|__)`)
	mdEm      = regexp.MustCompile(`\*([^*\s][^*\n]*)\*`)
	mdEscape  = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()#+\\-.!|<>~\"'$^@&=:,;/?%])")
	mdRow     = regexp.MustCompile(`^[ \t]*\|.*\|[ \t]*$`)
	mdDelim   = regexp.MustCompile(`^[ \t]*\|?[ \t]*:?-{1,}:?[ \t]*(\|[ \t]*:?-{1,}:?[ \t]*)*\|?[ \t]*$`)
	mdSetext  = regexp.MustCompile(`^ {0,3}(=+|-{2,})[ \t]*$`)
)

// readMarkdown keeps the text without its markup. Numbers stay as written.
func readMarkdown(s string) Text {
	var t Text
	s = t.frontMatter(strings.ReplaceAll(strings.ReplaceAll(s, "\r\n", "\n"), "\r", "\n"))
	for _, c := range mdComment.FindAllString(s, -1) {
		t.Dropped = append(t.Dropped, strings.TrimSpace(strings.Trim(c, "<!->")))
	}
	s = mdComment.ReplaceAllString(s, "")
	var out strings.Builder
	var table []string
	fenced := false
	flush := func() {
		for _, line := range mdTable(table) {
			out.WriteString(line)
			out.WriteByte('\n')
		}
		table = nil
	}
	for line := range strings.SplitSeq(s, "\n") {
		if mdFence.MatchString(line) {
			fenced = !fenced
			continue
		}
		if !fenced && mdRow.MatchString(line) {
			table = append(table, line)
			continue
		}
		flush()
		if !fenced {
			line = t.mdLine(line)
		}
		out.WriteString(line)
		out.WriteByte('\n')
	}
	flush()
	t.Body = out.String()
	return t
}

// frontMatter reads and cuts the YAML block at the head of a file.
func (t *Text) frontMatter(s string) string {
	rest, ok := strings.CutPrefix(strings.TrimPrefix(s, "\ufeff"), "---\n")
	if !ok {
		return s
	}
	head, body, ok := strings.Cut(rest, "\n---\n")
	if !ok {
		return s
	}
	var m struct{ Title, Issuer, Number, Date, URL string }
	if yaml.Unmarshal([]byte(head), &m) != nil {
		return s
	}
	t.Title, t.Issuer, t.Number, t.Published, t.URL = m.Title, m.Issuer, m.Number, m.Date, m.URL
	t.Dropped = append(t.Dropped, head)
	return body
}

func (t *Text) mdLine(line string) string {
	if mdRule.MatchString(line) || mdSetext.MatchString(line) {
		return ""
	}
	if m := mdHeading.FindStringSubmatch(line); m != nil {
		line = m[1]
	}
	line = mdQuote.ReplaceAllString(line, "")
	line = mdBullet.ReplaceAllString(line, "")
	return t.mdInline(strings.TrimSuffix(line, `\`))
}

func (t *Text) mdInline(s string) string {
	for _, m := range mdImage.FindAllStringSubmatch(s, -1) {
		t.Dropped = append(t.Dropped, m[0])
	}
	s = mdImage.ReplaceAllString(s, "")
	s = mdLink.ReplaceAllString(s, "$1")
	s = mdTag.ReplaceAllString(s, "")
	s = mdStrong.ReplaceAllString(s, "$2")
	s = mdEm.ReplaceAllString(s, "$1")
	return mdEscape.ReplaceAllString(s, "$1")
}

// mdTable renders pipe rows; a delimiter row marks the one above as headings.
func mdTable(rows []string) []string {
	var grid [][]cell
	for _, row := range rows {
		if mdDelim.MatchString(row) {
			for _, r := range grid[max(len(grid)-1, 0):] {
				for j := range r {
					r[j].header = true
				}
			}
			continue
		}
		var cells []cell
		var t Text
		for c := range strings.SplitSeq(strings.Trim(strings.TrimSpace(row), "|"), "|") {
			cells = append(cells, cell{text: strings.TrimSpace(t.mdInline(c))})
		}
		grid = append(grid, cells)
	}
	return render(grid)
}
