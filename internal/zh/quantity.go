package zh

import (
	_ "embed"
	"strings"

	"github.com/shopspring/decimal"
)

// Cmp is how a figure bounds the thing it counts.
type Cmp string

// Comparators. A figure without words around it is exact.
const (
	EQ Cmp = "="
	GE Cmp = ">="
	GT Cmp = ">"
	LE Cmp = "<="
	LT Cmp = "<"
)

// Quantity is one figure of a text.
type Quantity struct {
	Start, End int             // rune offsets of number and unit
	Value      decimal.Decimal // 万 and 亿 multiplied out, per cent as written
	Unit       string          // base unit (名 for 人); "" for none
	Scale      string          // 万, 亿 or 万亿 as printed
	Cmp        Cmp
	Hedge      string // the word that gave Cmp: 达到, 超过, 以上, 不少于 …
	Date       bool   // a year, or a day of a year (Value = month*100+day)
	Ordinal    bool   // 第17条, 第三批
}

// Same reports whether two figures say the same amount of the same thing.
func (q Quantity) Same(o Quantity) bool {
	return q.Value.Equal(o.Value) && q.Unit == o.Unit && q.Date == o.Date && q.Ordinal == o.Ordinal
}

//go:embed units.txt
var unitsTxt string

type unit struct {
	base   string
	factor decimal.Decimal
}

var units, unitMax = readUnits(unitsTxt)

func readUnits(txt string) (map[string]unit, int) {
	m, longest := map[string]unit{}, 0
	for line := range strings.Lines(txt) {
		f := strings.Split(strings.TrimSpace(line), "\t")
		if f[0] == "" || strings.HasPrefix(f[0], "#") {
			continue
		}
		u := unit{f[0], decimal.NewFromInt(1)}
		if len(f) > 2 {
			u = unit{f[1], decimal.RequireFromString(f[2])}
		}
		m[f[0]] = u
		longest = max(longest, len([]rune(f[0])))
	}
	return m, longest
}

func scanUnit(r []rune, i int) (int, unit) {
	for n := min(unitMax, len(r)-i); n > 0; n-- {
		if u, ok := units[string(r[i:i+n])]; ok {
			return n, u
		}
	}
	return 0, unit{}
}

// Words before and after a number that bound it, longest first where one
// begins another.
var (
	before = []struct {
		word string
		cmp  Cmp
	}{
		{"不得少于", GE}, {"不得低于", GE}, {"不少于", GE}, {"不低于", GE}, {"不小于", GE}, {"不短于", GE}, {"至少", GE}, {"达到", GE}, {"达", GE},
		{"保持在", GE}, {"不得超过", LE}, {"最多不超过", LE}, {"不超过", LE}, {"不高于", LE}, {"不大于", LE}, {"不多于", LE}, {"最高", LE}, {"最多", LE}, {"至多", LE},
		{"不长于", LE}, {"超过", GT}, {"突破", GT}, {"高于", GT}, {"大于", GT}, {"多于", GT}, {"低于", LT}, {"少于", LT}, {"小于", LT}, {"不足", LT}, {"不满", LT},
	}
	after = []struct {
		word string
		cmp  Cmp
	}{{"及以上", GE}, {"(含)以上", GE}, {"以上", GE}, {"及以下", LE}, {"以下", LE}, {"以内", LE}, {"之内", LE}, {"内", LE}}
)

// Quantities finds the figures of s, in order. Chinese digits count only with
// a unit, and 一 with a loose measure word (一批, 一种) does not count.
func Quantities(s string) []Quantity {
	r := []rune(s)
	var out []Quantity
	for i := 0; i < len(r); {
		q, n := scanQuantity(r, i)
		if n == 0 {
			i++
			continue
		}
		if q.Unit != "" || !isHanNumber(r[q.Start:q.End]) || q.Ordinal {
			out = append(out, q)
		}
		i = q.End
	}
	return out
}

func isHanNumber(r []rune) bool {
	for _, c := range r {
		if isDigit(c) {
			return false
		}
	}
	return true
}

func scanQuantity(r []rune, i int) (Quantity, int) {
	if latin(r, i-1) && isDigit(r[i]) { // part of a code: GB5009, IPv6
		n, _ := scanArabic(r, i)
		return Quantity{Start: i, End: i + max(n, 1)}, 0
	}
	if n, q := scanShare(r, i); n > 0 {
		return withCmp(r, q), n
	}
	n, v := scanNumber(r, i)
	if n == 0 {
		return Quantity{}, 0
	}
	q := Quantity{Start: i, End: i + n, Value: v, Cmp: EQ, Scale: scaleWords(r[i : i+n])}
	q.Ordinal = i > 0 && r[i-1] == '第'
	if m, u := scanUnit(r, q.End); m > 0 && !loose(r, i, n, u) {
		q.Unit, q.Value = u.base, v.Mul(u.factor)
		q.End += m
	}
	if q = withDate(r, q, n); q.Date {
		return q, q.End - i
	}
	return withCmp(r, q), q.End - i
}

func latin(r []rune, i int) bool {
	return i >= 0 && (r[i] >= 'a' && r[i] <= 'z' || r[i] >= 'A' && r[i] <= 'Z')
}

