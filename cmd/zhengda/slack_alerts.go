package main

import (
	"cmp"
	"context"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/bot/slack"
	"zhengda/ingest"
	"zhengda/rag"
)

// figuresEvery is the time between two looks at the indicators, whose figures
// may change without anything being published.
const figuresEvery = 30 * time.Second

// look has the channel look for what was published; c may be nil.
func (c *channel) look() {
	if c == nil {
		return
	}
	select {
	case c.changed <- struct{}{}:
	default:
	}
}

// watch tells those who subscribed of publications and of indicators that
// cross their target, whichever process has caused them. What fails is tried
// again at the next look.
func (c *channel) watch(ctx context.Context) {
	for ctx.Err() == nil {
		if err := c.publications(ctx); err != nil && ctx.Err() == nil {
			c.log.Error("alerts of publications", slog.Any("error", err))
		}
		if err := c.crossings(ctx); err != nil && ctx.Err() == nil {
			c.log.Error("alerts of indicators", slog.Any("error", err))
		}
		t := time.NewTimer(figuresEvery)
		select {
		case <-ctx.Done():
		case <-c.changed:
		case <-t.C:
		}
		t.Stop()
	}
}

// publications tells of what was published since the mark. The first look
// only sets the mark.
func (c *channel) publications(ctx context.Context) error {
	const name = "published"
	mark, err := c.Mark(ctx, name)
	if err != nil {
		return err
	}
	last, err := c.s.h.lib.Audit(ctx, "", 1)
	if err != nil {
		return err
	}
	newest := 0
	if len(last) > 0 {
		newest = last[0].Seq
	}
	told, err := strconv.Atoi(mark)
	if err != nil { // no mark
		return c.SetMark(name, mark, strconv.Itoa(newest))
	}
	if newest <= told {
		return nil
	}
	lines, err := c.s.h.lib.Audit(ctx, "", newest-told)
	if err != nil {
		return err
	}
	for _, l := range slices.Backward(lines) {
		if l.Seq <= told {
			continue
		}
		change, err := c.change(ctx, l)
		if err != nil {
			return err
		}
		if err := c.Published(ctx, change); err != nil {
			return err
		}
		next := strconv.Itoa(l.Seq)
		if err := c.SetMark(name, mark, next); err != nil {
			return err
		}
		mark = next
	}
	return nil
}

// change is a line of the audit as Slack tells it.
func (c *channel) change(ctx context.Context, l ingest.AuditLine) (slack.Change, error) {
	out := slack.Change{ID: strconv.Itoa(l.Seq), At: l.At, DocumentID: l.ID, Document: l.Title}
	var docs [2]rag.Document
	printed := [2]*string{&out.Previous, &out.Version}
	for i, n := range []int{l.Previous, l.Version} {
		if n == 0 {
			continue
		}
		v, err := c.s.h.lib.Show(ctx, l.ID, strconv.Itoa(n))
		if err != nil {
			return out, err
		}
		docs[i], *printed[i] = v.Document, versionOf(n)
		out.Internal = out.Internal || v.Document.Meta.Audience == "staff"
	}
	for _, d := range ingest.Compare(&docs[0], &docs[1]) {
		out.Clauses = append(out.Clauses, slack.ClauseChange{Label: d.Label, Before: d.Before, After: d.After})
	}
	return out, nil
}

// crossings tells of indicators that stand otherwise to their target than
// their mark says. Replicas that see the same change give it the same name.
func (c *channel) crossings(ctx context.Context) error {
	list, err := gauges{c.s}.results(ctx, bot.Staff)
	if err != nil {
		return err
	}
	for _, r := range list {
		if r.Status != kpi.Met && r.Status != kpi.Short || c.stands[r.Indicator.Code] == stand(0, r) {
			continue
		}
		if err := c.crossing(ctx, r); err != nil {
			return err
		}
		c.stands[r.Indicator.Code] = stand(0, r)
	}
	return nil
}

func (c *channel) crossing(ctx context.Context, r kpi.Result) error {
	name := "indicator " + r.Indicator.Code
	mark, err := c.Mark(ctx, name)
	if err != nil {
		return err
	}
	f := append(strings.Split(mark, " "), "", "", "")
	n, _ := strconv.Atoi(f[0])
	if status := kpi.Status(f[1]); mark != "" && status != r.Status {
		n++
		err := c.Crossed(ctx, slack.Crossing{ID: r.Indicator.Code + "@" + strconv.Itoa(n), Figure: bot.FigureOf(r), Was: f[2] + r.Indicator.Unit, Reached: r.Status == kpi.Met})
		if err != nil {
			return err
		}
	}
	return c.SetMark(name, mark, stand(n, r))
}

// stand is how an indicator stands, as its mark says it: how often it has
// crossed its target, its status and its actual value.
func stand(n int, r kpi.Result) string {
	return strconv.Itoa(n) + " " + string(r.Status) + " " + cmp.Or(r.Actual, "-")
}
