package ingest

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// What a stretch of the page is, beside clauses and paragraphs.
type role uint8

const (
	titleRole   role = iota
	subjectRole      // title of a further document
	annexRole        // 附件1 and its title
	signRole         // issuer and date
	listRole         // list of the annexes
)

// stretch is a part of the page that is found by its looks, before any
// numbering is read.
type stretch struct {
	role  role
	a, b  int
	label string // of an annex: 附件1
	title string
}

const hanDate = `(?:(?:19|20)\d\d|[一二]\s*[〇○ОOo0零九][〇○ОOo0零一二三四五六七八九]{2})\s*年\s*[\d一二三四五六七八九十]{1,3}\s*月\s*[\d一二三四五六七八九十]{1,3}\s*日`

var (
	titleEnd   = regexp.MustCompile(`(` + strings.Join(words["title-end"], "|") + `)(（.{1,24}）|\(.{1,24}\))?$`)
	titleHead  = regexp.MustCompile(`^(.{0,30}关于(` + strings.Join(words["title-verb"], "|") + `)|(19|20)\d\d年)`)
	annexStart = regexp.MustCompile(`^附(\s*(件|录|表|图)\s*([一二三四五六七八九十]{1,3}|\d{1,2}(\s*[-—－]\s*\d{1,2})?|[A-H])?\s*([:：.．、\s]|$)|\d{0,2}\s*([:：]|$))`)
	issueNo    = regexp.MustCompile(`^[（(]?[\p{Han}〔（(]{1,14}[〔\[（(【﹝]\s*(19|20)\d\d\s*[〕\]）)】﹞]\s*(第\s*)?\d+\s*号[）)]?$`)
	oneDate    = regexp.MustCompile(`^[（(]?` + hanDate + `[）)]?$`)
	signTail   = regexp.MustCompile(`(?:^|[。！？”）)：:，,；\s])([\p{Han}（）()、\s]{2,60}?` + hanDate + `\s*)$`)
	carried    = regexp.MustCompile(`(?:印发|发布|公布|转发|下发|颁布|批转|颁发|实施)[^《]{0,24}《([^》]{4,60})》`)
	carriedRaw = regexp.MustCompile(`(?:印发|转发|批转)(.{4,60}?)的通知`)
	datedTail  = regexp.MustCompile(`\s*[（(]\s*` + hanDate + `[^）)]*[）)]$`)
	addressees = regexp.MustCompile(`^[^。；！？]{2,300}[：:]$`)
)

func dateLine(r []rune) bool { return len(r) < 30 && oneDate.MatchString(squeeze(r)) }

func annexLine(r []rune) bool {
	return r[0] == '附' && annexStart.MatchString(string(r[:min(len(r), 14)])) && len(r) < 80
}

// addressee reports whether the line says to whom the document goes.
func addressee(r []rune) bool {
	s := string(r)
	return addressees.MatchString(s) && strings.ContainsAny(s, "各市局厅委部门单位区县司企") && !strings.Contains(s, "如下") && !strings.Contains(s, "以下") && !strings.Contains(s, "决定") && !strings.ContainsRune("为根依按经现", r[0])
}

// titleLike reports whether the line reads like the whole title of an official
// document, or its end.
func titleLike(r []rune) bool {
	s := squeeze(r)
	n := len([]rune(s))
	return n >= 4 && n <= 80 && !strings.ContainsAny(s, "。；！，,;|") && titleEnd.MatchString(s)
}

func titleBegins(r []rune) bool { return titleHead.MatchString(string(r)) }

