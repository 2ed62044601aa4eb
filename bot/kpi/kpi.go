// Package kpi knows how a target stands: the indicators that documents set,
// the figures recorded for them, and the exact arithmetic between the two.
//
// Every number is a decimal; none is ever made by a model, a template or a
// floating-point operation.
package kpi

import (
	"fmt"
	"strings"
	"time"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// Basis says over which time a target counts.
type Basis string

// Annual targets start from nothing on 1 January; cumulative ones are a stock
// that goes on from year to year.
const (
	Annual     Basis = "annual"
	Cumulative Basis = "cumulative"
)

// Date is a calendar day, YYYY-MM-DD; "" is unknown. Dates compare as strings.
type Date string

// ParseDate reads YYYY-MM-DD and refuses days that do not exist.
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1900 {
		return "", fmt.Errorf("日期 %q 不存在或不是 YYYY-MM-DD", s)
	}
	return Date(s), nil
}

// DateOf is the calendar day of t in t's own zone.
func DateOf(t time.Time) Date { return Date(t.Format(time.DateOnly)) }

// Time is midnight UTC of d; the zero time when d is no date.
func (d Date) Time() time.Time {
	t, _ := time.Parse(time.DateOnly, string(d))
	return t
}

// Year is the year of d; 0 when d is unknown.
func (d Date) Year() int {
	if d == "" {
		return 0
	}
	return d.Time().Year()
}

// Days is the number of days from o to d, negative when o is later.
func (d Date) Days(o Date) int {
	return int(d.Time().Sub(o.Time()) / (24 * time.Hour))
}

// yearStart and yearEnd bound a year.
func yearStart(y int) Date { return Date(fmt.Sprintf("%04d-01-01", y)) }
func yearEnd(y int) Date   { return Date(fmt.Sprintf("%04d-12-31", y)) }

// Indicator is one target of one year, with the words that set it. Code and
// Year together are its key: next year's plan sets the same indicator anew.
type Indicator struct {
	Code       string          `json:"code"`
	Name       string          `json:"name"`
	Aliases    []string        `json:"aliases,omitempty"`
	Unit       string          `json:"unit"`   // as printed: 家, 亿元, %
	Target     decimal.Decimal `json:"target"` // in Unit
	Comparator zh.Cmp          `json:"comparator"`
	Hedge      string          `json:"hedge,omitempty"` // words of strength: 力争, 达到, 保持在…以上
	Basis      Basis           `json:"basis"`
	Year       int             `json:"year"`
	Title      string          `json:"document"`              // title of the document that sets it
	Document   string          `json:"document_id,omitempty"` // its ID; "" until bound
	ClauseID   string          `json:"clause_id,omitempty"`
	Clause     int             `json:"clause"` // printed number; 0 for unnumbered text
	Label      string          `json:"label"`  // as cited: 第12条, 总体奋斗目标
	Words      string          `json:"words"`  // verbatim sentence of the clause
	Office     string          `json:"office,omitempty"`
	Note       string          `json:"note,omitempty"` // what a reader should know of its wording
	Derived    bool            `json:"derived,omitempty"`
	Mentions   []Mention       `json:"mentions,omitempty"`
}

// Mention is another place where the document states the same indicator.
type Mention struct {
	Code       string          `json:"code"`
	Unit       string          `json:"unit"`
	Target     decimal.Decimal `json:"target"`
	Comparator zh.Cmp          `json:"comparator"`
	ClauseID   string          `json:"clause_id,omitempty"`
	Clause     int             `json:"clause"`
	Label      string          `json:"label"`
	Words      string          `json:"words"`
	// Conflict is set when the amount differs from the target. Suspicious is
	// set, too, when this mention looks like the slip of the two. Neither is
	// ever used in arithmetic.
	Conflict   bool `json:"conflict,omitempty"`
	Suspicious bool `json:"suspicious,omitempty"`
}

// Conflicts are the mentions that give another amount.
func (i Indicator) Conflicts() []Mention {
	var out []Mention
	for _, m := range i.Mentions {
		if m.Conflict {
			out = append(out, m)
		}
	}
	return out
}

// Clauses are the printed numbers of the clause that sets the target and of
// all other mentions, without repeats, the setting one first.
func (i Indicator) Clauses() []int {
	out := []int{i.Clause}
	for _, m := range i.Mentions {
		known := false
		for _, n := range out {
			known = known || n == m.Clause
		}
		if !known {
			out = append(out, m.Clause)
		}
	}
	return out
}

// Downward reports that the target is a ceiling: smaller is better.
func (i Indicator) Downward() bool { return i.Comparator == zh.LE || i.Comparator == zh.LT }

// Figure is one recorded value. Figures are only ever added; the latest
// record of a day stands, the ones before it are its history.
type Figure struct {
	N          int             `json:"n"` // order of recording within the code
	Code       string          `json:"code"`
	Value      decimal.Decimal `json:"value"`
	Unit       string          `json:"unit"`
	AsOf       Date            `json:"as_of"`
	Source     string          `json:"source"`
	RecordedBy string          `json:"recorded_by"`
	RecordedAt time.Time       `json:"recorded_at"`
	// Target is what the source says the target is, if it says; it is never
	// stored and only compared.
	Target *decimal.Decimal `json:"-"`
}

// In gives the value of f in unit.
func (f Figure) In(unit string) (decimal.Decimal, error) { return Convert(f.Value, f.Unit, unit) }

// Format writes a decimal without trailing zeros after the point.
func Format(d decimal.Decimal) string {
	s := d.String()
	if strings.Contains(s, ".") {
		s = strings.TrimRight(strings.TrimRight(s, "0"), ".")
	}
	return s
}

// Phrase is the target in words, with its comparator: 不少于10项, 超过16000家,
// 5%以上.
func (i Indicator) Phrase() string {
	amount := Format(i.Target) + i.Unit
	switch before, after, split := strings.Cut(i.Hedge, "…"); {
	case split:
		return before + amount + after
	case i.Hedge == "以上" || i.Hedge == "以下" || i.Hedge == "以内":
		return amount + i.Hedge
	}
	return i.Hedge + amount
}
