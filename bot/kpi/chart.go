package kpi

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"image/color"
	"io"
	"strings"
	"sync"
	"time"

	"golang.org/x/image/font/opentype"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Series is one indicator to draw.
type Series struct {
	Result   Result
	Trend    []Point   // by day; may be empty
	Forecast *Forecast // drawn dashed and labelled as a forecast; may be nil
}

// Chart draws series to w in the format "png" or "svg". One series becomes
// its target and actual as bars beside its course over time; several become
// one bar each, in per cent of the target. Every axis begins at zero. The
// lengths drawn are rounded to what a picture can show; the labels are exact.
func Chart(w io.Writer, format string, series ...Series) error {
	if len(series) == 0 {
		return errors.New("chart: 没有可画的指标")
	}
	l, err := letters()
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	width, height := 24*vg.Centimeter, 11*vg.Centimeter
	paint := func(c draw.Canvas) { l.single(c, series[0]) }
	if len(series) > 1 {
		height = vg.Length(len(series))*0.9*vg.Centimeter + 3.2*vg.Centimeter
		paint = func(c draw.Canvas) { l.several(c, series) }
	}
	switch format {
	case "png":
		c := vgimg.NewWith(vgimg.UseWH(width, height), vgimg.UseDPI(120))
		paint(draw.New(c))
		_, err = vgimg.PngCanvas{Canvas: c}.WriteTo(w)
	case "svg":
		c := vgsvg.New(width, height)
		white := draw.New(c)
		white.FillPolygon(color.White, []vg.Point{{}, {X: width}, {X: width, Y: height}, {Y: height}})
		paint(white)
		var b bytes.Buffer
		if _, err = c.WriteTo(&b); err == nil {
			_, err = io.WriteString(w, strings.ReplaceAll(b.String(), "font-family:"+face+";",
				"font-family:'"+face+"','Noto Sans SC','Source Han Sans SC','PingFang SC','Microsoft YaHei',sans-serif;"))
		}
	default:
		err = fmt.Errorf("格式 %q 不是 png 或 svg", format)
	}
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	return nil
}

// face is the family of the embedded font, a subset of Noto Sans CJK SC with
// the characters of GB 2312; see data/font.
const face = "Noto Sans CJK SC"

//go:embed data/font/NotoSansSC-subset.otf
var fontFile []byte

// typesetter draws Chinese text.
type typesetter struct{ handler text.Handler }

var letters = sync.OnceValues(func() (typesetter, error) {
	f, err := opentype.Parse(fontFile)
	if err != nil {
		return typesetter{}, err
	}
	cache := font.NewCache(font.Collection{{Font: font.Font{Typeface: face}, Face: f}})
	return typesetter{text.Plain{Fonts: cache}}, nil
})

// yMiddle centres figures on a line: the font's own box is higher than they.
const yMiddle = text.YAlignment(-0.36)

var (
	ink      = color.RGBA{0x22, 0x2b, 0x36, 0xff}
	grey     = color.RGBA{0x8a, 0x94, 0xa0, 0xff}
	pale     = color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	targetIs = color.RGBA{0xc0, 0x39, 0x2b, 0xff}
	shortIs  = color.RGBA{0x2f, 0x6f, 0xb5, 0xff}
	metIs    = color.RGBA{0x2e, 0x8b, 0x57, 0xff}
	bandIs   = color.NRGBA{0x2f, 0x6f, 0xb5, 0x33}
)

func (l typesetter) style(size vg.Length, c color.Color) text.Style {
	return text.Style{Color: c, Font: font.From(font.Font{Typeface: face}, size), Handler: l.handler}
}

