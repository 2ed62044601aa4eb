package zh

import (
	"strings"

	"github.com/shopspring/decimal"
)

const hanDigits = "零一二三四五六七八九"

// digitOf maps the digits that official texts use, 〇 and ○ among them.
func digitOf(r rune) (int64, bool) {
	switch r {
	case '〇', '○', '零':
		return 0, true
	case '两', '俩':
		return 2, true
	case '壹', '贰', '叁', '肆', '伍', '陆', '柒', '捌', '玖':
		return int64(strings.IndexRune("壹贰叁肆伍陆柒捌玖", r)/3 + 1), true
	}
	if i := strings.IndexRune(hanDigits, r); i >= 0 {
		return int64(i / 3), true
	}
	if r >= '0' && r <= '9' {
		return int64(r - '0'), true
	}
	if r >= '０' && r <= '９' {
		return int64(r - '０'), true
	}
	return 0, false
}

// scaleOf maps 十, 百, 千, 万 and 亿 to their powers of ten.
func scaleOf(r rune) (int64, bool) {
	switch r {
	case '十', '拾':
		return 10, true
	case '百', '佰':
		return 100, true
	case '千', '仟':
		return 1000, true
	case '万', '萬':
		return 1e4, true
	case '亿', '億':
		return 1e8, true
	}
	return 0, false
}

// Numeral reads a whole number written in Arabic or Chinese digits: 12,
// 12,000, １２, 十二, 一百零一, 二〇二四, 两千三. It reports false for
// anything else.
func Numeral(s string) (int, bool) {
	d, ok := Decimal(s)
	if !ok || !d.IsInteger() || d.Abs().GreaterThan(decimal.New(1, 15)) {
		return 0, false
	}
	return int(d.IntPart()), true
}

// Decimal reads a number written in Arabic or Chinese digits, with thousands
// separators, a decimal point and 万 or 亿: 3,860.5, 1.2万, 三千八百, 十二亿.
func Decimal(s string) (decimal.Decimal, bool) {
	r := []rune(strings.TrimSpace(s))
	n, d := scanNumber(r, 0)
	return d, n == len(r) && n > 0
}

// scanNumber reads the longest number at r[i:] and returns its length and
// value; length 0 means that there is none.
func scanNumber(r []rune, i int) (int, decimal.Decimal) {
	if n, d := scanArabic(r, i); n > 0 {
		return scanScales(r, i, n, d)
	}
	return scanHan(r, i)
}

func isDigit(r rune) bool { return r >= '0' && r <= '9' || r >= '０' && r <= '９' }

func scanArabic(r []rune, i int) (int, decimal.Decimal) {
	var b strings.Builder
	j, dot := i, false
	for j < len(r) {
		switch c := r[j]; {
		case isDigit(c):
			v, _ := digitOf(c)
			b.WriteByte(byte('0' + v))
		case (c == ',' || c == '，') && j > i && !dot && groupOfThree(r, j+1):
		case (c == '.' || c == '．') && j > i && !dot && j+1 < len(r) && isDigit(r[j+1]):
			dot = true
			b.WriteByte('.')
		default:
			goto done
		}
		j++
	}
done:
	if j == i {
		return 0, decimal.Zero
	}
	d, err := decimal.NewFromString(b.String())
	if err != nil {
		return 0, decimal.Zero
	}
	return j - i, d
}

// groupOfThree reports whether exactly three digits stand at r[i:].
func groupOfThree(r []rune, i int) bool {
	n := 0
	for i+n < len(r) && isDigit(r[i+n]) {
		n++
	}
	return n == 3
}

// scanScales extends an Arabic number by 百, 千, 万, 亿 and 万亿.
func scanScales(r []rune, i, n int, d decimal.Decimal) (int, decimal.Decimal) {
	for i+n < len(r) {
		s, ok := scaleOf(r[i+n])
		if !ok || s == 10 {
			break
		}
		d = d.Mul(decimal.NewFromInt(s))
		n++
	}
	return n, d
}

// scanHan reads 三千八百, 十二, 二〇二四, 一万二, 一百零一.
func scanHan(r []rune, i int) (int, decimal.Decimal) {
	var total, section, digit int64 // of the whole, below 万, the last digit
	last, plain, j := int64(0), 0, i
	zero := false
	for ; j < len(r); j++ {
		if isDigit(r[j]) {
			break
		}
		if v, ok := digitOf(r[j]); ok {
			if plain > 0 && last == 0 { // 二〇二四: digits in a row
				if digit > 1e14 {
					return 0, decimal.Zero
				}
				digit = digit*10 + v
			} else {
				digit = v
			}
			zero = v == 0
			plain++
			if last != 0 {
				plain = 0
			}
			continue
		}
		s, ok := scaleOf(r[j])
		if !ok {
			break
		}
		if j == i && s != 10 {
			return 0, decimal.Zero // 万 alone is no number
		}
		if total > 1e15 || section > 1e11 {
			return 0, decimal.Zero
		}
		if s >= 1e4 {
			section += digit
			if total > 0 && s == 1e8 {
				total = (total + section) * s
			} else {
				total += section * s
			}
			section = 0
		} else {
			if digit == 0 {
				digit = 1
			}
			section += digit * s
		}
		digit, last, plain = 0, s, 0
	}
	if j == i {
		return 0, decimal.Zero
	}
	if last >= 100 && digit > 0 && digit < 10 && !zero && !prevZero(r, j-2) {
		digit *= last / 10 // 一万二 is 12,000
	}
	return j - i, decimal.NewFromInt(total + section + digit)
}

func prevZero(r []rune, i int) bool {
	return i >= 0 && (r[i] == '零' || r[i] == '〇' || r[i] == '○')
}

// FormatNumeral writes n, 0 to 9999, in Chinese digits as article numbers do:
// 十二, 一百零一.
func FormatNumeral(n int) string {
	digits := []rune(hanDigits)
	if n == 0 {
		return "零"
	}
	var b strings.Builder
	zero := false
	for _, s := range []struct {
		v int
		r string
	}{{1000, "千"}, {100, "百"}, {10, "十"}, {1, ""}} {
		d := n / s.v % 10
		if d == 0 {
			zero = b.Len() > 0
			continue
		}
		if zero {
			b.WriteRune('零')
			zero = false
		}
		if !(s.v == 10 && d == 1 && b.Len() == 0) {
			b.WriteRune(digits[d])
		}
		b.WriteString(s.r)
	}
	return b.String()
}
