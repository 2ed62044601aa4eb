package slack

import (
	"regexp"
	"strings"
	"unicode/utf16"
)

// width is the length of s as Slack counts it, in UTF-16 units, which is never
// less than its runes.
func width(s string) int {
	n := 0
	for _, r := range s {
		n += max(utf16.RuneLen(r), 1)
	}
	return n
}

// whole matches what must not be cut: citations, links, escapes, bold words.
var whole = regexp.MustCompile(`^(?:〔[^〕\n]{1,20}〕|<[^<>\n]{1,1000}>|&(?:amp|lt|gt);|\*[^*\n]{1,200}\*)`)

// split cuts s into pieces of at most limit units that make s again when put
// together. It cuts after a paragraph, a line, a sentence (。！？；), a comma, a
// space, in this order of liking, never inside a citation or a link, nor
// between a sentence and the citation that stands behind it.
func split(s string, limit int) []string {
	var out []string
	for width(s) > limit {
		i := cut(s, limit)
		out = append(out, s[:i])
		s = s[i:]
	}
	return append(out, s)
}

// cut returns the byte offset at which to cut s, which is wider than limit.
func cut(s string, limit int) int {
	best := [6]int{} // by liking, best first; the last is any place
	used := 0
	for i := 0; i < len(s); {
		n, w, isWhole := atom(s[i:])
		if isWhole && w > limit {
			n, w, _ = atomRune(s[i:])
		}
		if used+w > limit {
			break
		}
		used += w
		i += n
		best[5] = i
		if used > limit/2 && !strings.HasPrefix(s[i:], "〔") && !strings.HasPrefix(s[i:], " 〔") {
			best[liking(s[i-n:i], s[:i])] = i
		}
	}
	for _, i := range best {
		if i > 0 {
			return i
		}
	}
	return firstRune(s)
}

// liking is how good it is to cut after the atom a that ends head.
func liking(a, head string) int {
	switch {
	case strings.HasSuffix(head, "\n\n"):
		return 0
	case a == "\n":
		return 1
	case strings.ContainsAny(a, "。！？；") || strings.HasPrefix(a, "〔"):
		return 2
	case strings.ContainsAny(a, "，、,;") && len(a) <= 3:
		return 3
	case a == " ":
		return 4
	}
	return 5
}

// atom is the first piece of s that stays together: its bytes, its width, and
// whether it is more than a rune.
func atom(s string) (n, w int, isWhole bool) {
	if strings.ContainsRune("〔<&*", []rune(s[:firstRune(s)])[0]) {
		if m := whole.FindStringIndex(s); m != nil {
			return m[1], width(s[:m[1]]), true
		}
	}
	return atomRune(s)
}

func atomRune(s string) (n, w int, isWhole bool) {
	n = firstRune(s)
	return n, width(s[:n]), false
}

func firstRune(s string) int {
	for i := range s {
		if i > 0 {
			return i
		}
	}
	return len(s)
}

// clamp cuts s to at most limit units, with an ellipsis where it was longer.
func clamp(s string, limit int) string {
	if width(s) <= limit {
		return s
	}
	n := limit - 1
	for i, r := range s {
		if n -= max(utf16.RuneLen(r), 1); n < 0 {
			return s[:i] + "…"
		}
	}
	return s
}
