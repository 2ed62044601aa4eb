package slack

import (
	"regexp"
	"strconv"
	"strings"
)

var escaper = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;")

// broadcast matches the words that would call everybody.
var broadcast = regexp.MustCompile(`(?i)[@＠](here|channel|everyone|group)\b`)

// escape makes s harmless: no mention, no link, no call to everybody. A word
// joiner after the @ keeps the words readable and calls nobody.
func escape(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	s = strings.ReplaceAll(s, "\x00", "")
	return broadcast.ReplaceAllString(escaper.Replace(s), "@\u2060$1")
}

var (
	headingRE = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	bulletRE  = regexp.MustCompile(`^(\s*)[-*+]\s+`)
	boldRE    = regexp.MustCompile(`\*\*([^*\n]{1,300}?)\*\*`)
	mdLinkRE  = regexp.MustCompile(`\[([^\[\]\n]{1,300})\]\((https?://[^\s()<>|]{1,800})\)`)
	markerRE  = regexp.MustCompile(`\[(\d{1,4})\]`)
)

// mrkdwn turns an answer's Markdown into Slack's own. A marker [n] of a
// citation in cited becomes 〔n〕.
func mrkdwn(md string, cited map[int]bool) string {
	lines := strings.Split(strings.ReplaceAll(escape(md), "\r\n", "\n"), "\n")
	for i, l := range lines {
		if m := headingRE.FindStringSubmatch(l); m != nil {
			l = "**" + strings.ReplaceAll(m[1], "**", "") + "**"
		}
		l = bulletRE.ReplaceAllString(l, "$1• ")
		if rest, ok := strings.CutPrefix(l, "&gt; "); ok {
			l = "> " + rest
		}
		l = mdLinkRE.ReplaceAllString(l, "<$2|$1>")
		l = markerRE.ReplaceAllStringFunc(l, func(s string) string {
			if n, _ := strconv.Atoi(s[1 : len(s)-1]); cited[n] {
				return footnote(n)
			}
			return s
		})
		lines[i] = bold(l)
	}
	return strings.Join(lines, "\n")
}

// bold turns **words** into *words*, set off by zero-width spaces where they
// touch other letters, for Slack wants a word boundary and Chinese has none.
func bold(l string) string {
	return boldRE.ReplaceAllStringFunc(l, func(s string) string {
		w := strings.TrimSpace(s[2 : len(s)-2])
		if w == "" {
			return ""
		}
		return "\u200b*" + w + "*\u200b"
	})
}

// footnote is the mark of citation n.
func footnote(n int) string { return "〔" + strconv.Itoa(n) + "〕" }
