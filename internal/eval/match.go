package eval

import (
	"regexp"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dlclark/regexp2"
	"golang.org/x/text/unicode/norm"
)

// Hit reports whether an entry of must_include or must_not_include matches an
// answer: a substring, or after re: a regular expression, in either way of
// treating white space.
func Hit(entry, answer string) bool {
	re, err := compile(entry)
	if err != nil {
		return false
	}
	if re == nil {
		return strings.Contains(fold(answer, false), fold(entry, false))
	}
	for _, spaces := range []bool{false, true} {
		if ok, err := re.MatchString(fold(answer, spaces)); err == nil && ok {
			return true
		}
	}
	return false
}

var patterns sync.Map // entry → *regexp2.Regexp

// matchTime bounds one match of a pattern that backtracks.
const matchTime = 2 * time.Second

// compile gives the pattern of an entry, nil for one that is a substring. The
// patterns look behind, which package regexp does not.
func compile(entry string) (*regexp2.Regexp, error) {
	pattern, ok := strings.CutPrefix(entry, "re:")
	if !ok {
		return nil, nil
	}
	if re, ok := patterns.Load(entry); ok {
		return re.(*regexp2.Regexp), nil
	}
	re, err := regexp2.Compile(pattern, regexp2.IgnoreCase)
	if err != nil {
		return nil, err
	}
	re.MatchTimeout = matchTime
	patterns.Store(entry, re)
	return re, nil
}

// marks are quotation marks, title marks, and stars of Markdown.
const marks = "“”\"'‘’「」『』《》〈〉`*"

// fold makes spellings comparable: NFKC, lower case, no separators of
// thousands, no marks, one kind of dash; without white space, or with spaces
// each run of it as one space.
func fold(s string, spaces bool) string {
	r := []rune(strings.ToLower(norm.NFKC.String(s)))
	var b strings.Builder
	dash, space := false, false
	for i, c := range r {
		isDash := strings.ContainsRune("—–―-", c)
		isSpace := blank(c)
		switch {
		case c == ',' && i > 0 && unicode.IsDigit(r[i-1]) && digits(r[i+1:]) >= 3, strings.ContainsRune(marks, c):
			continue // what stood apart because of it stands together
		case isDash:
			if !dash {
				b.WriteByte('-')
			}
		case isSpace:
			if spaces && !space {
				b.WriteByte(' ')
			}
		default:
			b.WriteRune(c)
		}
		dash, space = isDash, isSpace
	}
	return b.String()
}

// digits counts the digits that r begins with, up to three.
func digits(r []rune) (n int) {
	for n < min(3, len(r)) && unicode.IsDigit(r[n]) {
		n++
	}
	return n
}

// blank reports white space, the separators of files and records included.
func blank(r rune) bool { return unicode.IsSpace(r) || r >= 0x1c && r <= 0x1f }

// squeeze takes white space and invisible characters out.
func squeeze(s string) string {
	return strings.Map(func(r rune) rune {
		if blank(r) || r >= 0x200b && r <= 0x200f || r == 0x2060 || r == 0xfeff {
			return -1
		}
		return r
	}, s)
}

var (
	marker  = regexp.MustCompile(`\[\p{Nd}+\]`)
	sources = regexp.MustCompile(`(?i)^[^\p{L}\p{N}_]*(引用|依据|出处|来源|参考|原文出处|资料来源|sources?|citations?|references?)(条款|条文|来源|原文|文件|依据)?[\s\p{Z}]*[:：]?[^\p{L}\p{N}_]*$`)
	source  = regexp.MustCompile(`^[\s\p{Z}]*(?:[-*>][\s\p{Z}]*)?\[\p{Nd}+\]`)
	latin   = regexp.MustCompile(`[A-Za-z]+`)
)

// plain takes the markers of citations out.
func plain(answer string) string { return marker.ReplaceAllString(answer, "") }

// Length is how long an answer is, in characters: its list of sources, white
// space and [n] left out, a Latin word counted as two.
func Length(answer string) int {
	var kept []string
	for line := range strings.SplitSeq(answer, "\n") {
		if sources.MatchString(line) {
			break
		}
		if !source.MatchString(line) {
			kept = append(kept, line)
		}
	}
	return utf8.RuneCountInString(squeeze(latin.ReplaceAllString(plain(strings.Join(kept, "\n")), "ww")))
}
