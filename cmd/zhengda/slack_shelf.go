package main

import (
	"bytes"
	"context"
	"errors"
	"regexp"
	"slices"
	"strings"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/bot/slack"
	"zhengda/ingest"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// shelf finds clauses for Slack.
type shelf struct{ s *answerer }

// gauges tells Slack how the indicators stand.
type gauges struct{ s *answerer }

var (
	_ slack.Corpus     = shelf{}
	_ slack.Indicators = gauges{}
)

// Clause implements slack.Corpus.
func (f shelf) Clause(ctx context.Context, c bot.Citation, p bot.Persona) (slack.Clause, error) {
	now, ok := f.s.index().Document(c.DocumentID)
	if ok && !mayRead(now, p) {
		return slack.Clause{}, slack.ErrNotFound
	}
	d := now
	if !ok || d.Version != c.Version {
		v, err := f.s.h.lib.Show(ctx, c.DocumentID, c.Version)
		switch {
		case err == nil && v.Document.ID == c.DocumentID:
			d = &v.Document
		case err != nil && !errors.Is(err, ingest.ErrUnknown):
			return slack.Clause{}, err
		}
	}
	if d == nil || !mayRead(d, p) {
		return slack.Clause{}, slack.ErrNotFound
	}
	same := func(k rag.Clause) bool { return k.ID == c.ClauseID }
	if c.ClauseID == "" {
		same = func(k rag.Clause) bool { return labelKey(k.Label) == labelKey(c.Label) }
	}
	i := slices.IndexFunc(d.Clauses, same)
	if i < 0 {
		return slack.Clause{}, slack.ErrNotFound
	}
	return clauseOf(d, &d.Clauses[i]), nil
}

// inTitle splits 《title》第17条 and title 第17条.
var inTitle = regexp.MustCompile(`^(?:《([^《》]+)》|(\S.*)\s)\s*(\S+)$`)

// Find implements slack.Corpus. A label may be written with spaces; where it is
// found nowhere, what stands before the last of them is a title.
func (f shelf) Find(_ context.Context, ref string, p bot.Persona) ([]slack.Clause, error) {
	ref = strings.TrimSpace(ref)
	found := f.find("", ref, p)
	if m := inTitle.FindStringSubmatch(ref); len(found) == 0 && m != nil {
		found = f.find(m[1]+m[2], m[3], p)
	}
	return found, nil
}

// find is the clauses of that label in documents with title in theirs; those
// of exactly that title come first.
func (f shelf) find(title, label string, p bot.Persona) []slack.Clause {
	var exact, others []slack.Clause
	for _, d := range f.s.index().Documents() {
		if !mayRead(d, p) || !strings.Contains(zh.Squeeze(zh.Fold(d.Title)), zh.Squeeze(zh.Fold(title))) {
			continue
		}
		to := &others
		if sameTitle(d.Title, title) {
			to = &exact
		}
		for _, k := range findClauses(d, label) {
			*to = append(*to, clauseOf(d, k))
		}
	}
	return append(exact, others...)
}

// Documents implements slack.Corpus.
func (f shelf) Documents(_ context.Context, p bot.Persona) (titles []string, err error) {
	for _, d := range f.s.index().Documents() {
		if mayRead(d, p) {
			titles = append(titles, d.Title)
		}
	}
	return titles, nil
}

func mayRead(d *rag.Document, p bot.Persona) bool { return d.Meta.Audience != "staff" || p.Internal() }

func sameTitle(a, b string) bool { return zh.Squeeze(zh.Fold(a)) == zh.Squeeze(zh.Fold(b)) }

func clauseOf(d *rag.Document, k *rag.Clause) slack.Clause {
	return slack.Clause{DocumentID: d.ID, Document: d.Title, Version: d.Version, ID: k.ID, Label: k.Label, Title: k.Title, Path: k.Path, Text: k.Text, URL: d.Meta.URL}
}

// tool is the tool of indicators for a persona.
func (g gauges) tool(p bot.Persona) *kpi.Tool {
	if p.Internal() {
		return g.s.h.figures
	}
	return g.s.h.figures.Public()
}

// results are the indicators of the latest year that the persona may know of.
func (g gauges) results(ctx context.Context, p bot.Persona) ([]kpi.Result, error) {
	list, err := g.tool(p).List(ctx, 0, "")
	return slices.DeleteFunc(list, func(r kpi.Result) bool {
		d, ok := g.s.index().Document(r.Indicator.Document)
		return ok && !mayRead(d, p)
	}), err
}

// List implements slack.Indicators.
func (g gauges) List(ctx context.Context, p bot.Persona) (out []bot.Figure, err error) {
	list, err := g.results(ctx, p)
	for _, r := range list {
		out = append(out, bot.FigureOf(r))
	}
	return out, err
}

// Chart implements slack.Indicators.
func (g gauges) Chart(ctx context.Context, codes []string, p bot.Persona) ([]byte, error) {
	list, err := chosen(ctx, g.tool(p), period{}, codes)
	if err != nil {
		return nil, err
	}
	list = slices.DeleteFunc(list, func(s kpi.Series) bool {
		d, ok := g.s.index().Document(s.Result.Indicator.Document)
		return ok && !mayRead(d, p)
	})
	if len(list) == 0 {
		return nil, slack.ErrNotFound
	}
	var b bytes.Buffer
	err = kpi.Chart(&b, "png", list...)
	return b.Bytes(), err
}
