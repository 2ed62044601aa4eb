package kpi

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

var hundred = decimal.NewFromInt(100)

// Met reports whether v, in the indicator's unit, reaches the target. 超过 and
// 突破 are strict: exactly 16000 is not over 16000. A bare number counts as
// “at least”.
func (i Indicator) Met(v decimal.Decimal) bool {
	switch i.Comparator {
	case zh.GT:
		return v.GreaterThan(i.Target)
	case zh.LT:
		return v.LessThan(i.Target)
	case zh.LE:
		return v.LessThanOrEqual(i.Target)
	}
	return v.GreaterThanOrEqual(i.Target)
}

// Gap is what v lacks of the target, never negative: target − v, or v −
// target where the target is a ceiling.
func (i Indicator) Gap(v decimal.Decimal) decimal.Decimal {
	d := i.Target.Sub(v)
	if i.Downward() {
		d = d.Neg()
	}
	return decimal.Max(d, decimal.Zero)
}

// Needed is the least further amount that meets the target: the gap, and one
// more where only whole numbers exist and the target must be exceeded.
func (i Indicator) Needed(v decimal.Decimal) decimal.Decimal {
	if i.Met(v) {
		return decimal.Zero
	}
	if strict := i.Comparator == zh.GT || i.Comparator == zh.LT; strict && countable(i.Unit) {
		return i.Gap(v).Add(one)
	}
	return i.Gap(v)
}

// Progress is v as a percentage of the target, rounded half up to one
// decimal; what falls short is never rounded up to 100. There is none for a
// ceiling or a target that is not positive.
func (i Indicator) Progress(v decimal.Decimal) (decimal.Decimal, bool) {
	if i.Downward() || !i.Target.IsPositive() {
		return decimal.Zero, false
	}
	p := v.Mul(hundred).DivRound(i.Target, 1)
	if v.LessThan(i.Target) && p.GreaterThanOrEqual(hundred) {
		p = decimal.New(999, -1)
	}
	return p, true
}

// Monthly is the amount a month that meets the target by the end of its year
// when v stands on the day asOf: Needed over the months left, the running
// month by its days, rounded up to what the unit allows. There is none when
// the target is met or the year is over, or for a ceiling or a rate.
func (i Indicator) Monthly(v decimal.Decimal, asOf Date) (rate decimal.Decimal, ok bool) {
	num, den := i.monthsLeft(asOf)
	if num <= 0 || i.Met(v) || i.Downward() || !flows(i.Unit) {
		return decimal.Zero, false
	}
	return divUp(i.Needed(v).Mul(decimal.NewFromInt(den)), decimal.NewFromInt(num), places(i.Unit)), true
}

