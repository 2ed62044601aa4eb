package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"zhengda/ingest"
)

func (a *app) ingestCommand() *cobra.Command {
	var asJSON, watch bool
	var o ingest.IngestOptions
	c := &cobra.Command{
		Use:     "ingest PATH...",
		Short:   a.say("cmd.ingest"),
		Example: "  zhengda ingest --dry-run new.docx\n  zhengda ingest policies/\n  zhengda ingest --watch inbox/",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.Meta.Check(); err != nil {
				return usage("err.meta", err.Error())
			}
			if watch && o.DryRun {
				return usage("err.watch_dry")
			}
			h, err := a.open(cmd.Context())
			if err != nil {
				return err
			}
			defer h.close()
			if watch {
				return h.watch(cmd.Context(), args, o, asJSON)
			}
			return h.ingest(cmd.Context(), args, o, asJSON)
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, a.say("flag.json"))
	f.BoolVar(&o.DryRun, "dry-run", false, a.say("flag.dry_run"))
	f.BoolVar(&o.Force, "force", false, a.say("flag.force"))
	f.BoolVar(&watch, "watch", false, a.say("flag.watch"))
	f.StringVar(&o.Meta.Title, "title", "", a.say("flag.title"))
	f.StringVar(&o.Meta.Number, "number", "", a.say("flag.number"))
	f.StringVar(&o.Meta.Issuer, "issuer", "", a.say("flag.issuer"))
	f.IntVar(&o.Meta.Year, "year", 0, a.say("flag.year"))
	f.StringVar(&o.Meta.Issued, "issued", "", a.say("flag.issued"))
	f.StringVar(&o.Meta.Effective, "effective", "", a.say("flag.effective"))
	f.StringVar(&o.Meta.Repealed, "repealed", "", a.say("flag.repealed"))
	f.StringVar(&o.Meta.Audience, "audience", "", a.say("flag.audience"))
	f.StringVar(&o.Meta.Supersedes, "supersedes", "", a.say("flag.supersedes"))
	f.StringVar(&o.Meta.URL, "url", "", a.say("flag.url"))
	return c
}

// ingest reads the paths, publishes, and makes the index anew.
func (h *house) ingest(ctx context.Context, paths []string, o ingest.IngestOptions, asJSON bool) error {
	b := h.a.bar("progress.files")
	o.Progress = b.files
	r, err := h.lib.Ingest(ctx, paths, o)
	b.done()
	if err != nil {
		if errors.Is(err, context.Canceled) {
			return failed("err.ingest_canceled", len(r.Documents))
		}
		return err
	}
	if !o.DryRun {
		_, _, err := h.index(ctx)
		switch {
		case errors.Is(err, context.Canceled):
			h.a.note("ingest.index_later")
		case err != nil:
			return err
		}
	}
	if err := h.a.report(r, asJSON); err != nil {
		return err
	}
	switch {
	case r.Failed == 0:
		return nil
	case r.Added+r.Changed+r.Unchanged == 0:
		return usage("err.ingest_all", r.Failed)
	default:
		return failed("err.ingest_some", r.Failed, len(r.Documents))
	}
}

// files shows the progress of a run.
func (b *bar) files(p ingest.Progress) {
	if p.Waiting {
		b.a.note("ingest.waiting")
		return
	}
	b.draw(p.Done, p.Total, p.Remaining, b.a.say("progress.rate", p.Rate, p.Failed))
}

