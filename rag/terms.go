package rag

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"zhengda/internal/zh"
)

// particles are the characters that are words of their own far more often than
// parts of a name.
//
//go:embed data/particles.txt
var particles string

// Lengths in runes that make a phrase a term.
const (
	termLeast   = 2
	headingMost = 6
	quotedMost  = 10
	stringMost  = 4
)

// stringTimes is how many clauses must hold a string that no dictionary knows
// before it counts as a term.
const stringTimes = 2

// Term is a phrase that the corpus itself sets apart: quoted, in a heading, or
// repeated though no dictionary knows it.
type Term struct {
	Text    string // folded
	Clauses int    // clauses that hold it, headings above them included
}

// marked collects the terms that a document sets apart by “ ”, 《 》 or as a
// heading.
func marked(doc *Document, terms map[string]bool) {
	heading(doc.Title, terms)
	quoted(doc.Title, terms)
	for i := range doc.Clauses {
		c := &doc.Clauses[i]
		heading(c.Title, terms)
		quoted(c.Text, terms)
		for _, h := range c.Path {
			heading(h, terms)
			quoted(h, terms)
		}
	}
}

// heading takes the parts of a heading between punctuation and particles.
func heading(h string, terms map[string]bool) {
	for part := range strings.FieldsFuncSeq(h, func(r rune) bool { return !zh.IsHan(r) || strings.ContainsRune(particles, r) }) {
		if n := utf8.RuneCountInString(part); n >= termLeast && n <= headingMost {
			terms[zh.Fold(part)] = true
		}
	}
}

// quoted takes what stands in quotation and title marks.
func quoted(s string, terms map[string]bool) {
	for {
		i := strings.IndexAny(s, "“《「")
		if i < 0 {
			return
		}
		open, size := utf8.DecodeRuneInString(s[i:])
		s = s[i+size:]
		shut := map[rune]string{'“': "”", '《': "》", '「': "」"}[open]
		j := strings.Index(s, shut)
		if j < 0 {
			continue
		}
		if t := zh.Fold(s[:j]); isTerm(t, quotedMost) {
			terms[t] = true
		}
	}
}

// isTerm reports whether folded s is made of letters and digits, some of them
// Chinese, and is of a term's length.
func isTerm(s string, most int) bool {
	n, han := 0, false
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return false
		}
		han = han || zh.IsHan(r)
		n++
	}
	return han && n >= termLeast && n <= most
}

// loose counts, for strings of single characters that the segmenter could not
// join into words, the clauses that hold them.
type loose struct {
	counts map[string]int
	run    []string // neighbouring single characters
	seen   map[string]bool
}

func newLoose() *loose { return &loose{counts: map[string]int{}, seen: map[string]bool{}} }

// add takes the words of a clause one after another.
func (l *loose) add(word string) {
	if r, size := utf8.DecodeRuneInString(word); size == len(word) && zh.IsHan(r) && !strings.ContainsRune(particles, r) {
		l.run = append(l.run, word)
		return
	}
	l.endRun()
}

func (l *loose) endRun() {
	for i := range l.run {
		for n := 3; n <= stringMost && i+n <= len(l.run); n++ {
			l.seen[strings.Join(l.run[i:i+n], "")] = true
		}
	}
	l.run = l.run[:0]
}

func (l *loose) endClause() {
	l.endRun()
	for s := range l.seen {
		l.counts[s]++
	}
	clear(l.seen)
}

// terms are the counted strings that come often enough, without those that
// come only inside a longer one.
func (l *loose) terms() []string {
	var out []string
	for s, n := range l.counts {
		if n >= stringTimes {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	kept := out[:0]
	for _, s := range out {
		if !slices.ContainsFunc(kept, func(k string) bool {
			return strings.Contains(k, s) && l.counts[k]*10 >= l.counts[s]*9
		}) {
			kept = append(kept, s)
		}
	}
	return kept
}

// finder finds terms in folded text.
type finder struct {
	terms  []string // sorted
	starts map[string][]int
}

func newFinder(terms []string) *finder {
	f := &finder{terms: terms, starts: make(map[string][]int, len(terms))}
	for i, t := range terms {
		head := firstTwo(t)
		f.starts[head] = append(f.starts[head], i)
	}
	return f
}

func firstTwo(s string) string {
	_, a := utf8.DecodeRuneInString(s)
	_, b := utf8.DecodeRuneInString(s[a:])
	return s[:a+b]
}

// in calls yield once for every place where a term stands in text, with the
// term's number.
func (f *finder) in(text string, yield func(term int)) {
	for i := range text {
		for _, t := range f.starts[firstTwo(text[i:])] {
			if strings.HasPrefix(text[i:], f.terms[t]) {
				yield(t)
			}
		}
	}
}
