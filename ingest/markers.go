package ingest

import (
	"strconv"
	"strings"

	"zhengda/internal/zh"
)

// kind is a family of printed markers.
type kind uint8

const (
	noKind     kind = iota
	volume          // 第一编
	chapter         // 第一章
	section         // 第一节
	article         // 第一条, 第十二条之一
	hanComma        // 一、
	hanParen        // （一）
	digitDot        // 1. 1、
	digitParen      // （1）
	halfParen       // 1)
	circled         // ①
	decimals        // 4.2.1; also 4 above 4.1
	kinds
)

// statute reports the kinds that are written 第…: they nest in a fixed order.
func (k kind) statute() bool { return k >= volume && k <= article }

// marker is a printed number that may begin a clause or a heading.
type marker struct {
	kind       kind
	n, sub     int   // number, and that after 之
	nums       []int // of decimals, n the last of them
	start, end int   // rune offsets; end is the first rune after the marker and its white space
	label      string
}

const hanNumerals = "零〇○一二三四五六七八九十百千两"

func isHanNumeral(r rune) bool { return strings.ContainsRune(hanNumerals, r) }

func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

func isInlineSpace(r rune) bool { return r == ' ' || r == '\t' || r == '\u3000' || r == '\u00a0' }

// markerAt reads the marker at r[i:], if there is one. It looks only at what
// is printed; whether the number is a clause's is for the sequence to decide.
func markerAt(r []rune, i int) (marker, bool) {
	switch c := r[i]; {
	case c == '第':
		return statuteAt(r, i)
	case c == '（' || c == '(':
		return parenAt(r, i)
	case isDigit(c):
		return digitsAt(r, i)
	case isHanNumeral(c):
		return hanCommaAt(r, i)
	case c >= '①' && c <= '⒛' || c >= '㈠' && c <= '㈩':
		return enclosedAt(r, i)
	}
	return marker{}, false
}

// numeralAt reads a numeral of at most max runes at r[i:], Arabic or Chinese.
func numeralAt(r []rune, i, max int) (n, end int) {
	j := i
	if j < len(r) && isDigit(r[j]) {
		for j < len(r) && isDigit(r[j]) && j-i <= max {
			j++
		}
	} else {
		for j < len(r) && isHanNumeral(r[j]) && j-i <= max {
			j++
		}
	}
	if j == i || j-i > max {
		return 0, i
	}
	n, ok := zh.Numeral(string(r[i:j]))
	if !ok || n < 0 || n > 9999 {
		return 0, i
	}
	return n, j
}

func skipSpace(r []rune, i int) int {
	for i < len(r) && isInlineSpace(r[i]) {
		i++
	}
	return i
}

func statuteAt(r []rune, i int) (marker, bool) {
	j := skipSpace(r, i+1)
	n, e := numeralAt(r, j, 7)
	if e == j {
		return marker{}, false
	}
	num := string(r[j:e])
	if e = skipSpace(r, e); e >= len(r) {
		return marker{}, false
	}
	k := map[rune]kind{'编': volume, '章': chapter, '节': section, '条': article}[r[e]]
	if k == noKind {
		return marker{}, false
	}
	m := marker{kind: k, n: n, start: i, label: "第" + num + string(r[e])}
	e++
	if e+1 < len(r) && r[e] == '之' && k == article {
		if sub, f := numeralAt(r, e+1, 3); f > e+1 {
			m.sub, m.label, e = sub, m.label+"之"+string(r[e+1:f]), f
		}
	}
	if isReference(r, e) {
		return marker{}, false
	}
	m.end = skipSpace(r, e)
	return m, true
}

// isReference reports whether r[i:] goes on as after a reference to an
// article (第八条规定的, 第三条第一款, 第五条至第七条), not as its text.
func isReference(r []rune, i int) bool {
	if i >= len(r) {
		return false
	}
	switch r[i] {
	case '的', '、', '，', ',', '。', '；', ';', '）', ')', '”', '》', '〉':
		return true
	case '第':
		_, e := numeralAt(r, i+1, 4)
		return e > i+1 && e < len(r) && strings.ContainsRune("款项条章节、至和", r[e])
	}
	rest := strings.NewReplacer("\n", "", "\r", "").Replace(string(r[i:min(len(r), i+5)]))
	for _, s := range words["reference-after"] {
		if strings.HasPrefix(rest, s) {
			return true
		}
	}
	return false
}

func parenAt(r []rune, i int) (marker, bool) {
	j := skipSpace(r, i+1)
	n, e := numeralAt(r, j, 4)
	if e == j || e-j > 3 && isDigit(r[j]) {
		return marker{}, false
	}
	num, han := string(r[j:e]), !isDigit(r[j])
	if e = skipSpace(r, e); e >= len(r) || r[e] != '）' && r[e] != ')' {
		return marker{}, false
	}
	e++
	if e < len(r) && strings.ContainsRune("、．.", r[e]) {
		e++
	}
	m := marker{kind: digitParen, n: n, start: i, end: skipSpace(r, e), label: "（" + strconv.Itoa(n) + "）"}
	if han {
		m.kind, m.label = hanParen, "（"+num+"）"
	}
	if e < len(r) && strings.ContainsRune("至款项目和、，,；;。）)》”", r[e]) && !strings.HasPrefix(string(r[e:min(len(r), e+2)]), "项目") {
		return marker{}, false // a reference: 第（一）至（三）项
	}
	return m, true
}