// front finds the titles, signatures and annexes of the page.
func (p *page) front() []stretch {
	if len(p.lines) == 0 {
		return nil
	}
	var out []stretch
	title := ""
	from := 0 // first line after the title
	if len(p.flat) > 0 && p.flat[0].Start == p.lines[0].a {
		if end := p.flatTitle(p.flat[0]); end > 0 {
			out = append(out, stretch{role: titleRole, a: p.lines[0].a, b: end})
		}
	} else if n := p.titleLines(0, 4); n > 0 {
		out, from = append(out, stretch{role: titleRole, a: p.lines[0].a, b: p.lines[n-1].b}), n
	}
	if len(out) > 0 {
		if loc := datedTail.FindStringIndex(p.str(out[0].a, out[0].b)); loc != nil && loc[0] > 0 {
			out[0].b = out[0].a + len([]rune(p.str(out[0].a, out[0].b)[:loc[0]]))
		}
		title = plainTitle(p.read(out[0].a, out[0].b))
		out[0].title = title
	}
	names := carriedNames(title)
	for i := from; i < len(p.lines); {
		s, next := p.stretchAt(i, from, names, out)
		if next > i {
			out = append(out, s)
			i = next
			continue
		}
		i++
	}
	for _, f := range p.flat {
		out = p.flatStretches(f, names, out)
	}
	slices.SortFunc(out, func(a, b stretch) int { return a.a - b.a })
	kept := out[:0]
	for _, s := range out {
		if n := len(kept); n == 0 || s.a >= kept[n-1].b {
			kept = append(kept, s)
		}
	}
	return kept
}

// plainTitle is a title on one line, without the spaces that stretch it.
func plainTitle(s string) string {
	s = strings.ReplaceAll(s, "\n", "")
	r := []rune(strings.Join(strings.Fields(s), " "))
	spaced := 0
	for _, c := range r {
		if c == ' ' {
			spaced++
		}
	}
	if spaced*3 > len(r) || len(r) <= 8 {
		return squeeze(r)
	}
	return string(r)
}

// carriedNames are the titles of the documents that a covering notice with
// this title carries.
func carriedNames(title string) []string {
	var out []string
	for _, m := range carried.FindAllStringSubmatch(title, -1) {
		out = append(out, squeeze([]rune(m[1])))
	}
	if m := carriedRaw.FindStringSubmatch(title); m != nil && !strings.Contains(m[1], "《") {
		out = append(out, squeeze([]rune(m[1])))
	}
	return out
}

// titleLines counts the lines from lines[i] that make one title, at most max.
func (p *page) titleLines(i, most int) int {
	n, complete := 0, 0
	for n < most && i+n < len(p.lines) {
		l := p.lines[i+n]
		t := p.text(l)
		c := t[len(t)-1]
		_, marked := markerAt(p.r, l.a)
		if len(t) > 60 || marked || l.cell || l.tab && n > 0 || strings.ContainsRune("。；：:，,", c) || issueNo.MatchString(squeeze(t)) || dateLine(t) ||
			annexLine(t) || (t[0] == '（' || t[0] == '(') && n > 0 || n > 0 && l.gap && (complete > 0 || n > 1) {
			break
		}
		if complete > 0 && n == complete && !titleLike(t) {
			break
		}
		n++
		if titleLike(p.r[p.lines[i].a:l.b]) || titleLike(t) {
			complete = n
			if c != '的' && i+n < len(p.lines) && p.lines[i+n].gap {
				break
			}
		}
	}
	if complete > 0 {
		return complete
	}
	return min(n, 1)
}

// flatTitle is the end of the title at the head of a document on one line, 0
// where none is found.
func (p *page) flatTitle(f Range) int {
	head := p.r[f.Start:min(f.End, f.Start+120)]
	for e := 4; e < len(head); e++ {
		if strings.ContainsRune("。；！", head[e-1]) {
			return 0
		}
		if m, ok := markerAt(p.r, f.Start+e); ok && m.n == 1 && e >= 4 && e <= 80 {
			return f.Start + e
		}
		if !titleEnd.MatchString(squeeze(head[:e])) || unclosed(head[:e]) || e < len(head) && head[e] == '》' {
			continue
		}
		rest := string(p.r[f.Start+e : min(f.End, f.Start+e+200)])
		if afterTitle.MatchString(rest) {
			return f.Start + e
		}
	}
	return 0
}

