package kpi

import (
	"bytes"
	"encoding/xml"
	"errors"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/image/font/opentype"
	"golang.org/x/image/font/sfnt"
)

// chartSeries is a store with the courses of a stock and of a yearly amount,
// and actuals of others.
func chartSeries(t testing.TB) (stock, flow Series, all []Series) {
	t.Helper()
	s := newStore(t)
	for _, f := range []struct{ code, v, unit, day string }{
		{"gaoqi_total", "11000", "家", "2023-12-31"}, {"gaoqi_total", "11320", "家", "2024-03-31"}, {"gaoqi_total", "11800", "家", "2024-06-30"}, {"gaoqi_total", "12100", "家", "2024-09-30"},
		{"tech_contract_value", "3860.5", "亿元", "2024-09-30"}, {"jiebang_projects", "11", "项", "2024-09-30"}, {"city_key_labs", "21", "家", "2024-09-30"}, {"local_conversion_projects", "60", "项", "2024-03-31"}, {"local_conversion_projects", "150", "项", "2024-06-30"}, {"local_conversion_projects", "412", "项", "2024-09-30"},
	} {
		record(t, s, f.code, f.v, f.unit, f.day)
	}
	tool := NewTool(s, s, clock)
	r := ask(t, tool, "gaoqi_total")
	pts := must(tool.Trend(t.Context(), r))
	f, ok := r.Indicator.Forecast(pts)
	if !ok {
		t.Fatal("no forecast")
	}
	for _, r := range must(tool.List(t.Context(), 2024, "")) {
		all = append(all, Series{Result: r})
	}
	annual := ask(t, tool, "就地转化项目")
	pts2 := must(tool.Trend(t.Context(), annual))
	f2, _ := annual.Indicator.Forecast(pts2)
	return Series{r, pts, &f}, Series{annual, pts2, &f2}, all
}

// TestChart draws every form in both formats; with KPI_CHART set to a folder
// the pictures are kept there to be looked at.
func TestChart(t *testing.T) {
	one, flow, all := chartSeries(t)
	bare := all[3]
	for name, series := range map[string][]Series{"one": {one}, "flow": {flow}, "bare": {bare}, "all": all, "two": all[:2]} {
		for _, format := range []string{"png", "svg"} {
			var b bytes.Buffer
			if err := Chart(&b, format, series...); err != nil {
				t.Fatal(err)
			}
			if dir := os.Getenv("KPI_CHART"); dir != "" {
				if err := os.WriteFile(filepath.Join(dir, name+"."+format), b.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if format == "png" {
				if _, err := png.Decode(&b); err != nil {
					t.Errorf("%s: %v", name, err)
				}
				continue
			}
			svg := b.String()
			if want := series[0].Result.Indicator.Name; len(series) > 1 && !strings.Contains(svg, want) || !strings.Contains(svg, "目标") {
				t.Errorf("%s.svg does not name %s", name, want)
			}
			if name == "one" && (!strings.Contains(svg, ">12100<") || !strings.Contains(svg, "预测 ") || !strings.Contains(svg, "外推")) {
				t.Error("one.svg lacks the actual, or the forecast is not labelled as one")
			}
			for d := xml.NewDecoder(strings.NewReader(svg)); ; {
				if _, err := d.Token(); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatalf("%s.svg: %v", name, err)
				}
			}
		}
	}
	if err := Chart(io.Discard, "gif", one); err == nil {
		t.Error("gif was drawn")
	}
	if err := Chart(io.Discard, "png"); err == nil {
		t.Error("nothing was drawn")
	}
}

// TestFont looks that the embedded font can draw every character of the seed.
func TestFont(t *testing.T) {
	f, err := opentype.Parse(fontFile)
	if err != nil {
		t.Fatal(err)
	}
	var buf sfnt.Buffer
	var missing []rune
	for _, c := range plan2024(t).Clauses {
		for _, r := range c.Text {
			if g, err := f.GlyphIndex(&buf, r); err != nil || g == 0 && !unicode.IsSpace(r) {
				missing = append(missing, r)
			}
		}
	}
	if len(missing) > 0 || len(fontFile) > 1_600_000 {
		t.Errorf("%d bytes, no glyph for %q", len(fontFile), string(missing))
	}
}

func TestValueTicks(t *testing.T) {
	for top, want := range map[float64]string{14560: "0 2500 5000 7500 10000 12500", 5.6: "0 1 2 3 4 5", 1: "0 0.2 0.4 0.6 0.8 1", 33.6: "0 5 10 15 20 25 30", 0.7: "0 0.1 0.2 0.3 0.4 0.5 0.6 0.7"} {
		var got []string
		for _, k := range valueTicks(top) {
			got = append(got, k.Label)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%v: %s; want %s", top, g, want)
		}
	}
}