// watch follows the paths until ctx ends. Every publication makes the index
// anew, so that the next question need not wait for it.
func (h *house) watch(ctx context.Context, paths []string, o ingest.IngestOptions, asJSON bool) error {
	h.a.note("ingest.watching", strings.Join(paths, " "))
	err := h.lib.Watch(ctx, paths, ingest.WatchOptions{Ingest: o, Report: func(r ingest.Report, err error) {
		if err == nil {
			_, _, err = h.index(ctx)
		}
		if err == nil {
			err = h.a.report(r, asJSON)
		}
		h.a.fail(err)
	}})
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// shown is how many labels or warnings of a document a report lists.
const shown = 12

// report shows what a run did.
func (a *app) report(r ingest.Report, asJSON bool) error {
	if asJSON {
		return a.json(r)
	}
	s := a.screen()
	for _, d := range r.Documents {
		s.document(d, a.tongue)
	}
	if n := len(r.Skipped); n > 0 {
		s.line("%s", s.paint(faint, a.say("ingest.skipped", n, head(r.Skipped))))
	}
	key := "ingest.summary"
	if r.DryRun {
		key = "ingest.summary_dry"
	}
	s.line("%s", s.paint(bold, a.say(key, r.Added, r.Changed, r.Unchanged, r.Failed, float64(r.Timing.Total)/1000)))
	return nil
}

// document shows what became of one file.
func (s *screen) document(d ingest.DocumentReport, t tongue) {
	if d.Status == ingest.Failed {
		s.text("", red, t.say("ingest.failed", d.File, d.Error))
		return
	}
	style := map[ingest.Status]string{ingest.Added: green, ingest.Changed: amber, ingest.Unchanged: faint}[d.Status]
	s.text("", style, t.say("ingest."+string(d.Status), d.Title, d.ID, d.Version))
	if d.Status == ingest.Unchanged {
		return
	}
	for _, l := range []struct {
		key    string
		labels []string
	}{{"ingest.clauses_added", d.Clauses.Added}, {"ingest.clauses_changed", d.Clauses.Changed},
		{"ingest.clauses_moved", d.Clauses.Moved}, {"ingest.clauses_removed", d.Clauses.Removed}} {
		if len(l.labels) > 0 {
			s.text("  ", "", t.say(l.key, len(l.labels), head(l.labels)))
		}
	}
	if d.Status == ingest.Changed {
		s.text("  ", "", t.say("ingest.clauses_same", d.Clauses.Unchanged, d.Embedded))
		s.changes(d.Changes, t)
	}
	for i, w := range d.Warnings {
		if i == shown {
			s.text("  ", amber, t.say("ingest.more", len(d.Warnings)-shown))
			break
		}
		s.text("  ", amber, "! "+w.Text)
	}
}

// head lists the first of some names.
func head(list []string) string {
	if len(list) > shown {
		return strings.Join(list[:shown], "  ") + fmt.Sprintf("  … (%d)", len(list))
	}
	return strings.Join(list, "  ")
}

// changes shows clauses that differ, with the words marked.
func (s *screen) changes(list []ingest.Change, t tongue) {
	for _, c := range list {
		var classes []string
		for _, k := range c.Classes {
			classes = append(classes, t.say("class."+string(k)))
		}
		label := c.Label
		if c.OldLabel != "" && c.OldLabel != c.Label {
			label = c.OldLabel + " → " + c.Label
		}
		s.text("  ", bold, strings.TrimSpace(label+" "+c.Title)+"  ("+strings.Join(classes, "、")+")")
		switch {
		case c.Is(ingest.New):
			s.text("    ", green, "+ "+c.After)
		case c.Is(ingest.Gone):
			s.text("    ", red, "- "+c.Before)
		case c.Words != nil:
			s.text("    ", "", s.marked(c.Words))
		}
	}
}

// context of changed words that is shown, in characters on each side.
const around = 24

// marked is a text with what went and what came: in colour, or between [- -]
// and {+ +}. Long stretches that stayed are cut.
func (s *screen) marked(words []ingest.Edit) string {
	var b strings.Builder
	for i, e := range words {
		text := e.Text
		switch e.Op {
		case "-":
			if text = "[-" + text + "-]"; s.colour {
				text = s.paint(red, e.Text)
			}
		case "+":
			if text = "{+" + text + "+}"; s.colour {
				text = s.paint(green, e.Text)
			}
		default:
			if r := []rune(text); len(r) > 2*around {
				before, after := string(r[:around]), string(r[len(r)-around:])
				switch {
				case i == 0:
					before = ""
				case i == len(words)-1:
					after = ""
				}
				text = before + "…" + after
			}
		}
		b.WriteString(text)
	}
	return b.String()
}
