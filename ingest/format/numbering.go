package format

import (
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"

	"zhengda/internal/zh"
)

// ordinal writes n as Word's number format (ST_NumberFormat of ECMA-376) does.
// Formats it does not know are written in Arabic digits.
func ordinal(kind string, n int) string {
	switch kind {
	case "none", "bullet":
		return ""
	case "chineseCounting", "chineseCountingThousand", "ideographDigital", "japaneseCounting", "taiwaneseCounting",
		"taiwaneseCountingThousand", "japaneseDigitalTenThousand", "koreanCounting":
		if n > 0 && n < 10000 {
			return zh.FormatNumeral(n)
		}
	case "chineseLegalSimplified", "ideographLegalTraditional":
		if n > 0 && n < 10000 {
			return legal.Replace(zh.FormatNumeral(n))
		}
	case "ideographTraditional":
		return cyclic("甲乙丙丁戊己庚辛壬癸", n)
	case "ideographZodiac":
		return cyclic("子丑寅卯辰巳午未申酉戌亥", n)
	case "decimalEnclosedCircle", "decimalEnclosedCircleChinese":
		return enclosed('①', 20, n)
	case "decimalEnclosedParen":
		return enclosed('⑴', 20, n)
	case "decimalEnclosedFullstop":
		return enclosed('⒈', 20, n)
	case "ideographEnclosedCircle":
		return enclosed('㊀', 10, n)
	case "decimalFullWidth", "decimalFullWidth2":
		return fullWidth.Replace(strconv.Itoa(n))
	case "decimalZero":
		if n < 10 {
			return "0" + strconv.Itoa(n)
		}
	case "upperLetter":
		return letters('A', n)
	case "lowerLetter":
		return letters('a', n)
	case "upperRoman":
		return roman(n)
	case "lowerRoman":
		return strings.ToLower(roman(n))
	}
	return strconv.Itoa(n)
}

var (
	legal = strings.NewReplacer("一", "壹", "二", "贰", "三", "叁", "四", "肆", "五", "伍", "六", "陆",
		"七", "柒", "八", "捌", "九", "玖", "十", "拾", "百", "佰", "千", "仟")
	fullWidth = strings.NewReplacer("0", "０", "1", "１", "2", "２", "3", "３", "4", "４", "5", "５", "6", "６", "7", "７", "8", "８", "9", "９")
)

func cyclic(signs string, n int) string {
	r := []rune(signs)
	if n < 1 {
		return strconv.Itoa(n)
	}
	return string(r[(n-1)%len(r)])
}

func enclosed(first rune, count, n int) string {
	if n < 1 || n > count {
		return strconv.Itoa(n)
	}
	return string(first + rune(n-1))
}

// letters counts a … z, aa, bb … as Word does.
func letters(first rune, n int) string {
	if n < 1 || n > 26*20 {
		return strconv.Itoa(n)
	}
	return strings.Repeat(string(first+rune((n-1)%26)), (n-1)/26+1)
}

func roman(n int) string {
	if n < 1 || n > 3999 {
		return strconv.Itoa(n)
	}
	var b strings.Builder
	for _, s := range []struct {
		v int
		r string
	}{{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"}, {90, "XC"}, {50, "L"}, {40, "XL"},
		{10, "X"}, {9, "IX"}, {5, "V"}, {4, "IV"}, {1, "I"}} {
		for ; n >= s.v; n -= s.v {
			b.WriteString(s.r)
		}
	}
	return b.String()
}

// spaced puts a gap between a generated marker and its text where running
// them together would make another number or word of them (1.2024年).
func spaced(marker, suffix string) string {
	if marker == "" || suffix == "nothing" {
		return marker
	}
	switch last := lastRune(marker); {
	case last == '、' || last == '）' || last == '．' || last == '：' || last == '。':
		return marker
	case unicode.IsSpace(last):
		return marker
	}
	return marker + " "
}

// listOf reads how a list of a page is numbered.
func listOf(n *html.Node) *list {
	l := &list{ordered: n.DataAtom == atom.Ol, kind: "decimal", suffix: ".", next: 1}
	if s := attr(n, "start"); s != "" {
		if v, err := strconv.Atoi(s); err == nil {
			l.next = v
		}
	}
	switch attr(n, "type") {
	case "a":
		l.kind = "lowerLetter"
	case "A":
		l.kind = "upperLetter"
	case "i":
		l.kind = "lowerRoman"
	case "I":
		l.kind = "upperRoman"
	}
	style := strings.ToLower(attr(n, "style"))
	switch {
	case strings.Contains(style, "cjk-ideographic"), strings.Contains(style, "chinese-informal"):
		l.kind, l.suffix = "chineseCounting", "、"
	case strings.Contains(style, "list-style-type:none"), strings.Contains(style, "list-style-type: none"), strings.Contains(style, "list-style:none"):
		l.ordered = false
	}
	return l
}

// marker is the number that a browser shows before the item.
func (l *list) marker(li *html.Node) string {
	if !l.ordered {
		return ""
	}
	if v, err := strconv.Atoi(attr(li, "value")); err == nil {
		l.next = v
	}
	s := spaced(ordinal(l.kind, l.next)+l.suffix, "")
	l.next++
	return s
}
