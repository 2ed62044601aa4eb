package embed

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// quotes are the marks that the model's vocabulary lacks, and what it has in
// their place.
var quotes = strings.NewReplacer("“", `"`, "”", `"`, "‘", "'", "’", "'")

// Fold writes text the way the model was taught it: NFKC, lower case, plain
// quotation marks.
func Fold(text string) string {
	return quotes.Replace(strings.Map(unicode.ToLower, norm.NFKC.String(text)))
}
