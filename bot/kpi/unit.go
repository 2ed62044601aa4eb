package kpi

import (
	"fmt"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

var scales = []struct {
	word string
	exp  int32
}{{"万亿", 12}, {"亿", 8}, {"万", 4}}

// continuous are base units of which there can be a part.
var continuous = func() map[string]bool {
	m := map[string]bool{}
	for _, u := range vocab["continuous"] {
		m[u] = true
	}
	return m
}()

// splitUnit separates 万元 into the base unit 元 and its power of ten 4.
// 人 and 位 are 名, as in zh.
func splitUnit(unit string) (base string, exp int32) {
	base = strings.TrimSpace(unit)
	for _, s := range scales {
		if rest, ok := strings.CutPrefix(base, s.word); ok && rest != "" {
			base, exp = rest, s.exp
			break
		}
	}
	if q := zh.Quantities("1" + base); len(q) == 1 && q[0].End == 1+len([]rune(base)) && q[0].Value.Equal(one) {
		base = q[0].Unit
	}
	return base, exp
}

var one = decimal.NewFromInt(1)

// Convert expresses v, given in the unit from, in the unit to: 1.21 万家 is
// 12100 家. Units of different things are an error.
func Convert(v decimal.Decimal, from, to string) (decimal.Decimal, error) {
	if from == to {
		return v, nil
	}
	fb, fe := splitUnit(from)
	tb, te := splitUnit(to)
	if fb != tb {
		return decimal.Zero, fmt.Errorf("单位“%s”与指标单位“%s”不同", from, to)
	}
	return v.Shift(fe - te), nil
}

// countable reports that only whole numbers of unit exist: 家 and 名, not 亿元,
// 万家 or %.
func countable(unit string) bool {
	base, exp := splitUnit(unit)
	return exp == 0 && !continuous[base]
}

// places is how many decimals of a computed amount in unit mean something.
func places(unit string) int32 {
	if countable(unit) {
		return 0
	}
	return 2
}

// flows reports that an annual target in unit starts from nothing in January.
// Shares and rates do not.
func flows(unit string) bool {
	base, _ := splitUnit(unit)
	switch base {
	case "%", "‰", "百分点", "倍":
		return false
	}
	return true
}
