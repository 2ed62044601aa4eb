package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"zhengda/bot/kpi"
)

// kpiChart draws indicators.
func (a *app) kpiChart() *cobra.Command {
	var out string
	var p period
	c := &cobra.Command{
		Use: "chart [INDICATOR...] -o FILE.png|FILE.svg", Short: a.say("cmd.kpi_chart"), ValidArgsFunction: a.completeIndicators,
		RunE: func(cmd *cobra.Command, args []string) error {
			kind := strings.ToLower(strings.TrimPrefix(filepath.Ext(out), "."))
			if kind != "png" && kind != "svg" {
				return usage("err.chart_file", out)
			}
			return a.withTool(cmd.Context(), func(_ *house, tool *kpi.Tool) error {
				list, err := chosen(cmd.Context(), tool, p, args)
				if err != nil {
					return err
				}
				if len(list) == 0 {
					return failed("err.no_indicators")
				}
				var b bytes.Buffer
				if err := kpi.Chart(&b, kind, list...); err != nil {
					return err
				}
				if err := os.WriteFile(out, b.Bytes(), 0o644); err != nil {
					return failed("err.file", out, err)
				}
				a.note("kpi.charted", out, len(list))
				return nil
			})
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", a.say("flag.output"))
	p.flags(a, c)
	return c
}

// chosen are the indicators of these names, or all, with their course.
func chosen(ctx context.Context, tool *kpi.Tool, p period, names []string) (out []kpi.Series, err error) {
	req, err := p.request("")
	if err != nil {
		return nil, err
	}
	var results []kpi.Result
	if len(names) == 0 {
		if results, err = tool.List(ctx, req.Period, req.AsOf); err != nil {
			return nil, err
		}
	}
	for _, name := range names {
		req.Indicator = name
		r, err := tool.Query(ctx, req)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	for _, r := range results {
		s := kpi.Series{Result: r}
		if s.Trend, err = tool.Trend(ctx, r); err != nil {
			return nil, err
		}
		if f, ok := r.Indicator.Forecast(s.Trend); ok {
			s.Forecast = &f
		}
		out = append(out, s)
	}
	return out, nil
}
