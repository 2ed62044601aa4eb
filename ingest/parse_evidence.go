package ingest

import (
	_ "embed"
	"strings"
)

//go:embed parse_words.txt
var wordList string

// words holds the lists of parse_words.txt by name.
var words = func() map[string][]string {
	lists := map[string][]string{}
	for _, l := range strings.Split(wordList, "\n") {
		if name, of, ok := strings.Cut(l, "\t"); ok && !strings.HasPrefix(l, "#") {
			lists[name] = strings.Fields(of)
		}
	}
	return lists
}()

// countLines finds the families of which many begin a line: what stands in
// the middle of one is glued there.
func (s *sequence) countLines() {
	var starts, all [kinds]int
	stuck := 0
	for _, c := range s.all {
		if c.stand == lineStart {
			starts[c.kind]++
		}
		if c.kind == hanComma && c.stand == afterStop {
			stuck++
		}
		all[c.kind]++
	}
	for k := range s.lines {
		s.lines[k] = starts[k] > 0 && starts[k]*3 >= all[k]
	}
	s.gluey = stuck >= 2 && stuck*2 >= all[hanComma]
}

// isStandard reports whether sections are numbered with decimals.
func (s *sequence) isStandard() bool {
	deep, flat := 0, 0
	for _, c := range s.all {
		if c.kind != decimals || c.stand != lineStart {
			continue
		}
		if len(c.nums) > 1 {
			deep++
		} else {
			flat++
		}
	}
	return deep >= 2 && flat+deep >= 4
}

// markAnswer notes whether the paragraph of s.all[i] belongs to an answer, in
// which numbers count its points: 问：…？ 答：1.….
func (s *sequence) markAnswer(i int) {
	k := s.all[i].para
	for q := k; q >= 0 && q > k-40; q-- {
		t := strings.TrimLeft(s.p.str(s.p.paras[q].Start, min(s.p.paras[q].End, s.p.paras[q].Start+4)), "【 ")
		switch {
		case strings.HasPrefix(t, "答：") || strings.HasPrefix(t, "答:") || strings.HasPrefix(t, "答】") || strings.HasPrefix(t, "A：") || strings.HasPrefix(t, "A:"):
			s.answer = q
		case q == k || !s.isQuestion(q):
			continue
		}
		break
	}
	if s.answer >= 0 && s.isQuestion(k) && k != s.answer {
		s.answer = -1
	}
}

// isQuestion reports whether the paragraph ends with a question mark.
func (s *sequence) isQuestion(k int) bool {
	q := s.p.paras[k]
	c := s.p.r[q.End-1]
	return c == '？' || c == '?' || s.p.r[q.Start] == '问'
}
