package ingest

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"zhengda/internal/zh"
	"zhengda/rag"
)

func newLinter(d *rag.Document) *linter {
	l := &linter{doc: d, runes: make([][]rune, len(d.Clauses))}
	for j := range d.Clauses {
		l.runes[j] = []rune(d.Clauses[j].Text)
	}
	return l
}

// match calls f with every match of re in clauses that hold sign: the clause,
// the byte offsets in its text, and the rune offsets of the whole match.
func (l *linter) match(re *regexp.Regexp, sign string, f func(i int, text string, m []int, start, end int)) {
	for i := range l.doc.Clauses {
		text := l.doc.Clauses[i].Text
		if !strings.Contains(text, sign) {
			continue
		}
		for _, m := range re.FindAllStringSubmatchIndex(text, -1) {
			start := utf8.RuneCountInString(text[:m[0]])
			f(i, text, m, start, start+utf8.RuneCountInString(text[m[0]:m[1]]))
		}
	}
}

var (
	ownArticle = regexp.MustCompile(`本(?:法|条例|办法|规定|细则|规则|章程|规程|准则|制度)第([一二三四五六七八九十百零〇○0-9]+)条`)
	articleNo  = regexp.MustCompile(`第([一二三四五六七八九十百零〇○0-9]+)条`)
	ownAnnex   = regexp.MustCompile(`(?:见|附)附件\s*([一二三四五六七八九十]{1,2}|[0-9]{1,2})`)
	annexNo    = regexp.MustCompile(`附件\s*([一二三四五六七八九十]{1,2}|[0-9]{1,2})`)
)

// leastArticles is how many articles a document has that can refer to its own.
const leastArticles = 5

// references finds articles and annexes that are referred to and not there.
func (l *linter) references() {
	articles, annexes := map[int]bool{}, map[int]bool{}
	for i := range l.doc.Clauses {
		c := &l.doc.Clauses[i]
		if m := articleNo.FindStringSubmatch(c.Label); m != nil {
			if n, ok := zh.Numeral(m[1]); ok {
				articles[n] = true
			}
		}
		for _, s := range append([]string{c.Label}, c.Path...) {
			if m := annexNo.FindStringSubmatch(s); m != nil {
				if n, ok := zh.Numeral(m[1]); ok {
					annexes[n] = true
				}
			}
		}
	}
	missing := func(there map[int]bool, what string, re *regexp.Regexp, sign string) {
		var quotes []Quote
		l.match(re, sign, func(i int, text string, m []int, start, end int) {
			if n, ok := zh.Numeral(text[m[2]:m[3]]); ok && !there[n] {
				quotes = append(quotes, l.quote(i, start, end))
			}
		})
		if len(quotes) > 0 {
			var b strings.Builder
			for _, q := range quotes {
				b.WriteString(where(q))
			}
			l.add("reference", Caution, fmt.Sprintf("引用的%s在本文件中不存在:%s", what, b.String()), quotes...)
		}
	}
	if len(articles) >= leastArticles {
		missing(articles, "条", ownArticle, "本")
	}
	if len(annexes) > 0 {
		missing(annexes, "附件", ownAnnex, "附件")
	}
}

var quoted = regexp.MustCompile(`[“"]([^“”"]{2,6})[”"]`)

// titleRunes is how long a clause's title is at most that is a heading, and
// not the first sentence of its text.
const titleRunes = 20

// terms finds abbreviations that a heading puts in quotation marks and the
// text then never uses or explains.
func (l *linter) terms() {
	told := map[string]bool{}
	for i := range l.doc.Clauses {
		c := &l.doc.Clauses[i]
		headings := slices.Clone(c.Path)
		if utf8.RuneCountInString(c.Title) <= titleRunes {
			headings = append(headings, c.Title)
		}
		for k, heading := range headings {
			for _, m := range quoted.FindAllStringSubmatch(heading, -1) {
				term := m[1]
				if told[term] || !isAbbreviation(term) || l.explained(term) {
					continue
				}
				told[term] = true
				q := Quote{DocumentID: l.doc.ID, Document: l.doc.Title, ClauseID: c.ID, Label: c.Label, Clause: c.Number, Text: heading}
				if k < len(c.Path) {
					q.Label = heading
				}
				l.add("undefined_term", Note, fmt.Sprintf("「%s」只在标题里出现,正文没有解释", term), q)
			}
		}
	}
}

