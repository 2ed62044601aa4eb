package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"zhengda/ingest"
	"zhengda/rag"
)

func (a *app) docsCommand() *cobra.Command {
	list := a.docsList()
	c := &cobra.Command{Use: "docs", Short: a.say("cmd.docs"), Args: cobra.NoArgs, RunE: list.RunE}
	c.Flags().AddFlagSet(list.Flags())
	c.AddCommand(list, a.docsShow(), a.docsHistory(), a.docsDiff(), a.docsRollback(), a.docsRemove(), a.docsAudit())
	return c
}

// documentCommand is a command about one document: run gets the open data
// folder and the arguments, of which there are at least one and at most max.
func (a *app) documentCommand(use, short string, max int, run func(ctx context.Context, h *house, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use: use, Short: a.say(short), Args: cobra.RangeArgs(1, max),
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error { return run(cmd.Context(), h, args) })
		},
		ValidArgsFunction: a.completeDocuments,
	}
}

// with opens the data folder for f.
func (a *app) with(ctx context.Context, f func(*house) error) error {
	h, err := a.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	return f(h)
}

// completeDocuments offers the IDs of documents to the shell.
func (a *app) completeDocuments(cmd *cobra.Command, args []string, prefix string) ([]string, cobra.ShellCompDirective) {
	var ids []string
	if len(args) == 0 {
		a.with(cmd.Context(), func(h *house) error { // without a data folder there is nothing to offer
			list, err := h.lib.Documents(cmd.Context(), true)
			for _, e := range list {
				if strings.HasPrefix(e.ID, prefix) {
					ids = append(ids, e.ID+"\t"+e.Title)
				}
			}
			return err
		})
	}
	return ids, cobra.ShellCompDirectiveNoFileComp
}

