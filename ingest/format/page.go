package format

import (
	_ "embed"
	"strings"
	"unicode"
)

//go:embed data/errorpages.txt
var errorPagesTxt string

//go:embed data/chrome.txt
var chromeTxt string

// errorPhrases are what error and login pages say; chromeWords are class and
// id names of the parts of a page that are not its text.
var errorPhrases, chromeWords = readLines(errorPagesTxt), set(readLines(chromeTxt))

func readLines(s string) (out []string) {
	for line := range strings.Lines(s) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, strings.ToLower(line))
		}
	}
	return out
}

func set(list []string) map[string]bool {
	m := make(map[string]bool, len(list))
	for _, s := range list {
		m[s] = true
	}
	return m
}

// An error page is short; a long text may speak of errors.
const errorPageRunes = 600

// errorPage returns the phrase that shows the page to be an error or login
// page saved in place of a document, or "".
func errorPage(title, body string) string {
	if visible(body) > errorPageRunes {
		return ""
	}
	for _, s := range []string{title, body} {
		s = strings.ToLower(strings.Join(strings.Fields(s), " "))
		for _, p := range errorPhrases {
			if strings.Contains(s, p) {
				return p
			}
		}
	}
	return ""
}

// visible counts the runes of s that are no white space.
func visible(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}
