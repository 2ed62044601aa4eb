package main

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"zhengda/bot/kpi"
)

func (a *app) kpiCommand() *cobra.Command {
	list := a.kpiList()
	c := &cobra.Command{Use: "kpi", Short: a.say("cmd.kpi"), Args: cobra.NoArgs, RunE: list.RunE}
	c.Flags().AddFlagSet(list.Flags())
	c.AddCommand(list, a.kpiShow(), a.kpiRecord(), a.kpiImport(), a.kpiHistory(), a.kpiExtract(), a.kpiChart())
	return c
}

// withTool opens the data folder and its indicators for f.
func (a *app) withTool(ctx context.Context, f func(*house, *kpi.Tool) error) error {
	return a.with(ctx, func(h *house) error {
		if _, _, err := h.index(ctx); err != nil { // ties indicators to clauses
			return err
		}
		tool, err := h.tool(ctx)
		if err != nil {
			return err
		}
		return f(h, tool)
	})
}

// completeIndicators offers the codes of indicators to the shell.
func (a *app) completeIndicators(cmd *cobra.Command, _ []string, prefix string) (codes []string, _ cobra.ShellCompDirective) {
	a.withTool(cmd.Context(), func(_ *house, tool *kpi.Tool) error { // without a data folder there is nothing to offer
		catalog, err := tool.Catalog(cmd.Context())
		if err != nil {
			return err
		}
		for _, i := range catalog.All() {
			if strings.HasPrefix(i.Code, prefix) {
				codes = append(codes, i.Code+"\t"+i.Name)
			}
		}
		return nil
	})
	return codes, cobra.ShellCompDirectiveNoFileComp
}

// period are the flags that say which year and day are meant.
type period struct {
	year int
	asOf string
}

func (p *period) flags(a *app, c *cobra.Command) {
	c.Flags().IntVar(&p.year, "year", 0, a.say("flag.period"))
	c.Flags().StringVar(&p.asOf, "as-of", "", a.say("flag.as_of"))
}

func (p *period) request(name string) (kpi.Request, error) {
	on, err := date("--as-of", p.asOf)
	return kpi.Request{Indicator: name, Period: p.year, AsOf: on}, err
}

