package kpi

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// subject names what f counts: the words before it (高新技术企业总数达到
// 13000家), or those behind it when a verb stands right before the figure
// (新增200家规模以上科技型企业).
func (s sentence) subject(f figure) string {
	before := trimTail(s.before(f))
	if f.derived && f.Value.Equal(hundred) {
		return cleanName(before) + "覆盖率"
	}
	after := strings.TrimLeft(strings.TrimRight(s.after(f), " 　、和及与以"), " 　")
	if after != "" && !strings.HasPrefix(after, "、") && !rangeMark(after) {
		if verb, ok := s.verbBefore(f); ok {
			return cleanName(keepVerb(verb) + afterDe(after))
		}
	}
	if head, _, ok := strings.Cut(s.before(f), "分别"); ok {
		if names := splitList(cleanName(head)); len(names) > 0 {
			return cleanName(names[0])
		}
	}
	return cleanName(before)
}

// verbBefore is the verb that stands right before f and so makes the words
// behind it the subject; “” when nothing but a list mark or an adverb does.
func (s sentence) verbBefore(f figure) (string, bool) {
	before := strings.TrimRight(s.before(f), " 　了")
	if cleanName(before) == "" {
		w, _ := ends("verb", before)
		return w, true
	}
	if _, hedged := ends("tail", before); hedged {
		return "", false
	}
	if _, list := ends("join", before); list {
		return "", true
	}
	return ends("verb", before)
}

// keepVerb keeps the verbs that belong to a name: 新增.
func keepVerb(verb string) string {
	if _, ok := starts("keep", verb); ok {
		return verb
	}
	return ""
}

var (
	yearLead = regexp.MustCompile(`^(到|至)?20\d\d年(底前|底|末|前)?`)
	bracket  = regexp.MustCompile(`[（(][^（）()]{10,}[）)]`)
)

// cleanName takes the adverbs and verbs from the head of a subject, and the
// words that lead to the figure from its tail.
func cleanName(s string) string {
	s = bracket.ReplaceAllString(s, "")
	for _, w := range vocab["within"] {
		s = strings.ReplaceAll(s, w, "")
	}
	s = trimTail(s)
	for {
		s = strings.TrimLeft(s, " 　、,，")
		s = yearLead.ReplaceAllString(s, "")
		if _, ok := starts("keep", s); ok {
			return s
		}
		w, ok := starts("lead", s)
		if !ok || utf8.RuneCountInString(s) == utf8.RuneCountInString(w) {
			if ok && s == w {
				return ""
			}
			return s
		}
		s = s[len(w):]
	}
}

func trimTail(s string) string {
	for {
		s = strings.TrimRight(s, " 　、,，:：")
		w, ok := ends("tail", s)
		if !ok {
			return s
		}
		s = s[:len(s)-len(w)]
	}
}

// afterDe is what follows the last 的 outside brackets: the noun itself.
func afterDe(s string) string {
	depth, cut := 0, 0
	for i, r := range s {
		switch {
		case r == '（' || r == '(' || r == '“':
			depth++
		case r == '）' || r == ')' || r == '”':
			depth--
		case r == '的' && depth == 0:
			cut = i + len("的")
		}
	}
	if cut == len(s) {
		return s
	}
	return s[cut:]
}

// splitList separates A、B和C.
func splitList(s string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(s, "以及", "、"), func(r rune) bool { return r == '、' || r == '和' || r == '与' })
}

// core is the name of an indicator without its scope and without endings such
// as 总数: two mentions with one core are the same indicator.
func core(name string) string {
	name = cleanName(strings.Map(func(r rune) rune {
		if strings.ContainsRune("“”\" 　", r) {
			return -1
		}
		return r
	}, name))
	for {
		w, ok := ends("suffix", name)
		if !ok || w == name {
			return name
		}
		name = name[:len(name)-len(w)]
	}
}
