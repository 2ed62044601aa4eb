package kpi

import (
	_ "embed"
	"sort"
	"strings"
	"unicode/utf8"
)

//go:embed data/words.txt
var wordsTxt string

// vocab holds the words of data/words.txt by kind, longest first.
var vocab = readWords(wordsTxt)

// readWords reads lines of a kind, a tab, and words separated by spaces.
func readWords(txt string) map[string][]string {
	m := map[string][]string{}
	for line := range strings.Lines(txt) {
		line = strings.TrimSpace(line)
		kind, words, ok := strings.Cut(line, "\t")
		if !ok || strings.HasPrefix(line, "#") {
			continue
		}
		m[kind] = append(m[kind], strings.Fields(words)...)
	}
	for _, words := range m {
		sort.SliceStable(words, func(i, j int) bool { return utf8.RuneCountInString(words[i]) > utf8.RuneCountInString(words[j]) })
	}
	return m
}

// has returns the first word of kind that stands in s.
func has(kind, s string) (string, bool) {
	for _, w := range vocab[kind] {
		if strings.Contains(s, w) {
			return w, true
		}
	}
	return "", false
}

// starts and ends return the longest word of kind that s begins or ends with.
func starts(kind, s string) (string, bool) {
	for _, w := range vocab[kind] {
		if strings.HasPrefix(s, w) {
			return w, true
		}
	}
	return "", false
}

func ends(kind, s string) (string, bool) {
	for _, w := range vocab[kind] {
		if strings.HasSuffix(s, w) {
			return w, true
		}
	}
	return "", false
}
