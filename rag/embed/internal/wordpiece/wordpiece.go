// Package wordpiece cuts text into the word pieces of a BERT vocabulary.
package wordpiece

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxWord is the number of runes beyond which a word is not looked up.
const maxWord = 100

// Tokenizer is a vocabulary. It is safe for concurrent use.
type Tokenizer struct {
	ids           map[string]int32
	longest       int // bytes of the longest entry
	CLS, SEP, UNK int32
}

// New reads a vocabulary: one entry per line, numbered from 0, with [CLS],
// [SEP] and [UNK] among them. The entries share the memory of vocabulary.
func New(vocabulary string) (*Tokenizer, error) {
	vocabulary = strings.TrimSuffix(vocabulary, "\n")
	t := &Tokenizer{ids: make(map[string]int32, strings.Count(vocabulary, "\n")+1)}
	for rest, more := vocabulary, true; more; {
		var entry string
		entry, rest, more = strings.Cut(rest, "\n")
		t.ids[entry] = int32(len(t.ids))
		t.longest = max(t.longest, len(entry))
	}
	for _, s := range []struct {
		entry string
		id    *int32
	}{{"[CLS]", &t.CLS}, {"[SEP]", &t.SEP}, {"[UNK]", &t.UNK}} {
		id, ok := t.ids[s.entry]
		if !ok {
			return nil, fmt.Errorf("wordpiece: vocabulary of %d entries lacks %s", len(t.ids), s.entry)
		}
		*s.id = id
	}
	return t, nil
}

// Len is the number of entries.
func (t *Tokenizer) Len() int { return len(t.ids) }

// Tokens returns the ids of text's word pieces, without [CLS] and [SEP].
//
// The rules are those of BERT's basic tokenizer: control characters vanish,
// white space separates, every CJK ideograph and every punctuation mark is a
// word of its own. Letters are taken as they stand: case is the caller's.
func (t *Tokenizer) Tokens(text string) []int32 {
	ids := make([]int32, 0, len(text)/2)
	var word strings.Builder
	flush := func() {
		if word.Len() > 0 {
			ids = t.appendWord(ids, word.String())
			word.Reset()
		}
	}
	for i, r := range text {
		switch {
		case unicode.IsSpace(r):
			flush()
		case r == 0 || r == utf8.RuneError || isControl(r):
		case isIdeograph(r) || isPunct(r):
			flush()
			ids = t.appendWord(ids, text[i:i+utf8.RuneLen(r)])
		default:
			word.WriteRune(r)
		}
	}
	flush()
	return ids
}

// appendWord appends the pieces of one word, longest first from the left, or
// [UNK] if any part of it is not in the vocabulary.
func (t *Tokenizer) appendWord(ids []int32, word string) []int32 {
	if len(word) > maxWord && utf8.RuneCountInString(word) > maxWord {
		return append(ids, t.UNK)
	}
	if id, ok := t.ids[word]; ok {
		return append(ids, id)
	}
	n := len(ids)
	for prefix := ""; word != ""; prefix = "##" {
		id, size := t.longestPrefix(prefix, word)
		if size == 0 {
			return append(ids[:n], t.UNK)
		}
		ids = append(ids, id)
		word = word[size:]
	}
	return ids
}

// longestPrefix finds the longest start of word that, after prefix, is in the
// vocabulary; its size is 0 when there is none.
func (t *Tokenizer) longestPrefix(prefix, word string) (id int32, size int) {
	key := append(make([]byte, 0, 64), prefix...)
	key = append(key, word[:min(len(word), t.longest)]...)
	for n := len(key); n > len(prefix); n-- {
		if id, ok := t.ids[string(key[:n])]; ok {
			return id, n - len(prefix)
		}
	}
	return 0, 0
}

// isControl reports whether r is neither letter, mark, number, punctuation,
// symbol nor separator: control, format, private and unassigned characters.
func isControl(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.M, unicode.N, unicode.P, unicode.S, unicode.Z)
}

// isPunct counts ASCII symbols such as $ and + as punctuation, as BERT does.
func isPunct(r rune) bool {
	return r > ' ' && r < 0x7f && !unicode.IsLetter(r) && !unicode.IsDigit(r) || unicode.IsPunct(r)
}

// isIdeograph reports whether r is in the CJK blocks that BERT separates;
// kana and hangul are not.
func isIdeograph(r rune) bool {
	switch {
	case r < 0x3400:
		return false
	case r <= 0x4dbf, r >= 0x4e00 && r <= 0x9fff, r >= 0xf900 && r <= 0xfaff:
		return true
	}
	return r >= 0x20000 && r <= 0x2a6df || r >= 0x2a700 && r <= 0x2ceaf || r >= 0x2f800 && r <= 0x2fa1f
}