// scanShare reads 百分之五, 千分之三, 五分之一 and 七成.
func scanShare(r []rune, i int) (int, Quantity) {
	n, den := scanNumber(r, i)
	pre := string(r[i:min(len(r), i+1)])
	if pre == "百" || pre == "千" {
		n, den = 1, map[string]decimal.Decimal{"百": decimal.NewFromInt(100), "千": decimal.NewFromInt(1000)}[pre]
	}
	if n == 0 {
		return 0, Quantity{}
	}
	if i+n < len(r) && r[i+n] == '成' && n == 1 && !isDigit(r[i]) && !hanFollows(r, i+n+1, "果立为员本功效品就长交") {
		return 2, Quantity{Start: i, End: i + 2, Value: den.Mul(decimal.NewFromInt(10)), Unit: "%", Cmp: EQ}
	}
	if i+n+1 >= len(r) || r[i+n] != '分' || r[i+n+1] != '之' || den.IsZero() {
		return 0, Quantity{}
	}
	m, num := scanNumber(r, i+n+2)
	if m == 0 {
		return 0, Quantity{}
	}
	if j := i + n + 2 + m; j+1 < len(r) && r[j] == '点' { // 百分之一点五
		if k, frac := scanNumber(r, j+1); k > 0 {
			num = num.Add(frac.Shift(-int32(k)))
			m += 1 + k
		}
	}
	hundred := decimal.NewFromInt(100)
	return n + 2 + m, Quantity{Start: i, End: i + n + 2 + m, Value: num.Mul(hundred).DivRound(den, 8), Unit: "%", Cmp: EQ}
}

func hanFollows(r []rune, i int, set string) bool {
	return i < len(r) && strings.ContainsRune(set, r[i])
}

// loose reports measure words that count nothing: 一批, 一种, 一体.
func loose(r []rune, i, n int, u unit) bool {
	return n == 1 && r[i] == '一' && strings.Contains("批种类个条项部期级家门处方面市县省国村层些支片份", u.base)
}

func scaleWords(r []rune) string {
	var s strings.Builder
	for _, c := range r {
		if c == '万' || c == '亿' {
			s.WriteRune(c)
		}
	}
	return s.String()
}

// withDate turns 2024年 and 9月30日 into dates.
func withDate(r []rune, q Quantity, n int) Quantity {
	digits := r[q.Start : q.Start+n]
	switch {
	case q.Unit == "年" && r[q.End-1] == '年' && len(digits) == 4 && q.Scale == "" && q.Value.GreaterThanOrEqual(decimal.NewFromInt(1900)) && q.Value.LessThan(decimal.NewFromInt(2200)):
		q.Date = true
	case q.Unit == "月" && q.Value.LessThanOrEqual(decimal.NewFromInt(12)) && q.Value.IsPositive():
		q.Date, q.Value = true, q.Value.Mul(decimal.NewFromInt(100))
		if m, d := scanNumber(r, q.End); m > 0 && q.End+m < len(r) && (r[q.End+m] == '日' || r[q.End+m] == '号') && d.LessThanOrEqual(decimal.NewFromInt(31)) {
			q.End += m + 1
			q.Value = q.Value.Add(d)
			q.Unit = "日"
		}
	}
	return q
}

func withCmp(r []rune, q Quantity) Quantity {
	tail := Fold(string(r[q.End:min(len(r), q.End+5)]))
	for _, w := range after {
		if strings.HasPrefix(tail, w.word) {
			q.Cmp, q.Hedge = w.cmp, w.word
			return q
		}
	}
	lead := strings.TrimSpace(string(r[max(0, q.Start-8):q.Start]))
	lead = strings.TrimRight(lead, "的为到约 “”")
	for _, w := range before {
		if strings.HasSuffix(lead, w.word) || strings.HasSuffix(lead+"到", w.word) {
			q.Cmp, q.Hedge = w.cmp, w.word
			return q
		}
	}
	return q
}

// kinds are the measures that units other than those of counting belong to.
var kinds = map[string]string{
	"元": "金额", "美元": "金额", "欧元": "金额", "%": "比例", "百分点": "比例", "‰": "比例",
	"年": "时间", "月": "时间", "日": "时间", "个月": "时间", "工作日": "时间", "小时": "时间", "分钟": "时间", "秒": "时间", "周": "时间", "季度": "时间",
	"平方米": "面积", "平方公里": "面积", "公顷": "面积", "亩": "面积", "米": "长度", "厘米": "长度", "毫米": "长度", "微米": "长度", "公里": "长度",
	"吨": "重量", "千克": "重量", "克": "重量", "毫克": "重量", "岁": "年龄",
}

// Kind is what a unit measures: 金额, 时间, 面积 …; "" for units of counting.
// Derived units (天, 人) count as their base.
func Kind(name string) string {
	if u, ok := units[name]; ok {
		name = u.base
	}
	return kinds[name]
}

// IsKind reports a word that Kind returns.
func IsKind(s string) bool {
	for _, k := range kinds {
		if k == s {
			return true
		}
	}
	return false
}
