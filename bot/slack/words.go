package slack

import (
	_ "embed"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"zhengda/internal/zh"
)

//go:embed data/words.txt
var wordsFile string

//go:embed data/texts.txt
var textsFile string

var (
	words = parseSections(wordsFile)
	texts = parseTexts(textsFile)
)

// parseSections reads lists of words under [headings].
func parseSections(s string) map[string][]string {
	out, name := map[string][]string{}, ""
	for line := range strings.Lines(s) {
		line = strings.TrimSpace(line)
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case strings.HasPrefix(line, "["):
			name = strings.Trim(line, "[]")
		default:
			out[name] = append(out[name], line)
		}
	}
	return out
}

// parseTexts reads the texts that users see: a key, then the Chinese and the
// English text on lines of their own.
func parseTexts(s string) map[string][2]string {
	out, key := map[string][2]string{}, ""
	for line := range strings.Lines(s) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
		case strings.HasPrefix(line, "zh "):
			out[key] = [2]string{unescape(line[3:]), out[key][1]}
		case strings.HasPrefix(line, "en "):
			out[key] = [2]string{out[key][0], unescape(line[3:])}
		default:
			key = strings.TrimSpace(line)
		}
	}
	return out
}

func unescape(s string) string { return strings.ReplaceAll(s, `\n`, "\n") }

// tongue is the language that somebody is answered in.
type tongue int

const (
	chinese tongue = iota
	english
)

// tongueOf is English for text with Latin letters and no Chinese ones.
func tongueOf(s string) tongue {
	latin := false
	for _, r := range s {
		if zh.IsHan(r) {
			return chinese
		}
		latin = latin || unicode.Is(unicode.Latin, r)
	}
	if latin {
		return english
	}
	return chinese
}

// say is the text of key, formatted.
func (t tongue) say(key string, args ...any) string {
	s, ok := texts[key]
	if !ok {
		panic("slack: no text " + key)
	}
	if len(args) == 0 {
		return s[t]
	}
	return fmt.Sprintf(s[t], args...)
}

// isQuestion reports whether a message asks something: by a question mark of
// any width, or by a word.
func isQuestion(text string) bool {
	s := strings.ToLower(plain(text))
	for _, m := range words["marks"] {
		if strings.Contains(s, m) {
			return true
		}
	}
	for _, w := range words["question"] {
		if w[0] < 0x80 {
			if latinWords[w].MatchString(s) {
				return true
			}
		} else if strings.Contains(s, w) {
			return true
		}
	}
	return false
}

var latinWords = func() map[string]*regexp.Regexp {
	m := map[string]*regexp.Regexp{}
	for _, w := range words["question"] {
		if w[0] < 0x80 {
			m[w] = regexp.MustCompile(`(^|[^a-z])` + regexp.QuoteMeta(w) + `($|[^a-z])`)
		}
	}
	return m
}()

// isCourtesy reports whether a reply only thanks or acknowledges.
func isCourtesy(text string) bool { return only("courtesy", text) && !isQuestion(text) }

// isStop reports whether a message only asks to stop.
func isStop(text string) bool { return only("stop", text) }

var emojiRE = regexp.MustCompile(`:[a-z0-9_+'-]+:`)

// only reports whether text is nothing but words of a list, with marks,
// particles and emoji.
func only(list, text string) bool {
	s := strings.ToLower(emojiRE.ReplaceAllString(plain(text), ""))
	s = strings.TrimFunc(s, isFiller)
	if s == "" {
		return list == "courtesy"
	}
	if slices.Contains(words[list], s) {
		return true
	}
	for _, part := range strings.FieldsFunc(s, func(r rune) bool { return r != '/' && (unicode.IsPunct(r) || unicode.IsSpace(r)) }) {
		if part = strings.TrimFunc(part, isFiller); part != "" && !slices.Contains(words[list], part) {
			return false
		}
	}
	return true
}

func isFiller(r rune) bool {
	return r != '/' && (unicode.IsPunct(r) || unicode.IsSymbol(r) || unicode.IsSpace(r) || strings.ContainsRune("啦了哈吧呀啊哦~", r))
}
