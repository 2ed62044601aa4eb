// Package zh knows how figures, sentences and spellings look in Chinese
// official texts. All offsets are rune offsets.
package zh

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Fold makes spellings comparable: NFKC, lower case, straight quotation marks,
// one kind of dash, and no invisible characters. It keeps white space.
func Fold(s string) string {
	r, _ := FoldMap(s)
	return string(r)
}

// FoldMap is Fold with a map back: the i-th folded rune comes from rune at[i]
// of s. len(at) is len(folded)+1; the last entry is the length of s in runes.
func FoldMap(s string) (folded []rune, at []int) {
	folded, at = make([]rune, 0, len(s)/3+8), make([]int, 0, len(s)/3+9)
	i := 0
	for _, r := range s {
		if r < 0x80 {
			folded, at = append(folded, unicode.ToLower(r)), append(at, i)
		} else if !invisible(r) {
			for _, f := range foldRune(r) {
				folded, at = append(folded, f), append(at, i)
			}
		}
		i++
	}
	return folded, append(at, i)
}

func foldRune(r rune) []rune {
	switch r {
	case '“', '”', '„', '‟', '「', '」', '『', '』', '＂':
		return []rune{'"'}
	case '‘', '’':
		return []rune{'\''}
	case '—', '–', '―', '‐', '－':
		return []rune{'-'}
	}
	if unicode.Is(unicode.Han, r) && r < 0xF900 {
		return []rune{r}
	}
	return []rune(strings.ToLower(norm.NFKC.String(string(r))))
}

// invisible reports zero-width and byte-order marks.
func invisible(r rune) bool {
	return r >= 0x200b && r <= 0x200f || r == 0x2060 || r == 0xfeff
}

// Squeeze removes white space and invisible characters.
func Squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) || invisible(r) {
			return -1
		}
		return r
	}, s)
}

// IsHan reports whether r is a Chinese character.
func IsHan(r rune) bool { return unicode.Is(unicode.Han, r) }
