package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"zhengda/bot/kpi"
	"zhengda/bot/slack"
	"zhengda/ingest"
	"zhengda/internal/db"
	"zhengda/rag"
)

// finding is one thing that the doctor looked at.
type finding struct {
	Check string `json:"check"` // folder, database, index, embedder, clock, slack, model
	OK    bool   `json:"ok"`
	What  string `json:"what"`         // what was found
	Do    string `json:"do,omitempty"` // what to do, when not ok
}

// doctor looks at what the program needs. It puts nothing right: it writes a
// file into the data folder and removes it again, and no more.
type doctor struct {
	*house
	found []finding
}

func (a *app) doctorCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use: "doctor", Short: a.say("cmd.doctor"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			d := &doctor{house: &house{a: a, dir: a.folder()}}
			defer d.house.close()
			d.examine(cmd.Context())
			return d.report(asJSON)
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, a.say("flag.json"))
	return c
}

func (d *doctor) examine(ctx context.Context) {
	if d.folder() && d.databaseFile(ctx) {
		d.indexFile(ctx)
	}
	d.embedding(ctx)
	d.clock(ctx)
	d.channels(ctx)
	d.languageModel(ctx)
}

// well notes that something is as it should be, ill that it is not; what to do
// is the message of the same key with _do, and is given the same values.
func (d *doctor) well(check, key string, values ...any) {
	d.found = append(d.found, finding{Check: check, OK: true, What: d.a.say(key, values...)})
}

func (d *doctor) ill(check, key string, values ...any) {
	values = d.a.plain(values)
	d.found = append(d.found, finding{Check: check, What: d.a.say(key, values...), Do: d.a.say(key+"_do", values...)})
}

// leastSpace is how much free space a data folder should have, in bytes.
const leastSpace = 200 << 20

func (d *doctor) folder() bool {
	switch info, err := os.Stat(d.dir); {
	case errors.Is(err, fs.ErrNotExist):
		d.ill("folder", "doctor.no_folder", d.dir)
		return false
	case err != nil:
		d.ill("folder", "doctor.bad_folder", d.dir, err)
		return false
	case !info.IsDir():
		d.ill("folder", "doctor.not_folder", d.dir)
		return false
	}
	f, err := os.CreateTemp(d.dir, ".doctor*")
	if err == nil {
		_, err = f.Write(make([]byte, 4096))
		err = errors.Join(err, f.Close(), os.Remove(f.Name()))
	}
	if err != nil {
		d.ill("folder", "doctor.unwritable", d.dir)
		return false
	}
	free, known := freeSpace(d.dir)
	switch {
	case !known:
		d.well("folder", "doctor.folder", d.dir)
	case free < leastSpace:
		d.ill("folder", "doctor.space", d.dir, free>>20)
	default:
		d.well("folder", "doctor.folder_space", d.dir, free>>20)
	}
	return true
}

func (d *doctor) databaseFile(ctx context.Context) bool {
	path := filepath.Join(d.dir, "zhengda.db")
	r, err := db.OpenReadOnly(path)
	if errors.Is(err, fs.ErrNotExist) {
		d.ill("database", "doctor.no_database", path)
		return false
	}
	said := ""
	if err == nil {
		err = r.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&said)
		r.Close()
	}
	if err == nil && said != "ok" {
		err = db.ErrDamaged
	}
	if err = db.Explain(err); err == nil {
		d.lib, err = ingest.Open(d.dir, ingest.Options{Now: d.a.now})
	}
	if err == nil {
		_, err = d.indicators(ctx)
	}
	if err != nil {
		d.ill("database", "doctor.bad_database", path, err)
		return false
	}
	d.well("database", "doctor.database", path)
	return true
}

