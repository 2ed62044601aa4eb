package bot

import (
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// add quotes e with what it needs to be understood: the items of a list that
// it opens, or the opening of the list that it is an item of.
func (b *Bot) add(c *corpus, q *question, d *draft, e evidence) {
	budget := shortBudget
	if q.forms["list"] || q.has("enumeration") || q.has("condition") {
		budget = listBudget
	}
	label := c.label(e.clause)
	e = q.extend(e)
	if lead, ok := opening(e); ok && !opens(e.text) {
		d.quote(label, q.shows(lead, shortBudget/2))
	}
	if head, ok := header(e); ok {
		d.quote(label, q.shows(head, shortBudget/2))
	}
	d.quote(label, q.shows(e, budget))
	if opens(e.text) {
		for _, item := range q.relevant(items(e, listBudget)) {
			d.quote(label, q.shows(item, shortBudget))
		}
	}
}

// header is the first row of the table that e is another row of.
func header(e evidence) (evidence, bool) {
	if !strings.Contains(e.text, "\t") {
		return evidence{}, false
	}
	for _, s := range sentencesOf(e) {
		if o := e.at(s); strings.Contains(o.text, "\t") {
			return o, o.start < e.start
		}
	}
	return evidence{}, false
}

// relevant are the items that say what q asks; all of them where it asks for
// the list, or where none says more than the others.
func (q *question) relevant(all []evidence) []evidence {
	if q.forms["list"] || q.forms["define"] || q.has("enumeration") || q.has("condition") {
		return all
	}
	best := 0.0
	for _, i := range all {
		best = max(best, q.share(i.fold))
	}
	if best == 0 {
		return all
	}
	return slices.DeleteFunc(all, func(i evidence) bool { return q.share(i.fold) < best-1e-9 })
}

func (q *question) has(attr string) bool {
	return slices.ContainsFunc(q.attrs, func(a *attribute) bool { return a.name == attr })
}

// opens reports a sentence that announces a list.
func opens(text string) bool {
	return strings.HasSuffix(text, "：") || strings.HasSuffix(text, ":")
}

// sentencesOf are the sentences of a clause.
func sentencesOf(e evidence) []zh.Span { return zh.Sentences(e.clause.Text) }

func (e evidence) at(s zh.Span) evidence {
	e.start, e.end = s.Start, s.End
	e.text = string([]rune(e.clause.Text)[s.Start:s.End])
	e.fold = zh.Squeeze(zh.Fold(e.text))
	return e
}

// extend takes in what belongs to the sentence e: a remark in brackets behind
// it, and for a list the sentence that says what it includes.
func (q *question) extend(e evidence) evidence {
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
	return e
}

// items are the list that e opens, up to budget runes.
func items(e evidence, budget int) []evidence {
	var out []evidence
	for _, s := range sentencesOf(e) {
		if s.Start < e.end {
			continue
		}
		i := e.at(s)
		if !isItem(i.text) {
			if len(out) > 0 && strings.HasSuffix(out[len(out)-1].text, "。") {
				break
			}
			if len(out) > 0 {
				continue
			}
			break
		}
		if budget -= s.End - s.Start; budget < 0 {
			break
		}
		out = append(out, i)
	}
	return out
}

// isItem reports a sentence that begins with the marker of a list item.
func isItem(s string) bool {
	r := []rune(s)
	if len(r) < 3 {
		return false
	}
	if r[0] == '（' || r[0] == '(' {
		for i := 1; i < min(len(r), 6); i++ {
			if r[i] == '）' || r[i] == ')' {
				_, ok := zh.Numeral(string(r[1:i]))
				return ok
			}
		}
		return false
	}
	if r[0] >= '①' && r[0] <= '⑳' {
		return true
	}
	i := 0
	for i < len(r) && (r[i] >= '0' && r[i] <= '9' || strings.ContainsRune("一二三四五六七八九十", r[i])) {
		i++
	}
	return i > 0 && i < 4 && i < len(r) && strings.ContainsRune("、.．是", r[i])
}

// opening is the sentence that opens the list of which e is an item.
func opening(e evidence) (evidence, bool) {
	if !isItem(e.text) {
		return evidence{}, false
	}
	var last evidence
	found := false
	for _, s := range sentencesOf(e) {
		if s.Start >= e.start {
			break
		}
		if o := e.at(s); opens(o.text) && !isItem(o.text) {
			last, found = o, true
		}
	}
	return last, found
}
