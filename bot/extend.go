package bot

import (
	"regexp"
	"strings"

	"zhengda/internal/zh"
)

// extend takes in what belongs to the sentence e: a remark in brackets behind
// it, and for a list the sentence that says what it includes.
func (b *Bot) extend(q *question, e evidence) evidence {
	for _, s := range sentencesOf(e) {
		if s.Start < e.end {
			continue
		}
		next := e.at(s)
		remark := (strings.HasPrefix(next.text, "（") || strings.HasPrefix(next.text, "(")) && !isItem(next.text) && s.End-s.Start <= 80
		includes := strings.HasPrefix(next.text, "包括") || strings.HasPrefix(next.text, "主要包括") || strings.HasPrefix(next.text, "具体包括") || strings.HasPrefix(next.text, "其中包括")
		if remark || includes && (q.forms["define"] || q.forms["list"]) {
			return e.at(zh.Span{Start: e.start, End: s.End})
		}
		break
	}
	whole := e.paragraph()
	if whole.end == e.end && announces.MatchString(e.fold) { // 二是定额征税的企业。
		for _, s := range sentencesOf(e) {
			if next := e.at(s); next.start >= e.end && next.start < e.line().end {
				whole = e.at(zh.Span{Start: e.start, End: next.end})
				break
			}
		}
	}
	if b.lex.orders(whole.text) {
		return e
	}
	return whole
}

// announces is a sentence that only names what the next one is about.
var announces = regexp.MustCompile(`^([一二三四五六七八九]是|第[一二三四五六七八九],?|首先|其次)[^,，]{2,20}。$`)

// line is all of the line that e stands in.
func (e evidence) line() evidence {
	r := []rune(e.clause.Text)
	from, to := e.start, e.end
	for from > 0 && r[from-1] != '\n' {
		from--
	}
	for to < len(r) && r[to] != '\n' {
		to++
	}
	return e.at(zh.Span{Start: from, End: to})
}

// paragraph is the whole line of e where that is short: its sentences belong
// together (但…除外, 逾期…).
func (e evidence) paragraph() evidence {
	if strings.Contains(e.text, "\t") || opens(e.text) || isItem(e.text) {
		return e
	}
	whole := e.line()
	if whole.end-whole.start > paragraphMost || opens(whole.text) {
		return e
	}
	return whole
}
