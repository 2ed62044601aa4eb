package rag

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-ego/gse"

	"zhengda/internal/zh"
)

//go:generate go run data/gen.go
//go:embed data/dict.txt.gz
var dictionary []byte

// segmenter cuts folded text into words: the general dictionary's, and the
// terms of one corpus, which come before it. It never changes once made.
// The gse segmenter is held by a closure, out of reach of reflection: the
// linker then drops its methods, and with them 35 MB of other dictionaries.
type segmenter struct {
	segment func(line []byte) []gse.Segment
}

// termFrequency is what a corpus term counts for beside the dictionary's words
// (要求 has 5,000): enough that the term wins over the words it is made of.
const termFrequency = 2000

// newSegmenter makes a segmenter that knows the terms, which must be folded.
func newSegmenter(terms []string) *segmenter {
	var b strings.Builder
	for _, t := range terms {
		fmt.Fprintf(&b, "%s %d\n", t, termFrequency)
	}
	z, err := gzip.NewReader(bytes.NewReader(dictionary))
	if err == nil {
		_, err = io.Copy(&b, z)
	}
	if err != nil {
		panic("rag: embedded dictionary: " + err.Error())
	}
	g := gse.Segmenter{SkipLog: true, NotLoadHMM: true}
	if err := g.LoadDictStr(b.String()); err != nil {
		panic("rag: embedded dictionary: " + err.Error())
	}
	return &segmenter{func(line []byte) []gse.Segment { return g.Segment(line) }}
}

// words yields the words of folded text in order, without white space and
// punctuation. Words of the text are substrings of it.
func (s *segmenter) words(folded string, yield func(word string)) {
	// Cutting line by line bounds the segmenter's scratch memory.
	for line := range strings.Lines(folded) {
		for _, g := range s.segment([]byte(line)) {
			w := line[g.Start():g.End()]
			if r, _ := utf8.DecodeRuneInString(w); unicode.IsLetter(r) || unicode.IsNumber(r) {
				yield(w)
			}
		}
	}
}

// terms yields what is indexed of folded text: its words of any length, and
// every two neighbouring Chinese characters. A word of two characters comes
// twice.
func (s *segmenter) terms(folded string, yield func(term string)) {
	s.words(folded, yield)
	bigrams(folded, yield)
}

// bigrams yields every pair of neighbouring Chinese characters.
func bigrams(text string, yield func(string)) {
	last := -1 // byte offset of the Chinese character before, or -1
	for i, r := range text {
		if !zh.IsHan(r) {
			last = -1
			continue
		}
		if last >= 0 {
			yield(text[last : i+utf8.RuneLen(r)])
		}
		last = i
	}
}