func (d *doctor) indexFile(ctx context.Context) {
	stamp, err := d.stamp(ctx)
	if err != nil {
		d.ill("index", "doctor.bad_database", d.dir, err)
		return
	}
	e, err := d.embedder()
	if err != nil {
		return // is a finding of its own
	}
	x, err := rag.Load(filepath.Join(d.dir, "index.snapshot"), rag.Options{Embedder: e, Cache: d.cache(), Tag: stamp})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.ill("index", "doctor.no_index")
	case errors.Is(err, rag.ErrOther):
		d.ill("index", "doctor.old_index")
	case err != nil:
		d.ill("index", "doctor.bad_index", err)
	case len(x.Documents()) == 0:
		d.ill("index", "doctor.empty")
	default:
		clauses := 0
		for _, doc := range x.Documents() {
			clauses += len(doc.Clauses)
		}
		d.well("index", "doctor.index", len(x.Documents()), clauses)
	}
}

func (d *doctor) embedding(ctx context.Context) {
	e, err := d.embedder()
	if err != nil {
		d.ill("embedder", "doctor.embedder_bad", err)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	vectors, err := e.Embed(ctx, []string{"政策"})
	switch {
	case err != nil:
		d.ill("embedder", "doctor.embedder_bad", err)
	case len(vectors[0]) != e.Dim():
		d.ill("embedder", "doctor.dimension", e.Name(), e.Dim(), len(vectors[0]))
	default:
		d.well("embedder", "doctor.embedder", e.Name(), e.Dim())
	}
}

// skew is how far the clock may be behind the last thing that was done.
const skew = time.Minute

// clock compares the clock with the last publication and the last figure.
// Slack's own clock is among the findings on Slack.
func (d *doctor) clock(ctx context.Context) {
	now, newest := d.a.now(), time.Time{}
	if d.lib != nil && d.store != nil {
		if last, err := d.lib.Audit(ctx, "", 1); err == nil && len(last) > 0 {
			newest = last[0].At
		}
		if at, err := d.newestFigure(ctx); err == nil && at.After(newest) {
			newest = at
		}
	}
	if newest.Sub(now) > skew || now.Year() < 2024 {
		d.ill("clock", "doctor.clock_bad", now.Format(time.DateTime), newest.Local().Format(time.DateTime))
		return
	}
	d.well("clock", "doctor.clock", now.Format(time.DateTime))
}

// newestFigure is when the last figure was recorded.
func (d *doctor) newestFigure(ctx context.Context) (newest time.Time, err error) {
	list, err := d.store.Indicators(ctx)
	for _, i := range list {
		var figures []kpi.Figure
		if figures, err = d.store.History(ctx, i.Code); err != nil {
			return newest, err
		}
		for _, f := range figures {
			if f.RecordedAt.After(newest) {
				newest = f.RecordedAt
			}
		}
	}
	return newest, err
}

func (d *doctor) channels(ctx context.Context) {
	c, on, err := d.a.slackSettings()
	switch {
	case err != nil:
		d.ill("slack", "doctor.slack_bad", err)
		return
	case !on:
		d.well("slack", "doctor.slack_off")
		return
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	c.Now = d.a.now
	for _, f := range slack.Check(ctx, c, d.a.tongue == english) {
		d.found = append(d.found, finding{"slack", f.OK, f.What, f.Do})
	}
}

func (d *doctor) languageModel(ctx context.Context) {
	m, err := d.a.model(d.dir)
	switch {
	case err != nil:
		d.ill("model", "doctor.model_bad", err)
		return
	case m == nil:
		d.well("model", "doctor.model_off")
		return
	}
	for _, f := range m.Doctor(ctx, d.a.tongue == english) {
		d.found = append(d.found, finding{"model", f.OK, f.What, f.Do})
	}
}

// report tells what was found. It is an error when something is not well.
func (d *doctor) report(asJSON bool) error {
	bad := 0
	for _, f := range d.found {
		if !f.OK {
			bad++
		}
	}
	if asJSON {
		err := d.a.json(struct {
			OK       bool      `json:"ok"`
			Findings []finding `json:"findings"`
		}{bad == 0, d.found})
		if err != nil {
			return err
		}
	} else {
		s := d.a.screen()
		for _, f := range d.found {
			if f.OK {
				s.line("%s %s", s.paint(green, "✓"), f.What)
				continue
			}
			s.line("%s %s", s.paint(red, "✗"), f.What)
			s.line("  → %s", f.Do)
		}
	}
	if bad > 0 {
		return failed("err.doctor", bad)
	}
	return nil
}