// isAbbreviation reports whether a quoted term is a short form that needs its
// long one: it counts what it stands for (双链, 三项改革), or is very short.
func isAbbreviation(s string) bool {
	first, _ := utf8.DecodeRuneInString(s)
	return utf8.RuneCountInString(s) <= 4 && strings.ContainsRune("双两二三四五六七八九十0123456789", first)
}

// explained reports whether the text uses the term outside headings.
func (l *linter) explained(term string) bool {
	for i := range l.doc.Clauses {
		c := &l.doc.Clauses[i]
		n := strings.Count(c.Text, term)
		if strings.HasPrefix(c.Text, c.Title) {
			n -= strings.Count(c.Title, term)
		}
		if n > 0 {
			return true
		}
	}
	return false
}

// typos finds repeated characters and words, known misspellings, and
// quotation marks and brackets that do not pair.
func (l *linter) typos() {
	for i := range l.doc.Clauses {
		text := l.doc.Clauses[i].Text
		for _, w := range lintWords["typo"] {
			wrong, right, ok := strings.Cut(w, "=")
			if !ok {
				continue
			}
			for at := 0; ; {
				k := strings.Index(text[at:], wrong)
				if k < 0 {
					break
				}
				start := utf8.RuneCountInString(text[:at+k])
				if !l.excused(i, start, utf8.RuneCountInString(wrong)) {
					q := l.around(i, start, utf8.RuneCountInString(wrong))
					l.add("typo", Note, fmt.Sprintf("%s 疑为「%s」之误", where(q), right), q)
				}
				at += k + len(wrong)
			}
		}
		l.doubled(i)
		l.doubledMarks(i)
		l.unpaired(i)
	}
}

// excused reports whether the runes stand in a word that is right.
func (l *linter) excused(i, start, n int) bool {
	window := string(l.runes[i][max(0, start-3):min(len(l.runes[i]), start+n+3)])
	for _, w := range lintWords["fine"] {
		if strings.Contains(window, w) {
			return true
		}
	}
	return false
}

// around quotes a place with a little of what stands beside it.
func (l *linter) around(i, start, n int) Quote {
	return l.quote(i, max(0, start-6), min(len(l.runes[i]), start+n+6))
}

// Lengths of a word whose repetition is a slip: two-character words meet in
// good sentences (质量管理管理人员).
const doubleLeast, doubleMost = 3, 8

func (l *linter) doubled(i int) {
	slips := strings.Join(lintWords["double"], "")
	r := l.runes[i]
	for p := 0; p+1 < len(r); p++ {
		if r[p] == r[p+1] && strings.ContainsRune(slips, r[p]) && !l.excused(i, p, 2) {
			q := l.around(i, p, 2)
			l.add("typo", Note, "文字重复:"+where(q), q)
			p++
			continue
		}
		for n := doubleLeast; n <= doubleMost && p+2*n <= len(r); n++ {
			if r[p] == r[p+n] && slices.Equal(r[p:p+n], r[p+n:p+2*n]) && isWord(r[p:p+n]) {
				q := l.around(i, p, 2*n)
				l.add("typo", Note, "文字重复:"+where(q), q)
				p += 2*n - 1
				break
			}
		}
	}
}

// doubledMarks finds two marks of punctuation where one is meant; three or
// more are drawn, not written.
func (l *linter) doubledMarks(i int) {
	const pausing = "，,、；;。：:"
	r := l.runes[i]
	for p := 0; p < len(r); {
		n := 0
		for p+n < len(r) && strings.ContainsRune(pausing, r[p+n]) {
			n++
		}
		if n == 2 {
			q := l.around(i, p, 2)
			l.add("typo", Note, "标点重复:"+where(q), q)
		}
		p += max(n, 1)
	}
}

// isWord reports whether r may be one word: a list (认证及认证培训) repeats
// words too.
func isWord(r []rune) bool {
	return hanOnly(r) && !strings.ContainsAny(string(r), "和与及或的之一二三四五六七八九十")
}