func (a *app) docsList() *cobra.Command {
	var asJSON, all bool
	c := &cobra.Command{
		Use: "list", Short: a.say("cmd.docs_list"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.lib.Documents(cmd.Context(), all)
				if err != nil {
					return err
				}
				if asJSON {
					return a.json(append([]ingest.Entry{}, list...))
				}
				if len(list) == 0 {
					a.note("docs.none")
					return nil
				}
				rows := [][]string{a.columns("docs.columns")}
				for _, e := range list {
					version := "v" + e.Version
					if e.Removed {
						version = a.say("docs.removed_mark")
					}
					rows = append(rows, []string{e.ID, clip(e.Title, 60), version, strconv.Itoa(e.Clauses), force(e.Meta, a.tongue), day(e.Updated)})
				}
				a.screen().table(rows, 3)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	c.Flags().BoolVar(&all, "all", false, a.say("flag.all"))
	return c
}

// columns are the heads of a table.
func (a *app) columns(key string) []string { return strings.Split(a.say(key), "|") }

func day(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateOnly)
}

// force says since when and until when a document is in force.
func force(m rag.Meta, t tongue) string {
	from := m.Effective
	if from.IsZero() {
		from = m.Issued
	}
	switch {
	case !m.Repealed.IsZero():
		return t.say("docs.repealed", m.Repealed.Format(time.DateOnly))
	case !from.IsZero():
		return from.Format(time.DateOnly)
	case m.Year > 0:
		return strconv.Itoa(m.Year)
	}
	return ""
}

func (a *app) docsShow() *cobra.Command {
	var asJSON, source bool
	var version, clause string
	c := a.documentCommand("show DOC", "cmd.docs_show", 1, func(ctx context.Context, h *house, args []string) error {
		v, err := h.lib.Show(ctx, args[0], version)
		if err != nil {
			return err
		}
		d := &v.Document
		s := a.screen()
		if clause != "" {
			found := findClauses(d, clause)
			if len(found) == 0 {
				return usage("err.no_clause", d.Title, clause)
			}
			if asJSON {
				return a.json(found)
			}
			for _, c := range found {
				s.clause(d, c)
			}
			return nil
		}
		switch {
		case source:
			_, err := fmt.Fprintln(a.out, strings.TrimRight(v.Source, "\n"))
			return err
		case asJSON:
			return a.json(struct {
				ingest.VersionInfo
				ID     string          `json:"id"`
				Meta   rag.Meta        `json:"meta"`
				Parsed json.RawMessage `json:"parsed"`
			}{v.VersionInfo, d.ID, d.Meta, v.Parsed})
		}
		var p ingest.Parsed
		if err := json.Unmarshal(v.Parsed, &p); err != nil {
			return fmt.Errorf("show %s: %w", d.ID, err)
		}
		s.line("%s", s.paint(faint, a.say("docs.head", d.ID, v.Number, v.File, force(d.Meta, a.tongue), d.Meta.Number, d.Meta.Issuer)))
		fmt.Fprint(a.out, p.Tree())
		return nil
	})
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	c.Flags().BoolVar(&source, "source", false, a.say("flag.source"))
	c.Flags().StringVar(&version, "version", "", a.say("flag.version"))
	c.Flags().StringVar(&clause, "clause", "", a.say("flag.clause"))
	return c
}

func (a *app) docsHistory() *cobra.Command {
	var asJSON bool
	c := a.documentCommand("history DOC", "cmd.docs_history", 1, func(ctx context.Context, h *house, args []string) error {
		list, err := h.lib.History(ctx, args[0])
		if err != nil {
			return err
		}
		if asJSON {
			return a.json(list)
		}
		rows := [][]string{a.columns("docs.history_columns")}
		for _, v := range list {
			mark := ""
			if v.Active {
				mark = "*"
			}
			rows = append(rows, []string{mark, "v" + strconv.Itoa(v.Number), v.Hash, strconv.Itoa(v.Clauses), stampTime(v.At), v.Who, v.File})
		}
		a.screen().table(rows, 3)
		return nil
	})
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

func stampTime(t time.Time) string { return t.Local().Format("2006-01-02 15:04") }

func (a *app) docsDiff() *cobra.Command {
	var asJSON bool
	c := a.documentCommand("diff DOC [A [B]]", "cmd.docs_diff", 3, func(ctx context.Context, h *house, args []string) error {
		args = append(args, "", "")
		list, err := h.lib.Diff(ctx, args[0], args[1], args[2])
		if err != nil {
			return err
		}
		if asJSON {
			return a.json(append([]ingest.Change{}, list...))
		}
		if len(list) == 0 {
			a.note("docs.same")
		}
		a.screen().changes(list, a.tongue)
		return nil
	})
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

func (a *app) docsRollback() *cobra.Command {
	return a.documentCommand("rollback DOC [VERSION]", "cmd.docs_rollback", 2, func(ctx context.Context, h *house, args []string) error {
		args = append(args, "")
		v, err := h.lib.Rollback(ctx, args[0], args[1])
		if err != nil {
			return err
		}
		if _, _, err := h.index(ctx); err != nil {
			return err
		}
		fmt.Fprintln(a.out, a.say("docs.rolled_back", v.Number, v.Hash))
		return nil
	})
}

func (a *app) docsRemove() *cobra.Command {
	return a.documentCommand("remove DOC", "cmd.docs_remove", 1, func(ctx context.Context, h *house, args []string) error {
		e, err := h.lib.Remove(ctx, args[0])
		if err != nil {
			return err
		}
		if _, _, err := h.index(ctx); err != nil {
			return err
		}
		fmt.Fprintln(a.out, a.say("docs.removed", e.Title, e.ID))
		return nil
	})
}

func (a *app) docsAudit() *cobra.Command {
	var asJSON bool
	var limit int
	c := &cobra.Command{
		Use: "audit [DOC]", Short: a.say("cmd.docs_audit"), Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeDocuments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				list, err := h.lib.Audit(cmd.Context(), strings.Join(args, ""), limit)
				if err != nil {
					return err
				}
				if asJSON {
					return a.json(append([]ingest.AuditLine{}, list...))
				}
				rows := [][]string{a.columns("docs.audit_columns")}
				for _, l := range list {
					rows = append(rows, []string{stampTime(l.At), l.Who, a.say("action." + l.Action), clip(l.Title, 40),
						versionOf(l.Previous) + " → " + versionOf(l.Version), clip(l.Hash, 16), l.File})
				}
				a.screen().table(rows)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	c.Flags().IntVar(&limit, "limit", 50, a.say("flag.limit"))
	return c
}

func versionOf(n int) string {
	if n == 0 {
		return "–"
	}
	return "v" + strconv.Itoa(n)
}
