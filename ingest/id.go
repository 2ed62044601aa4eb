package ingest

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"strings"
	"unicode"

	"github.com/mozillazg/go-pinyin"

	"zhengda/internal/zh"
	"zhengda/rag"
)

var titleYear = regexp.MustCompile(`(?:^|[^0-9])((?:19|20)[0-9]{2})(?:[^0-9]|$)`)

// initialsMax bounds the readable part of an ID.
const initialsMax = 12

// DocumentID is the ID of the document of that title: the initials of its
// pinyin, its year, and six hexadecimal digits of its hash
// (xaskxjsjkjcx-2024-8c1f0a). Spellings of one title that differ in width,
// spaces, quotation marks or other punctuation have one ID.
func DocumentID(title string) string {
	key := titleKey(title)
	var parts []string
	if s := initials(key); s != "" {
		parts = append(parts, s)
	}
	if m := titleYear.FindStringSubmatch(key); m != nil {
		parts = append(parts, m[1])
	}
	return strings.Join(append(parts, hash(key)[:6]), "-")
}

// titleKey is what two spellings of one title share.
func titleKey(title string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, zh.Fold(title))
}

func initials(key string) string {
	args := pinyin.NewArgs()
	args.Style = pinyin.FirstLetter
	var b strings.Builder
	for _, r := range key {
		if b.Len() >= initialsMax {
			break
		}
		switch {
		case r >= 'a' && r <= 'z':
			b.WriteRune(r)
		case zh.IsHan(r):
			if p := pinyin.SinglePinyin(r, args); len(p) > 0 {
				b.WriteString(p[0])
			}
		}
	}
	return b.String()
}

// hash is the SHA-256 of s in hexadecimal.
func hash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}

// clauseHash is the hash of what a reader sees of a clause.
func clauseHash(c *rag.Clause) string {
	return hash(strings.Join(c.Path, "\x1f") + "\x1e" + c.Label + "\x1e" + c.Text)[:16]
}

// embeddedHash is the hash of what an index computes vectors from: title of
// the document, headings, text; not the number.
func embeddedHash(d *rag.Document, c *rag.Clause) string {
	return hash(d.Title + "\x1e" + strings.Join(c.Path, "\x1f") + "\x1e" + c.Text)[:16]
}