// monthsLeft is the time from the end of asOf to the end of the indicator's
// year as a fraction of months; num ≤ 0 when the year is over.
func (i Indicator) monthsLeft(asOf Date) (num, den int64) {
	if asOf.Year() > i.Year {
		return 0, 1
	}
	t := asOf.Time()
	last := int64(time.Date(t.Year(), t.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day())
	months := int64(i.Year-t.Year())*12 + int64(12-t.Month())
	return months*last + last - int64(t.Day()), last
}

// divUp is a/b rounded up at the given decimal.
func divUp(a, b decimal.Decimal, places int32) decimal.Decimal {
	q, r := a.QuoRem(b, places)
	if r.IsPositive() {
		q = q.Add(decimal.New(1, -places))
	}
	return q
}

// Elapsed is the share of the indicator's year that has gone by at the end of
// asOf, in per cent, rounded half up to one decimal, 0 to 100.
func (i Indicator) Elapsed(asOf Date) decimal.Decimal {
	whole := yearEnd(i.Year).Days(yearEnd(i.Year - 1))
	gone := min(max(asOf.Days(yearEnd(i.Year-1)), 0), whole)
	return decimal.NewFromInt(int64(gone)*100).DivRound(decimal.NewFromInt(int64(whole)), 1)
}

// Point is a value, in the indicator's unit, on a day.
type Point struct {
	AsOf  Date            `json:"as_of"`
	Value decimal.Decimal `json:"value"`
}

// Trend reduces a history to the figure that stands for each day, in the
// indicator's unit, by day: those that count for i on the day asOf. Figures in
// another unit are left out.
func (i Indicator) Trend(history []Figure, asOf Date) []Point {
	from, to := window(i, asOf)
	last := map[Date]Figure{}
	for _, f := range history {
		if f.AsOf >= from && f.AsOf <= to && (last[f.AsOf].N <= f.N) {
			last[f.AsOf] = f
		}
	}
	var out []Point
	for d, f := range last {
		if v, err := f.In(i.Unit); err == nil {
			out = append(out, Point{d, v})
		}
	}
	slices.SortFunc(out, func(a, b Point) int { return a.AsOf.Days(b.AsOf) })
	return out
}

// Forecast is where a straight line through the recorded figures leads. It is
// an extrapolation, never a recorded value, and must be shown as one.
type Forecast struct {
	On       Date            `json:"on"`       // the end of the indicator's year
	Value    decimal.Decimal `json:"value"`    // at the average pace
	Low      decimal.Decimal `json:"low"`      // at the slowest and the
	High     decimal.Decimal `json:"high"`     // quickest pace between two figures
	Band     bool            `json:"band"`     // Low and High are known
	Reaches  Date            `json:"reaches"`  // day the target is met at the average pace; "" for none within ten years
	From, To Date            `json:"-"`        // first and last day of the line
	Points   int             `json:"points"`   // figures it rests on
	FromZero bool            `json:"fromzero"` // the line begins at nothing on 1 January
}

// Forecast extends the points of a trend, by day, to the end of the
// indicator's year: last + (last − first) / days × days left, rounded half up
// to what the unit allows. The line of an annual amount begins at zero on
// 1 January; a stock takes the points of the last 366 days and needs two of
// them. The band repeats, for every day left, the slowest and the quickest
// pace between two neighbouring points, and needs three points, the zero
// included. There is no forecast for rates, or when the year is over.
func (i Indicator) Forecast(points []Point) (Forecast, bool) {
	if len(points) == 0 || !flows(i.Unit) {
		return Forecast{}, false
	}
	last := points[len(points)-1]
	f := Forecast{On: yearEnd(i.Year), To: last.AsOf, Points: len(points)}
	line := slices.DeleteFunc(slices.Clone(points), func(p Point) bool { return last.AsOf.Days(p.AsOf) > 366 })
	if i.Basis == Annual {
		f.FromZero = true
		line = append([]Point{{yearEnd(i.Year - 1), decimal.Zero}}, line...)
	}
	left := int64(f.On.Days(last.AsOf))
	if len(line) < 2 || left <= 0 {
		return Forecast{}, false
	}
	first := line[0]
	f.From = first.AsOf
	ahead := func(a, b Point) decimal.Decimal {
		days := decimal.NewFromInt(int64(b.AsOf.Days(a.AsOf)))
		return last.Value.Mul(days).Add(b.Value.Sub(a.Value).Mul(decimal.NewFromInt(left))).DivRound(days, places(i.Unit))
	}
	f.Value = ahead(first, last)
	f.Band = len(line) > 2
	for k := 1; f.Band && k < len(line); k++ {
		v := ahead(line[k-1], line[k])
		if k == 1 {
			f.Low, f.High = v, v
		}
		f.Low, f.High = decimal.Min(f.Low, v), decimal.Max(f.High, v)
	}
	f.Reaches = i.reaches(first, last)
	return f, true
}

// reaches is the day on which the line from first through last meets the
// target; "" when it is met already, or not within ten years.
func (i Indicator) reaches(first, last Point) Date {
	gain := last.Value.Sub(first.Value)
	if i.Met(last.Value) || i.Downward() || !gain.IsPositive() {
		return ""
	}
	days := decimal.NewFromInt(int64(last.AsOf.Days(first.AsOf)))
	n := divUp(i.Needed(last.Value).Mul(days), gain, 0)
	if n.GreaterThan(decimal.NewFromInt(3653)) {
		return ""
	}
	return DateOf(last.AsOf.Time().AddDate(0, 0, int(n.IntPart())))
}
