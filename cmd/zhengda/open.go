package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/bot/slack"
	"zhengda/ingest"
	"zhengda/internal/db"
	"zhengda/rag"
	"zhengda/rag/embed"
	"zhengda/seeds"
)

// house is an opened data folder.
type house struct {
	a   *app
	dir string
	lib *ingest.Library

	database *sql.DB // of indicators and figures
	store    *kpi.Store
	live     *kpi.Live
	figures  *kpi.Tool
	lexicon  *bot.Lexicon
	model    *bot.Model // nil: none
	vectors  *rag.VectorDir
}

// open opens the data folder and fills it from the seeds when it never held
// anything.
func (a *app) open(ctx context.Context) (*house, error) {
	h := &house{a: a, dir: a.folder()}
	o := ingest.Options{Now: a.now, Who: a.who()}
	if p, err := exec.LookPath("pdftotext"); err == nil {
		o.PDFToText = p
	}
	var err error
	if h.lib, err = ingest.Open(h.dir, o); err != nil {
		return nil, err
	}
	if err := h.seed(ctx); err != nil {
		h.close()
		return nil, err
	}
	return h, nil
}

func (h *house) close() {
	if h.live != nil {
		h.live.Close()
	}
	if h.store != nil {
		h.store.Close()
	}
	if h.database != nil {
		h.database.Close()
	}
	if h.vectors != nil {
		h.vectors.Close()
	}
	if h.lib != nil {
		h.lib.Close()
	}
}

// seed fills a library that never held anything. Two processes may do so at
// once: one seeds, the other finds nothing new.
func (h *house) seed(ctx context.Context) error {
	g, err := h.lib.Generation(ctx)
	if err != nil || g > 0 {
		return err
	}
	r, err := h.lib.Seed(ctx, seeds.Documents())
	if err != nil {
		return err
	}
	for _, d := range r.Documents {
		if d.Error != "" {
			return fmt.Errorf("seed %s: %s", d.File, d.Error)
		}
	}
	if r.Added > 0 {
		h.a.note("open.seeded", h.dir, r.Added)
	}
	return nil
}

// indicators opens the store of indicators.
func (h *house) indicators(ctx context.Context) (*kpi.Store, error) {
	if h.store != nil {
		return h.store, nil
	}
	var err error
	if h.database, err = db.Open(filepath.Join(h.dir, "zhengda.db")); err != nil {
		return nil, err
	}
	h.store, err = kpi.NewStore(ctx, h.database, h.a.now)
	return h.store, err
}

// sources is the file in the data folder that says where actual values come
// from.
const sources = "kpi_sources.yaml"

// tool opens the tool of indicators, with the live sources where there are
// any.
func (h *house) tool(ctx context.Context) (_ *kpi.Tool, err error) {
	if h.figures == nil {
		h.figures, err = h.newTool(ctx)
	}
	return h.figures, err
}