// plot is an empty plot whose every text can be Chinese.
func (l typesetter) plot(title string) *plot.Plot {
	p := plot.New()
	p.TextHandler = l.handler
	p.Title.Text, p.Title.Padding = title, vg.Points(8)
	p.Title.TextStyle = l.style(13, ink)
	p.Title.TextStyle.XAlign, p.Title.TextStyle.YAlign = text.XCenter, text.YTop
	for _, a := range []*plot.Axis{&p.X, &p.Y} {
		s := l.style(10, ink)
		a.Label.TextStyle, a.Tick.Label = s, s
		a.Label.TextStyle.XAlign = text.XCenter
		a.LineStyle.Color, a.Tick.LineStyle.Color = grey, grey
		a.Padding = 0
	}
	p.X.Tick.Label.XAlign, p.X.Tick.Label.YAlign = text.XCenter, text.YTop
	p.Y.Tick.Label.XAlign, p.Y.Tick.Label.YAlign = text.XRight, yMiddle
	return p
}

// labels draws texts beside points, each moved by the offset.
func (l typesetter) labels(p *plot.Plot, at []plotter.XY, texts []string, size vg.Length, c color.Color, x, y float64, dx, dy vg.Length) {
	ls, err := plotter.NewLabels(plotter.XYLabels{XYs: at, Labels: texts})
	if err != nil {
		return // NewLabels only refuses lists of different lengths
	}
	for i := range ls.TextStyle {
		ls.TextStyle[i] = l.style(size, c)
		ls.TextStyle[i].XAlign, ls.TextStyle[i].YAlign = text.XAlignment(x), text.YAlignment(y)
	}
	ls.Offset = vg.Point{X: dx, Y: dy}
	p.Add(ls)
}

// box fills a rectangle in data coordinates.
func box(p *plot.Plot, x0, y0, x1, y1 float64, c color.Color) {
	poly, err := plotter.NewPolygon(plotter.XYs{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
	if err != nil {
		return // NewPolygon only refuses infinities
	}
	poly.Color, poly.LineStyle.Width = c, 0
	p.Add(poly)
}

// rule draws a line through points in data coordinates.
func rule(p *plot.Plot, pts plotter.XYs, c color.Color, width vg.Length, dashes ...vg.Length) *plotter.Line {
	line, err := plotter.NewLine(pts)
	if err != nil {
		return nil // NewLine only refuses infinities
	}
	line.Color, line.Width, line.Dashes = c, width, dashes
	p.Add(line)
	return line
}

func float(r Result) (target, actual float64) {
	target, _ = r.Indicator.Target.Float64()
	actual, _ = r.value.Float64()
	return target, actual
}

func barColor(r Result) color.Color {
	if r.Status == Met {
		return metIs
	}
	return shortIs
}

// bound is the target with its comparator in words.
func bound(r Result) string {
	op := map[string]string{">": "大于", ">=": "不少于", "<": "小于", "<=": "不超过"}[string(r.Indicator.Comparator)]
	if r.Indicator.Unit == "%" && op == "不少于" {
		op = "不低于"
	}
	return op + r.Target + r.Indicator.Unit
}

// dayX is the place of a day on a time axis, in days.
func dayX(d Date) float64 { return float64(d.Time().Unix()) / (24 * 3600) }

// monthTicks marks the first days of months, at most about eight of them, and
// the year at the first mark and each January.
func monthTicks(from, to Date) plot.ConstantTicks {
	a, b := from.Time(), to.Time()
	months := (b.Year()-a.Year())*12 + int(b.Month()-a.Month()) + 1
	step := 1
	for _, s := range []int{1, 2, 3, 6, 12, 24, 60} {
		if step = s; months/s <= 8 {
			break
		}
	}
	var out plot.ConstantTicks
	for t := time.Date(a.Year(), a.Month(), 1, 0, 0, 0, 0, time.UTC); !t.After(b); t = t.AddDate(0, 1, 0) {
		if t.Before(a) || int(t.Year()*12+int(t.Month())-1)%step != 0 {
			continue
		}
		label := fmt.Sprintf("%d月", t.Month())
		if len(out) == 0 || t.Month() == time.January {
			label = fmt.Sprintf("%d年%d月", t.Year(), t.Month())
		}
		out = append(out, plot.Tick{Value: dayX(DateOf(t)), Label: label})
	}
	return out
}