// kpiList shows how all indicators stand.
func (a *app) kpiList() *cobra.Command {
	var asJSON, behind bool
	var p period
	c := &cobra.Command{
		Use: "list", Short: a.say("cmd.kpi_list"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			req, err := p.request("")
			if err != nil {
				return err
			}
			return a.withTool(cmd.Context(), func(_ *house, tool *kpi.Tool) error {
				list, err := tool.List(cmd.Context(), req.Period, req.AsOf)
				if err != nil {
					return err
				}
				if behind {
					list = kpi.Behind(list)
				}
				if asJSON {
					return a.json(append([]kpi.Result{}, list...))
				}
				a.standing(list)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	c.Flags().BoolVar(&behind, "behind", false, a.say("flag.behind"))
	p.flags(a, c)
	return c
}

// standing is a table of how indicators stand.
func (a *app) standing(list []kpi.Result) {
	rows := [][]string{a.columns("kpi.columns")}
	conflicts := 0
	for _, r := range list {
		actual, age := "–", ""
		if r.Actual != "" {
			actual = r.Actual + r.Indicator.Unit
			age = a.say("kpi.age", r.AsOf, r.AgeDays)
		}
		mark := ""
		if len(r.Indicator.Conflicts()) > 0 {
			mark = " !"
			conflicts++
		}
		rows = append(rows, []string{r.Indicator.Code, clip(r.Indicator.Name, 40), r.Indicator.Phrase() + mark, actual, lack(r), a.gaugeOf(r), age, r.Indicator.Label})
	}
	s := a.screen()
	s.table(rows, 2, 3, 4)
	if conflicts > 0 {
		s.text("", amber, a.say("kpi.conflicts", conflicts))
	}
}

// lack is what an indicator is short of.
func lack(r kpi.Result) string {
	if r.Gap == "" {
		return "–"
	}
	return r.Gap + r.Indicator.Unit
}

// gaugeOf draws the progress of an indicator.
func (a *app) gaugeOf(r kpi.Result) string {
	share, err := strconv.ParseFloat(strings.TrimSuffix(r.Progress, "%"), 64)
	if err != nil {
		return ""
	}
	text := gauge(share/100, 10) + " " + r.Progress
	if r.Status == kpi.Met {
		text += " " + a.say("kpi.met")
	}
	return text
}

// kpiShow shows one indicator with the words that set it.
func (a *app) kpiShow() *cobra.Command {
	var asJSON bool
	var p period
	c := &cobra.Command{
		Use: "show INDICATOR", Short: a.say("cmd.kpi_show"), Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeIndicators,
		RunE: func(cmd *cobra.Command, args []string) error {
			req, err := p.request(args[0])
			if err != nil {
				return err
			}
			return a.withTool(cmd.Context(), func(_ *house, tool *kpi.Tool) error {
				r, err := tool.Query(cmd.Context(), req)
				if err != nil {
					return err
				}
				if asJSON {
					return a.json(r)
				}
				a.standing([]kpi.Result{r})
				s, i := a.screen(), r.Indicator
				s.line("")
				s.text("", "", a.say("kpi.set_by", i.Title, i.Label))
				s.text("    ", "", "“"+i.Words+"”")
				if i.Office != "" {
					s.text("", "", a.say("kpi.office", i.Office))
				}
				if r.Source != "" {
					s.text("", "", a.say("kpi.source", r.Source))
				}
				for _, w := range r.Warnings {
					s.text("", amber, "! "+w.Text)
				}
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	p.flags(a, c)
	return c
}

// kpiRecord records one figure.
func (a *app) kpiRecord() *cobra.Command {
	var asJSON bool
	var unit, asOf, source string
	c := &cobra.Command{
		Use: "record INDICATOR VALUE --as-of DAY --source TEXT", Short: a.say("cmd.kpi_record"), Args: cobra.ExactArgs(2),
		Example: "  zhengda kpi record gaoqi_total 12100 --as-of 2024-09-30 --source 火炬统计", ValidArgsFunction: a.completeIndicators,
		RunE: func(cmd *cobra.Command, args []string) error {
			if asOf == "" || source == "" {
				return usage("err.record_flags")
			}
			return a.withTool(cmd.Context(), func(h *house, tool *kpi.Tool) error {
				r, err := tool.Public().Query(cmd.Context(), kpi.Request{Indicator: args[0]})
				if err != nil {
					return err
				}
				if unit == "" {
					unit = r.Indicator.Unit
				}
				f, err := kpi.ParseFigure(r.Indicator.Code, args[1], unit, asOf, source, a.who())
				if err != nil {
					return usage("err.figure", err.Error())
				}
				if f, err = h.store.Record(cmd.Context(), f); err != nil {
					return usage("err.figure", err)
				}
				if asJSON {
					return a.json(f)
				}
				fmt.Fprintln(a.out, a.say("kpi.recorded", r.Indicator.Name, kpi.Format(f.Value)+f.Unit, f.AsOf, f.Source, f.N))
				return nil
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, a.say("flag.json"))
	f.StringVar(&unit, "unit", "", a.say("flag.unit"))
	f.StringVar(&asOf, "as-of", "", a.say("flag.figure_day"))
	f.StringVar(&source, "source", "", a.say("flag.figure_source"))
	return c
}

// kpiImport records the figures of a file, all or none.
func (a *app) kpiImport() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "import FILE.csv", Short: a.say("cmd.kpi_import"), Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usage("err.file", args[0], err)
			}
			defer f.Close()
			return a.withTool(cmd.Context(), func(h *house, _ *kpi.Tool) error {
				recorded, unchanged, err := h.store.Import(cmd.Context(), f, a.who())
				if err != nil {
					return usage("err.file", args[0], err)
				}
				if asJSON {
					return a.json(struct {
						Recorded  int `json:"recorded"`
						Unchanged int `json:"unchanged"`
					}{recorded, unchanged})
				}
				fmt.Fprintln(a.out, a.say("kpi.imported", recorded, unchanged))
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

// kpiHistory lists every record of an indicator.
func (a *app) kpiHistory() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "history INDICATOR", Short: a.say("cmd.kpi_history"), Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeIndicators,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.withTool(cmd.Context(), func(h *house, tool *kpi.Tool) error {
				r, err := tool.Public().Query(cmd.Context(), kpi.Request{Indicator: args[0]})
				if err != nil {
					return err
				}
				list, err := h.store.History(cmd.Context(), r.Indicator.Code)
				if err != nil {
					return err
				}
				if asJSON {
					return a.json(append([]kpi.Figure{}, list...))
				}
				rows := [][]string{a.columns("kpi.history_columns")}
				for _, f := range list {
					rows = append(rows, []string{strconv.Itoa(f.N), string(f.AsOf), kpi.Format(f.Value) + f.Unit, f.Source, f.RecordedBy, stampTime(f.RecordedAt)})
				}
				a.screen().table(rows, 0, 2)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

// kpiExtract proposes the indicators that a document sets.
func (a *app) kpiExtract() *cobra.Command {
	var asJSON, accept, replace bool
	var only []string
	c := &cobra.Command{
		Use: "extract DOC", Short: a.say("cmd.kpi_extract"), Args: cobra.ExactArgs(1), ValidArgsFunction: a.completeDocuments,
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withTool(ctx, func(h *house, tool *kpi.Tool) error {
				v, err := h.lib.Show(ctx, args[0], "")
				if err != nil {
					return err
				}
				catalog, err := tool.Catalog(ctx)
				if err != nil {
					return err
				}
				p := propose(kpi.Propose(v.Document, kpi.Extract(v.Document), catalog.All()), catalog, only)
				if accept {
					if err := h.store.Put(ctx, p.accepted(replace)...); err != nil {
						return err
					}
				}
				if asJSON {
					return a.json(p)
				}
				a.proposals(p, accept, replace)
				return nil
			})
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, a.say("flag.json"))
	f.BoolVar(&accept, "accept", false, a.say("flag.accept"))
	f.BoolVar(&replace, "replace", false, a.say("flag.replace"))
	f.StringSliceVar(&only, "only", nil, a.say("flag.only"))
	return c
}

// proposal is an indicator that a document sets.
type proposal struct {
	kpi.Indicator
	Known bool `json:"known"` // there is one of that code and year
}

type proposals []proposal

// propose marks what is known, and leaves only the codes asked for, if any.
func propose(inds []kpi.Indicator, catalog *kpi.Catalog, only []string) proposals {
	out := proposals{}
	for _, i := range inds {
		if len(only) == 0 || slices.Contains(only, i.Code) {
			_, known := catalog.Code(i.Code, i.Year)
			out = append(out, proposal{i, known})
		}
	}
	return out
}

// accepted are those that are stored: the new ones, and with replace all.
func (p proposals) accepted(replace bool) (out []kpi.Indicator) {
	for _, x := range p {
		if replace || !x.Known {
			out = append(out, x.Indicator)
		}
	}
	return out
}

// proposals shows what a document sets and what became of it.
func (a *app) proposals(p proposals, accepted, replace bool) {
	s := a.screen()
	rows := [][]string{a.columns("kpi.extract_columns")}
	fresh := 0
	for _, x := range p {
		mark := a.say("kpi.new")
		if x.Known {
			mark = a.say("kpi.known")
		} else {
			fresh++
		}
		rows = append(rows, []string{mark, x.Code, clip(x.Name, 40), strconv.Itoa(x.Year), x.Phrase(), x.Label, clip(x.Words, 60)})
	}
	s.table(rows, 4)
	if accepted {
		s.line("%s", a.say("kpi.accepted", len(p.accepted(replace))))
	} else {
		s.line("%s", a.say("kpi.proposed", len(p), fresh))
	}
}