func hanOnly(r []rune) bool {
	for _, c := range r {
		if !zh.IsHan(c) {
			return false
		}
	}
	return true
}

// unpaired finds a 《 or “ without its partner, or the other way round, inside
// one clause.
func (l *linter) unpaired(i int) {
	for _, pair := range []string{"《》", "“”"} {
		marks := []rune(pair)
		open, at := 0, -1
		for p, c := range l.runes[i] {
			switch c {
			case marks[0]:
				if open == 0 {
					at = p
				}
				open++
			case marks[1]:
				if open == 0 {
					l.unpairedAt(i, p, pair)
					return
				}
				open--
			}
		}
		if open > 0 {
			l.unpairedAt(i, at, pair)
			return
		}
	}
}

func (l *linter) unpairedAt(i, p int, pair string) {
	q := l.around(i, p, 1)
	l.add("typo", Note, fmt.Sprintf("%s 不成对:%s", pair, where(q)), q)
}

var (
	fullDate = regexp.MustCompile(`((?:19|20)[0-9]{2})年([0-9]{1,2})月([0-9]{1,2})日(?:[（(]?(?:星期|周)([一二三四五六日天]))?`)
	dateSpan = regexp.MustCompile(`((?:19|20)[0-9]{2})年([0-9]{1,2})月([0-9]{1,2})日\s*(?:至|到|—|－|-|~|～)+\s*((?:19|20)[0-9]{2})年([0-9]{1,2})月([0-9]{1,2})日`)
	yearSpan = regexp.MustCompile(`((?:19|20)[0-9]{2})\s*年?\s*(?:至|—|－|-|~|～)+\s*((?:19|20)[0-9]{2})年`)
	inForce  = regexp.MustCompile(`本(?:法|条例|办法|规定|细则|规则|通知|方案|意见)?[^。；\n《》]{0,6}自((?:19|20)[0-9]{2})年([0-9]{1,2})月([0-9]{1,2})日起(?:施行|实施|执行|生效)`)
)

// dates finds days that the calendar does not know, spans that end before
// they begin, and two dates from which one document is in force.
func (l *linter) dates() {
	l.match(fullDate, "日", func(i int, text string, m []int, start, end int) {
		day := date(text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]])
		q := l.quote(i, start, end)
		if day.IsZero() {
			l.add("date", Error, "日历上没有这一天:"+where(q), q)
		} else if m[8] >= 0 && weekday(text[m[8]:m[9]]) != day.Weekday() {
			l.add("date", Caution, fmt.Sprintf("日期与星期不符:%s,当天是星期%s", where(q), string([]rune("日一二三四五六")[day.Weekday()])), q)
		}
	})
	l.match(dateSpan, "日", func(i int, text string, m []int, start, end int) {
		a, b := date(text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]]), date(text[m[8]:m[9]], text[m[10]:m[11]], text[m[12]:m[13]])
		if !a.IsZero() && !b.IsZero() && b.Before(a) {
			q := l.quote(i, start, end)
			l.add("date", Caution, "止日早于起日:"+where(q), q)
		}
	})
	l.match(yearSpan, "年", func(i int, text string, m []int, start, end int) {
		if text[m[4]:m[5]] < text[m[2]:m[3]] {
			q := l.quote(i, start, end)
			l.add("date", Caution, "止年早于起年:"+where(q), q)
		}
	})
	var first *Quote
	var from time.Time
	l.match(inForce, "日起", func(i int, text string, m []int, start, end int) {
		day := date(text[m[2]:m[3]], text[m[4]:m[5]], text[m[6]:m[7]])
		q := l.quote(i, start, end)
		if first != nil && !day.Equal(from) {
			l.add("date", Caution, fmt.Sprintf("施行日期不一:%s 与 %s", where(q), where(*first)), q, *first)
		} else if first == nil {
			first, from = &q, day
		}
	})
}

func weekday(s string) time.Weekday {
	if s == "天" {
		return time.Sunday
	}
	return time.Weekday(utf8.RuneCountInString("日一二三四五六"[:strings.Index("日一二三四五六", s)]))
}
