package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"zhengda/ingest"
)

func (a *app) lintCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "lint [DOC]", Short: a.say("cmd.lint"), Args: cobra.MaximumNArgs(1), ValidArgsFunction: a.completeDocuments,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.with(cmd.Context(), func(h *house) error {
				docs, err := h.lib.Documents(cmd.Context(), false)
				if err != nil {
					return err
				}
				if len(docs) == 0 {
					return errEmpty
				}
				list, err := h.lib.Lint(cmd.Context(), strings.Join(args, ""))
				if err != nil {
					return err
				}
				if asJSON {
					return a.json(append([]ingest.Finding{}, list...))
				}
				a.findings(list)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

// findings shows what lint found, and sums it up.
func (a *app) findings(list []ingest.Finding) {
	s := a.screen()
	styles := map[ingest.Severity]string{ingest.Error: red, ingest.Caution: amber, ingest.Note: faint}
	count := make(map[ingest.Severity]int)
	document := ""
	for _, f := range list {
		count[f.Severity]++
		if len(f.Quotes) > 0 && f.Quotes[0].Document != document {
			document = f.Quotes[0].Document
			s.text("", bold, "《"+document+"》")
		}
		s.text("  ", styles[f.Severity], fmt.Sprintf("%s %s", a.say("severity."+string(f.Severity)), f.Text))
		for _, q := range f.Quotes {
			where := q.Label
			if q.Document != document {
				where = "《" + q.Document + "》" + where
			}
			s.text("      ", faint, where+" “"+clip(q.Text, 120)+"”")
		}
	}
	s.line("%s", s.paint(bold, a.say("lint.summary", count[ingest.Error], count[ingest.Caution], count[ingest.Note])))
}
