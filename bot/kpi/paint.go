package kpi

import (
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// single paints the bars of one indicator to the left, its course to the
// right, and a line about the source below.
func (l typesetter) single(c draw.Canvas, s Series) {
	r := s.Result
	head, foot := 1.1*vg.Centimeter, 0.9*vg.Centimeter
	margin := 0.4 * vg.Centimeter
	title := l.style(15, ink)
	title.XAlign, title.YAlign = text.XCenter, text.YCenter
	c.FillText(title, vg.Point{X: c.Center().X, Y: c.Max.Y - head/2 - 2}, fmt.Sprintf("%d年 %s", r.Indicator.Year, r.Indicator.Name))
	body := draw.Crop(c, margin, -margin, foot, -head)
	split := c.Size().X * 0.34
	l.bars(r).Draw(draw.Crop(body, 0, split-body.Size().X, 0, 0))
	l.trend(s).Draw(draw.Crop(body, split+margin, 0, 0, 0))
	note := l.style(9, grey)
	note.XAlign, note.YAlign = text.XLeft, text.YCenter
	c.FillText(note, vg.Point{X: margin, Y: foot / 2}, footnote(s))
}

// footnote cites the target's clause and the source of the actual, and says
// what a forecast is.
func footnote(s Series) string {
	r := s.Result
	t := fmt.Sprintf("目标:%s,%s", bound(r), r.Indicator.Label)
	if r.Actual == "" {
		return t + "。没有实际值记录"
	}
	t += fmt.Sprintf("。实际:截至%s,来源:%s", r.AsOf, r.Source)
	if s.Forecast != nil {
		t += "。虚线为按平均速度的直线外推,是预测,不是实际值"
		if s.Forecast.Band {
			t += fmt.Sprintf(";阴影为按最慢与最快一段速度的范围 %s 至 %s", Format(s.Forecast.Low), Format(s.Forecast.High))
		}
	}
	return t
}

// bars is the target beside the actual.
func (l typesetter) bars(r Result) *plot.Plot {
	p := l.plot("目标与实际(" + r.Indicator.Unit + ")")
	target, actual := float(r)
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = -0.6, 1.6, 0, ceil(max(target, actual)*1.12)
	p.X.Tick.LineStyle.Width = 0
	p.X.Tick.Marker = plot.ConstantTicks{{Value: 0, Label: "目标"}, {Value: 1, Label: "实际"}}
	p.Y.Tick.Marker = valueTicks(p.Y.Max)
	box(p, -0.32, 0, 0.32, target, targetIs)
	tops, texts := []plotter.XY{{X: 0, Y: target}}, []string{r.Target}
	if r.Actual != "" {
		box(p, 0.68, 0, 1.32, actual, barColor(r))
		tops, texts = append(tops, plotter.XY{X: 1, Y: actual}), append(texts, r.Actual)
	} else {
		tops, texts = append(tops, plotter.XY{X: 1}), append(texts, "无记录")
	}
	l.labels(p, tops, texts, 11, ink, -0.5, 0, 0, 5)
	return p
}

// trend is the course of the actual over the year, with the target as a line.
func (l typesetter) trend(s Series) *plot.Plot {
	r := s.Result
	p := l.plot("走势(" + r.Indicator.Unit + ")")
	target, actual := float(r)
	from, to := yearStart(r.Indicator.Year), yearEnd(r.Indicator.Year)
	if n := len(s.Trend); n > 0 {
		from, to = min(from, s.Trend[0].AsOf), max(to, s.Trend[n-1].AsOf)
	}
	top := max(target, actual)
	var course plotter.XYs
	for _, q := range s.Trend {
		v, _ := q.Value.Float64()
		course = append(course, plotter.XY{X: dayX(q.AsOf), Y: v})
		top = max(top, v)
	}
	if f := s.Forecast; f != nil {
		v, _ := f.Value.Float64()
		high, _ := f.High.Float64()
		top = max(top, v, high)
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = dayX(from)-14, dayX(to)+16, 0, ceil(top*1.12)
	p.X.Tick.Marker, p.Y.Tick.Marker = monthTicks(from, to), valueTicks(p.Y.Max)
	grid(p)
	rule(p, plotter.XYs{{X: p.X.Min, Y: target}, {X: p.X.Max, Y: target}}, targetIs, 1.5, 6, 3)
	l.labels(p, []plotter.XY{{X: p.X.Min, Y: target}}, []string{"目标 " + r.Target}, 10, targetIs, 0, 0, 4, 4)
	l.forecast(p, s, course)
	if len(course) > 0 {
		rule(p, course, barColor(r), 2)
		dots, err := plotter.NewScatter(course)
		if err == nil {
			dots.Shape, dots.Radius, dots.Color = draw.CircleGlyph{}, 3, barColor(r)
			p.Add(dots)
		}
		at, texts := readable(course, s.Trend, p)
		for k := range at {
			y, dy := -1.0, vg.Length(-6) // below, unless that is below the axis
			if at[k].Y < p.Y.Max*0.12 {
				y, dy = 0, 6
			}
			l.labels(p, at[k:k+1], texts[k:k+1], 9.5, ink, -0.5, y, 0, dy)
		}
	}
	return p
}

// forecast paints the dashed line ahead and its band.
func (l typesetter) forecast(p *plot.Plot, s Series, course plotter.XYs) {
	f := s.Forecast
	if f == nil || len(course) == 0 {
		return
	}
	last := course[len(course)-1]
	v, _ := f.Value.Float64()
	end := plotter.XY{X: dayX(f.On), Y: v}
	if f.Band {
		lo, _ := f.Low.Float64()
		hi, _ := f.High.Float64()
		if poly, err := plotter.NewPolygon(plotter.XYs{last, {X: end.X, Y: hi}, {X: end.X, Y: lo}}); err == nil {
			poly.Color, poly.LineStyle.Width = bandIs, 0
			p.Add(poly)
		}
	}
	rule(p, plotter.XYs{last, end}, shortIs, 1.5, 3, 3)
	y, dy := -1.0, vg.Length(-6) // below, unless the line ends above the target
	if target, _ := float(s.Result); v > target {
		y, dy = 0, 4
	}
	l.labels(p, []plotter.XY{end}, []string{"预测 " + Format(f.Value)}, 9.5, shortIs, -0.85, y, 10, dy)
}

// readable picks the points that can carry their value without covering one
// another: the last always, others at least a ninth of the width apart.
func readable(course plotter.XYs, pts []Point, p *plot.Plot) (at []plotter.XY, texts []string) {
	gap, next := (p.X.Max-p.X.Min)/9, math.Inf(1)
	for i := len(course) - 1; i >= 0; i-- {
		if next-course[i].X >= gap {
			at, texts = append(at, course[i]), append(texts, Format(pts[i].Value))
			next = course[i].X
		}
	}
	return at, texts
}

// several paints one bar per indicator, in per cent of its target.
func (l typesetter) several(c draw.Canvas, series []Series) {
	p := l.plot("目标完成情况(占目标的百分比)")
	n := float64(len(series))
	top := 100.0
	var names plot.ConstantTicks
	var ends []plotter.XY
	var texts []string
	for k, s := range series {
		y := n - 1 - float64(k)
		names = append(names, plot.Tick{Value: y, Label: short(s.Result.Indicator.Name, 18)})
		share, _ := s.Result.progress.Float64()
		top = max(top, min(share, 200)) // a bar beyond twice the target is cut, its label is not
		box(p, 0, y-0.3, 100, y+0.3, pale)
		if s.Result.Progress != "" {
			box(p, 0, y-0.3, min(share, 200), y+0.3, barColor(s.Result))
		}
		ends = append(ends, plotter.XY{X: max(100, min(share, 200)), Y: y})
		texts = append(texts, barText(s.Result))
	}
	p.X.Min, p.X.Max, p.Y.Min, p.Y.Max = 0, top*1.5, -0.7, n-0.3
	for v := 0; v <= int(top); v += 25 {
		p.X.Tick.Marker = append(ticks(p.X.Tick.Marker), plot.Tick{Value: float64(v), Label: strconv.Itoa(v) + "%"})
	}
	p.Y.Tick.Marker, p.Y.Tick.Length = names, 0
	rule(p, plotter.XYs{{X: 100, Y: p.Y.Min}, {X: 100, Y: p.Y.Max}}, targetIs, 1.5, 6, 3)
	l.labels(p, ends, texts, 10, ink, 0, float64(yMiddle), 6, 3)
	margin := 0.4 * vg.Centimeter
	p.Draw(draw.Crop(c, margin, -margin, margin, -margin))
}

func ticks(t plot.Ticker) plot.ConstantTicks {
	c, _ := t.(plot.ConstantTicks)
	return c
}

func barText(r Result) string {
	if r.Actual == "" {
		return fmt.Sprintf("无记录 / %s%s", r.Target, r.Indicator.Unit)
	}
	t := fmt.Sprintf("%s / %s%s", r.Actual, r.Target, r.Indicator.Unit)
	if r.Progress != "" {
		t = r.Progress + "  " + t
	}
	return t
}

// short cuts a name to n runes.
func short(s string, n int) string {
	r := []rune(s)
	if len(r) <= n {
		return s
	}
	return string(r[:n-1]) + "…"
}

// grid draws faint lines at the value ticks.
func grid(p *plot.Plot) {
	for _, t := range p.Y.Tick.Marker.Ticks(p.Y.Min, p.Y.Max) {
		if t.Value > 0 {
			rule(p, plotter.XYs{{X: p.X.Min, Y: t.Value}, {X: p.X.Max, Y: t.Value}}, color.RGBA{0xe6, 0xe9, 0xed, 0xff}, 0.7)
		}
	}
}

// ceil is a positive upper end for an axis.
func ceil(v float64) float64 {
	if v <= 0 || math.IsInf(v, 0) || math.IsNaN(v) {
		return 1
	}
	return v
}

// valueTicks are four to eight round values from zero to top.
func valueTicks(top float64) plot.ConstantTicks {
	step := math.Pow(10, math.Floor(math.Log10(top)))
	for _, f := range []float64{0.1, 0.2, 0.25, 0.5, 1, 2} {
		if top/(step*f) <= 7 {
			step *= f
			break
		}
	}
	var out plot.ConstantTicks
	for k := 0; float64(k) <= top/step+1e-9; k++ {
		out = append(out, plot.Tick{Value: float64(k) * step, Label: strconv.FormatFloat(round(float64(k)*step, step), 'f', -1, 64)})
	}
	return out
}

// round removes the binary noise below a thousandth of step.
func round(v, step float64) float64 {
	scale := math.Pow(10, 3-math.Floor(math.Log10(step)))
	return math.Round(v*scale) / scale
}