func digitsAt(r []rune, i int) (marker, bool) {
	if i > 0 && (isDigit(r[i-1]) || isLatin(r[i-1]) || strings.ContainsRune(".．-—/:：%+", r[i-1]) && i > 1 && (isDigit(r[i-2]) || isLatin(r[i-2]))) {
		return marker{}, false
	}
	n, e := numeralAt(r, i, 3)
	if e == i || e >= len(r) {
		return marker{}, false
	}
	m := marker{n: n, start: i}
	switch r[e] {
	case '、', '．', '.':
		if e+1 < len(r) && isDigit(r[e+1]) && !isYear(r, e+1) {
			if r[e] == '、' {
				return marker{}, false
			}
			return decimalsAt(r, i)
		}
		if spacedDecimals(r, e) {
			return decimalsAt(r, i)
		}
		if e+1 < len(r) && (r[e+1] == r[e] || isLatin(r[e+1]) && r[e] == '.' && r[e+1] >= 'a') {
			return marker{}, false // dot leaders, file names
		}
		m.kind, m.label = digitDot, strconv.Itoa(n)+"."
		if r[e] == '、' {
			m.label = strconv.Itoa(n) + "、"
		}
	case '）', ')':
		m.kind, m.label = halfParen, strconv.Itoa(n)+"）"
	case ' ', '\t', '\u3000', '\u00a0':
		return decimalsAt(r, i)
	default:
		return marker{}, false
	}
	m.end = skipSpace(r, e+1)
	return m, true
}

// spacedDecimals reports whether the point at r[e] stands in a number that was
// printed with a space after it: 2. 1　公历.
func spacedDecimals(r []rune, e int) bool {
	j := skipSpace(r, e+1)
	_, f := numeralAt(r, j, 2)
	return j == e+2 && f > j && isDigit(r[j]) && f < len(r) && isInlineSpace(r[f]) && r[e] != '、'
}

// isYear reports whether r[i:] is a year: 2024年, 1999－.
func isYear(r []rune, i int) bool {
	n, e := numeralAt(r, i, 4)
	return e-i == 4 && n >= 1900 && n < 2200 && e < len(r) && !isDigit(r[e]) && r[e] == '年'
}

func isLatin(r rune) bool { return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' }

// decimalsAt reads 2 and 2.1 and 2.1.3 before white space or Chinese text, as
// technical standards number their sections.
func decimalsAt(r []rune, i int) (marker, bool) {
	m := marker{kind: decimals, start: i}
	j := i
	for {
		n, e := numeralAt(r, j, 2)
		if e == j || n == 0 || len(m.nums) == 5 {
			return marker{}, false
		}
		m.nums, m.n = append(m.nums, n), n
		if e+1 < len(r) && (r[e] == '.' || r[e] == '．') && (isDigit(r[e+1]) || spacedDecimals(r, e)) {
			j = skipSpace(r, e+1)
			continue
		}
		j = e
		break
	}
	m.end = skipSpace(r, j)
	if m.end >= len(r) || !zh.IsHan(r[m.end]) && r[m.end] != '《' && r[m.end] != '“' {
		return marker{}, false
	}
	if m.end == j && (len(m.nums) < 3 || strings.ContainsRune("年月日亿万千百元个项家名倍米吨公平度次人", r[j])) {
		return marker{}, false
	}
	parts := make([]string, len(m.nums))
	for k, n := range m.nums {
		parts[k] = strconv.Itoa(n)
	}
	m.label = strings.Join(parts, ".")
	return m, true
}

func hanCommaAt(r []rune, i int) (marker, bool) {
	if i > 0 && (isHanNumeral(r[i-1]) || r[i-1] == '第' || r[i-1] == '之') {
		return marker{}, false
	}
	n, e := numeralAt(r, i, 4)
	if e == i || n == 0 {
		return marker{}, false
	}
	num := string(r[i:e])
	if e = skipSpace(r, e); e >= len(r) || !strings.ContainsRune("、．.", r[e]) {
		return marker{}, false
	}
	e++
	if _, f := numeralAt(r, e, 3); f > e && f < len(r) && strings.ContainsRune("、级类款项条期季届审线", r[f]) {
		return marker{}, false // 一、二级; 三、四季度
	}
	return marker{kind: hanComma, n: n, start: i, end: skipSpace(r, e), label: num + "、"}, true
}

// enclosedAt reads the single-rune markers ① ⑴ ⒈ ㈠.
func enclosedAt(r []rune, i int) (marker, bool) {
	m := marker{start: i, end: skipSpace(r, i+1)}
	switch c := r[i]; {
	case c >= '①' && c <= '⑳':
		m.kind, m.n, m.label = circled, int(c-'①')+1, string(c)
	case c >= '⑴' && c <= '⒇':
		m.kind, m.n = digitParen, int(c-'⑴')+1
		m.label = "（" + strconv.Itoa(m.n) + "）"
	case c >= '⒈' && c <= '⒛':
		m.kind, m.n = digitDot, int(c-'⒈')+1
		m.label = strconv.Itoa(m.n) + "."
	case c >= '㈠' && c <= '㈩':
		m.kind, m.n = hanParen, int(c-'㈠')+1
		m.label = "（" + zh.FormatNumeral(m.n) + "）"
	default:
		return marker{}, false
	}
	return m, true
}