var afterTitle = regexp.MustCompile(`^\s*([（(]\s*(` + hanDate + `|(19|20)\d\d)|[\p{Han}]{1,8}[〔\[](19|20)\d\d|第[一1]|一、|(19|20)\d\d年|[^。；！，,]{2,60}[：:]|[“《]?为|各)`)

// stretchAt recognises what begins at lines[i]; next is the line after it, i
// when it is nothing but text.
func (p *page) stretchAt(i, from int, names []string, before []stretch) (s stretch, next int) {
	l := p.lines[i]
	t := p.text(l)
	switch {
	case l.cell:
	case annexLine(t):
		return p.annexAt(i, before)
	case dateLine(t) && i > from:
		return p.signAt(i, from)
	case len(t) <= 60:
		if n := p.subjectAt(i, names); n > 0 {
			title := plainTitle(p.read(l.a, p.lines[i+n-1].b))
			return stretch{role: subjectRole, a: l.a, b: p.lines[i+n-1].b, title: title}, i + n
		}
	}
	return s, i
}

// subjectAt counts the lines at lines[i] that are the title of a further
// document: one that the covering notice names, or a line that reads like a
// title, stands alone, and has the number 1 of a sequence after it.
func (p *page) subjectAt(i int, names []string) int {
	for n := 1; n <= 3 && i+n <= len(p.lines); n++ {
		t := strings.Trim(squeeze(p.r[p.lines[i].a:p.lines[i+n-1].b]), "《》")
		for _, name := range names {
			if t == name || strings.HasPrefix(t, name) && len(t) < len(name)+12 && strings.ContainsAny(t[len(name):], "（(") {
				return n
			}
		}
	}
	l := p.lines[i]
	if _, marked := markerAt(p.r, l.a); marked || !titleLike(p.text(l)) || !l.gap && !p.afterSign(i) {
		return 0
	}
	for k := i + 1; k < len(p.lines) && k <= i+8; k++ {
		m, ok := markerAt(p.r, p.lines[k].a)
		if ok && m.kind <= hanComma {
			if m.n == 1 && (p.afterSign(i) || m.kind.statute()) {
				return 1
			}
			return 0
		}
	}
	return 0
}

// afterSign reports whether a signature or a dropped line ends right above
// lines[i].
func (p *page) afterSign(i int) bool {
	return i > 0 && (dateLine(p.text(p.lines[i-1])) || i > 1 && dateLine(p.text(p.lines[i-2])) && p.lines[i-1].b-p.lines[i-1].a < 16)
}

// annexAt reads the heading of an annex, or a list of annexes, which names
// them in text and stands above the signature.
func (p *page) annexAt(i int, before []stretch) (stretch, int) {
	t := p.text(p.lines[i])
	loc := annexStart.FindStringIndex(string(t))
	label := strings.TrimRight(squeeze([]rune(string(t)[:loc[1]])), ":：.．、")
	rest := p.read(p.lines[i].a+utf8.RuneCountInString(string(t)[:loc[1]]), p.lines[i].b)
	if rest != "" {
		if n := p.annexList(i); n > 0 {
			return stretch{role: listRole, a: p.lines[i].a, b: p.lines[i+n-1].b}, i + n
		}
		if len([]rune(rest)) > 50 || p.ends(p.lines[i]) {
			return stretch{}, i
		}
		return stretch{role: annexRole, a: p.lines[i].a, b: p.lines[i].b, label: label, title: plainTitle(rest)}, i + 1
	}
	n := 0
	if i+1 < len(p.lines) {
		if _, marked := markerAt(p.r, p.lines[i+1].a); !marked && len(p.text(p.lines[i+1])) <= 45 && !p.ends(p.lines[i+1]) {
			n = p.titleLines(i+1, 3)
		}
	}
	s := stretch{role: annexRole, a: p.lines[i].a, b: p.lines[i+n].b, label: label}
	if n > 0 {
		s.title = plainTitle(p.read(p.lines[i+1].a, p.lines[i+n].b))
	}
	return s, i + 1 + n
}