func (h *house) newTool(ctx context.Context) (*kpi.Tool, error) {
	store, err := h.indicators(ctx)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(filepath.Join(h.dir, sources))
	if errors.Is(err, fs.ErrNotExist) {
		return kpi.NewTool(store, store, h.a.now), nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	c, err := kpi.ReadConfig(f)
	if err != nil {
		return nil, usage("err.config", f.Name(), err.Error())
	}
	var unread error
	secret := func(name string) (string, bool) {
		v, ok, err := h.a.secret(name)
		unread = errors.Join(unread, err)
		return v, ok
	}
	h.live, err = kpi.NewLive(c, store, http.DefaultClient, secret, slog.New(slog.NewTextHandler(h.a.err, nil)), h.a.now)
	switch {
	case unread != nil:
		return nil, unread
	case err != nil:
		return nil, usage("err.config", f.Name(), err.Error())
	}
	return kpi.NewTool(store, h.live, h.a.now), nil
}

// stamp names the state of what is published. It is not the same in two
// folders.
func (h *house) stamp(ctx context.Context) (string, error) {
	g, err := h.lib.Generation(ctx)
	if err != nil {
		return "", err
	}
	last, err := h.lib.Audit(ctx, "", 1)
	if err != nil || len(last) == 0 {
		return fmt.Sprint(g), err
	}
	return fmt.Sprintf("%d %d %s", g, last[0].Seq, last[0].At.Format(time.RFC3339Nano)), nil
}

// published returns the documents and the stamp of the same moment.
func (h *house) published(ctx context.Context) ([]rag.Document, string, error) {
	for {
		before, err := h.stamp(ctx)
		if err != nil {
			return nil, "", err
		}
		docs, _, err := h.lib.Active(ctx)
		if err != nil {
			return nil, "", err
		}
		if after, err := h.stamp(ctx); err != nil || after == before {
			return docs, after, err
		}
	}
}

// index returns the index over what is published: the snapshot, or where that
// is missing, damaged or of something else, a new one, which is saved.
func (h *house) index(ctx context.Context) (*rag.Index, string, error) {
	stamp, err := h.stamp(ctx)
	if err != nil {
		return nil, "", err
	}
	e, err := h.embedder()
	unavailable := errors.Is(err, embed.ErrUnavailable)
	if err != nil && !unavailable {
		return nil, "", err
	}
	path := filepath.Join(h.dir, "index.snapshot")
	o := rag.Options{Embedder: e, Cache: h.cache(), Tag: stamp}
	if unavailable {
		h.a.note("open.embedder_down", err)
		path = "" // what is there stays, for when the service is back
	}
	x, err := rag.Load(path, o)
	if err == nil {
		return x, stamp, nil
	}
	switch {
	case unavailable:
	case errors.Is(err, fs.ErrNotExist):
		h.a.note("open.index_new")
	case errors.Is(err, rag.ErrDamaged):
		h.a.note("open.index_damaged", path)
	case errors.Is(err, rag.ErrOther):
		h.a.note("open.index_other")
	default:
		h.a.note("open.index_unreadable", path, err)
	}
	docs, stamp, err := h.published(ctx)
	if err != nil {
		return nil, "", err
	}
	if err := h.bind(ctx, docs); err != nil {
		return nil, "", err
	}
	bar := h.a.bar("progress.embed")
	o.Tag, o.Progress = stamp, bar.show
	x, err = rag.Build(ctx, docs, o)
	bar.done()
	if err != nil {
		return nil, "", err
	}
	if err := x.Health(); err != nil {
		h.a.note("open.embedder_down", err)
	}
	if path == "" {
		return x, stamp, nil
	}
	if err := x.Save(path); err != nil {
		h.a.note("open.index_unsaved", db.Explain(err))
	}
	return x, stamp, nil
}

// cache keeps vectors from one index to the next.
func (h *house) cache() *rag.VectorDir {
	if h.vectors == nil {
		h.vectors = rag.OpenVectors(filepath.Join(h.dir, "vectors"), seeds.Vectors())
	}
	return h.vectors
}

// bind stores the indicators of the seeds when the store has none, and ties
// all indicators to the clauses as they are published now.
func (h *house) bind(ctx context.Context, docs []rag.Document) error {
	store, err := h.indicators(ctx)
	if err != nil {
		return err
	}
	old, err := store.Indicators(ctx)
	if err != nil {
		return err
	}
	inds := slices.Clone(old)
	if len(inds) == 0 {
		if inds, err = seeds.Indicators(); err != nil {
			return err
		}
	}
	for _, d := range docs {
		var problems []string
		inds, problems = kpi.Bind(d, inds)
		for _, p := range problems {
			h.a.note("open.unbound", p, d.ID)
		}
	}
	if slices.EqualFunc(old, inds, sameWords) {
		return nil
	}
	return store.Put(ctx, inds...)
}

// sameWords reports whether two states of an indicator stand in the same
// words of the same clauses.
func sameWords(a, b kpi.Indicator) bool {
	return a.Code == b.Code && a.ClauseID == b.ClauseID && a.Label == b.Label && a.Words == b.Words &&
		slices.EqualFunc(a.Mentions, b.Mentions, func(x, y kpi.Mention) bool {
			return x.ClauseID == y.ClauseID && x.Label == y.Label && x.Words == y.Words
		})
}

// minds makes bots that share vocabulary and indicators, each over one index.
func (h *house) minds(ctx context.Context) (func(*rag.Index) *bot.Bot, error) {
	var err error
	if h.lexicon, err = bot.NewLexicon(os.DirFS(h.dir)); err != nil {
		return nil, usage("err.config", h.dir, err.Error())
	}
	tool, err := h.tool(ctx)
	if err != nil {
		return nil, err
	}
	if h.model, err = h.a.model(h.dir); err != nil {
		return nil, err
	}
	if h.model != nil {
		h.model.Compare = h.compare
	}
	return func(x *rag.Index) *bot.Bot {
		return bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: h.lexicon, KPI: tool, Model: h.model, Stage: slack.Stage, Now: h.a.now})
	}, nil
}