// annexList counts the lines of a list of annexes that begins at lines[i], 0
// where the line is the heading of an annex.
func (p *page) annexList(i int) int {
	n, listed := 1, false
	for i+n < len(p.lines) && n < 60 {
		l := p.lines[i+n]
		m, ok := markerAt(p.r, l.a)
		_, d := numeralAt(p.r, l.a, 2)
		if ok && m.kind == digitDot && m.n > 1 || d > l.a && d < l.b && strings.ContainsRune("-－—.．", p.r[d]) && l.b-l.a < 60 {
			n++
			listed = true
			continue
		}
		break
	}
	if listed {
		return n
	}
	for k := i + 1; k < len(p.lines) && k <= i+6; k++ { // a signature or the annex itself follows
		t := p.text(p.lines[k])
		if dateLine(t) || annexLine(t) {
			return 1
		}
		if len(t) > 40 {
			break
		}
	}
	if i+1 == len(p.lines) {
		return 1
	}
	return 0
}

// signAt reads the signature whose date stands at lines[i]: issuers above it
// belong to it.
func (p *page) signAt(i, from int) (stretch, int) {
	a := i
	for a > from && a > i-8 {
		t := p.text(p.lines[a-1])
		if _, marked := markerAt(p.r, p.lines[a-1].a); marked || len(t) > 30 || p.ends(p.lines[a-1]) || annexLine(t) || titleLike(t) || p.lines[a-1].cell {
			break
		}
		a--
	}
	for i+1 < len(p.lines) { // （本文有删减）
		if t := p.text(p.lines[i+1]); len(t) > 30 || t[0] != '（' && t[0] != '(' {
			break
		}
		i++
	}
	return stretch{role: signRole, a: p.lines[a].a, b: p.lines[i].b}, i + 1
}

// flatStretches finds the titles of carried documents, the annexes and the
// signatures inside a line that holds a whole document.
func (p *page) flatStretches(f Range, names []string, out []stretch) []stretch {
	from := f.Start
	if len(out) > 0 && out[0].role == titleRole {
		from = max(from, out[0].b)
	}
	ends := []int{f.End}
	for _, name := range names {
		for i := from; i < f.End; i++ {
			if e := spelled(p.r[:f.End], i, []rune(name)); e > 0 && (e == f.End || p.r[e] != '》') && (i == from || !strings.ContainsRune("《“发知", p.r[i-1])) {
				out = append(out, stretch{role: subjectRole, a: i, b: e, title: name})
				ends = append(ends, i)
				break
			}
		}
	}
	text := p.str(from, f.End)
	for _, m := range flatAnnex.FindAllStringSubmatchIndex(text, annexMax) {
		a, b := from+utf8.RuneCountInString(text[:m[2]]), from+utf8.RuneCountInString(text[:m[3]])
		out = append(out, stretch{role: annexRole, a: a, b: b, label: squeeze(p.r[a:b])})
		ends = append(ends, a)
	}
	for _, e := range ends {
		a := max(f.Start, e-120)
		if loc := signTail.FindStringSubmatchIndex(p.str(a, e)); loc != nil {
			out = append(out, stretch{role: signRole, a: a + len([]rune(p.str(a, e)[:loc[2]])), b: e})
		}
	}
	return out
}

// annexMax bounds the annexes looked for in one line.
const annexMax = 30

// flatAnnex is the mark of an annex after the date or a remark at the end of
// the document before it.
var flatAnnex = regexp.MustCompile(`(?:` + hanDate + `|[）)])\s*(附件\s*\d{0,2})\s*[^\s\d：:、，。；的和中）)》]`)

// spelled is the first rune after name at r[i:], where spaces do not count, 0
// when it does not stand there.
func spelled(r []rune, i int, name []rune) int {
	k := 0
	for ; i < len(r) && k < len(name); i++ {
		if r[i] == name[k] {
			k++
		} else if k == 0 || !isInlineSpace(r[i]) {
			return 0
		}
	}
	if k < len(name) {
		return 0
	}
	return i
}
