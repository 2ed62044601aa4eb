package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sync"
	"time"

	"zhengda/internal/db"
)

// IngestOptions say how a run of Ingest goes.
type IngestOptions struct {
	DryRun bool // nothing is stored or published
	Force  bool // publish what would be refused
	// Meta goes over what the text and sidecar files say.
	Meta MetaValues
	// Progress, when set, is called from one goroutine at a time.
	Progress func(Progress)
	// NewOnly leaves alone files that were read before as they are, even when
	// another version of their document has been made active since.
	NewOnly bool
}

// Ingest reads files, folders and zip archives, and publishes what is new or
// changed in them: all of it in one step at the end, or nothing. A file that
// fails is reported and never stops the others. The work done before an
// interruption is kept and not repeated, but not published.
//
// The error is about the run: a context that ended, a disk that is full.
// Paths that do not exist, unreadable files and refused publications stand in
// the Report, whose Failed then counts them.
func (l *Library) Ingest(ctx context.Context, paths []string, o IngestOptions) (Report, error) {
	if err := o.Meta.Check(); err != nil {
		return Report{}, fmt.Errorf("ingest: %w", err)
	}
	return l.run(ctx, o, func(w *walker) error {
		for _, p := range paths {
			w.walk(filepath.Clean(p))
		}
		return nil
	})
}

// Seed ingests the documents of fsys into a library that has never held any;
// on any other it does nothing.
func (l *Library) Seed(ctx context.Context, fsys fs.FS) (Report, error) {
	var n int
	if err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM audit`).Scan(&n); err != nil {
		return Report{}, fmt.Errorf("seed: %w", db.Explain(err))
	}
	if n > 0 {
		return Report{}, nil
	}
	return l.run(ctx, IngestOptions{NewOnly: true}, func(w *walker) error { return w.tree(fsys) })
}

// run is one ingestion over the sources that walk finds.
func (l *Library) run(ctx context.Context, o IngestOptions, walk func(*walker) error) (Report, error) {
	start := time.Now()
	r := &run{l: l, o: o, meter: meter{start: start, report: o.Progress}, report: Report{DryRun: o.DryRun, Documents: []DocumentReport{}},
		seen: map[string]earlier{}, numbers: map[string]string{}}
	if !o.DryRun {
		release, err := l.lock(ctx, r.meter.waiting)
		if err != nil {
			return r.report, fmt.Errorf("ingest: %w", err)
		}
		defer release()
		if err := l.sweep(ctx); err != nil {
			return r.report, fmt.Errorf("ingest: %w", err)
		}
	}
	err := r.do(ctx, walk)
	r.report.Timing.Total = time.Since(start).Milliseconds()
	if err != nil {
		return r.report, fmt.Errorf("ingest: %w", err)
	}
	return r.report, nil
}

// run is the state of one ingestion. Its fields belong to the goroutine that
// collects.
type run struct {
	l       *Library
	o       IngestOptions
	report  Report
	meter   meter
	known   map[string]knownFile
	seen    map[string]earlier // by document ID
	numbers map[string]string  // 文号 → ID of the document that has it
	stage   *stage
	targets []target
}

// earlier is a document of this run.
type earlier struct{ file, hash string }

func (r *run) do(ctx context.Context, walk func(*walker) error) (err error) {
	if r.known, err = r.l.knownFiles(ctx); err != nil {
		return err
	}
	r.stage = &stage{l: r.l}
	defer r.stage.rollback()
	if err := r.collect(ctx, walk); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return errors.Join(err, r.stage.commit()) // kept for the next run
	}
	if r.o.DryRun {
		r.report.Generation, err = r.l.Generation(ctx)
		return err
	}
	if err := r.stage.commit(); err != nil {
		return err
	}
	r.report.Generation, err = r.l.publish(ctx, r.targets)
	return err
}

// collect reads the sources on several goroutines and takes the results in
// the order of the sources.
func (r *run) collect(ctx context.Context, walk func(*walker) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	type job struct {
		s    source
		done chan prepared
	}
	jobs := make(chan job)
	queue := make(chan job, r.l.o.Workers+1) // bounds what is in memory
	var walkErr error
	go func() {
		defer close(queue)
		defer close(jobs)
		w := &walker{ctx: ctx, max: r.l.o.MaxFile, seen: map[string]bool{}, yield: func(s source) {
			j := job{s, make(chan prepared, 1)}
			r.meter.found()
			select {
			case queue <- j:
			case <-ctx.Done():
				return
			}
			select {
			case jobs <- j:
			case <-ctx.Done():
				s.err = ctx.Err()
				j.done <- prepared{source: s}
			}
		}}
		walkErr = walk(w)
		r.meter.counted()
	}()
	var workers sync.WaitGroup
	for range r.l.o.Workers {
		workers.Go(func() {
			for j := range jobs {
				j.done <- r.l.prepare(ctx, j.s, r.o.Meta, r.known)
			}
		})
	}
	var err error
	for j := range queue {
		p := <-j.done
		if err != nil || ctx.Err() != nil {
			continue // drain
		}
		if err = r.take(ctx, p); err != nil {
			cancel()
		}
	}
	workers.Wait()
	return errors.Join(err, walkErr)
}

// take decides what becomes of one file. The error ends the run.
func (r *run) take(ctx context.Context, p prepared) error {
	if p.skip {
		r.report.Skipped = append(r.report.Skipped, p.name)
		r.meter.done(p, false)
		return nil
	}
	d := DocumentReport{File: p.name, Format: p.format, ID: p.id, Title: p.title, Warnings: p.warnings}
	err := p.err
	if err == nil {
		err = r.decide(ctx, &p, &d)
	}
	if err != nil {
		if e := (fatal{}); errors.As(err, &e) {
			return e.err
		}
		d.Status, d.Error = Failed, err.Error()
		r.l.o.Logger.Warn("file not ingested", "file", p.name, "error", err)
	}
	r.report.add(d)
	r.meter.done(p, d.Status == Failed)
	return nil
}

// fatal marks an error of the store, which ends the run.
type fatal struct{ err error }

func (f fatal) Error() string { return f.err.Error() }

// decide compares the file with what is active and stages what is new.
func (r *run) decide(ctx context.Context, p *prepared, d *DocumentReport) error {
	if p.known != nil && (p.known.active || r.o.NewOnly && p.known.published) {
		d.ID, d.Title, d.Format = p.known.id, p.known.title, p.known.format
		d.Status, d.Version, d.Previous = Unchanged, itoa(p.known.version), itoa(p.known.version)
		d.Clauses.Unchanged = p.known.clauses
		r.seen[d.ID] = earlier{p.name, p.known.hash}
		return nil
	}
	if p.known != nil { // staged by a run that did not finish, or rolled back
		if err := r.l.revive(ctx, p); err != nil {
			return fatal{err}
		}
		d.ID, d.Title, d.Format, d.Warnings = p.id, p.title, p.format, p.warnings
	}
	if err := r.unique(ctx, p, d); err != nil || d.Status == Unchanged {
		return err
	}
	old, err := r.l.activeVersion(ctx, p.id)
	if err != nil {
		return fatal{err}
	}
	fill(d, old, p)
	if err := r.allowed(p, old, d); err != nil {
		return err
	}
	r.seen[p.id] = earlier{p.name, p.hash}
	if n := p.doc.Meta.Number; n != "" {
		r.numbers[n] = p.id
	}
	if r.o.DryRun {
		return nil
	}
	version, err := r.stage.put(ctx, p, old)
	if err != nil {
		return fatal{err}
	}
	d.Version = itoa(version)
	if d.Status != Unchanged {
		r.targets = append(r.targets, target{id: p.id, title: p.title, version: version})
	}
	return nil
}

// unique refuses a second document of one title in one run, and warns of two
// documents with one 文号.
func (r *run) unique(ctx context.Context, p *prepared, d *DocumentReport) error {
	if e, ok := r.seen[p.id]; ok {
		if e.hash != p.hash {
			return fmt.Errorf("与同批的 %s 标题相同(%s)而内容不同:请在元数据文件里写明各自的 title", e.file, p.title)
		}
		d.Status = Unchanged
		d.Clauses.Unchanged = len(p.doc.Clauses)
		d.Warnings = append(d.Warnings, ReportWarning{Kind: "duplicate_file", Text: "内容与同批的 " + e.file + " 相同"})
		return nil
	}
	other, err := r.bearer(ctx, p.doc.Meta.Number, p.id)
	if err != nil {
		return fatal{err}
	}
	if other != "" {
		d.Warnings = append(d.Warnings, ReportWarning{Kind: "duplicate_number", Text: "文号 " + p.doc.Meta.Number + " 与另一文件(" + other + ")相同"})
	}
	return nil
}

// allowed refuses what looks like an accident.
func (r *run) allowed(p *prepared, old *version, d *DocumentReport) error {
	var why string
	switch {
	case p.size == 0:
		why = "没有读出任何条文"
	case p.lost > 0:
		why = fmt.Sprintf("解析丢失了 %d 个字", p.lost)
	case old != nil && d.Status == Changed && p.size*2 < old.size:
		why = fmt.Sprintf("正文比现行版本短一半以上(%d 字 → %d 字)", old.size, p.size)
	default:
		return nil
	}
	if r.o.Force && p.size > 0 {
		d.Warnings = append(d.Warnings, ReportWarning{Kind: "forced", Text: why})
		return nil
	}
	return fmt.Errorf("%w: %s;确认无误可用 --force", ErrRefused, why)
}

// bearer is the ID of another document that has the 文号 no, in this run or
// among those published; "" when there is none.
func (r *run) bearer(ctx context.Context, no, id string) (other string, err error) {
	if no == "" {
		return "", nil
	}
	if other := r.numbers[no]; other != "" && other != id {
		return other, nil
	}
	err = r.l.db.QueryRowContext(ctx, `SELECT d.id FROM versions v JOIN documents d ON d.id = v.document_id AND d.active = v.number
		WHERE v.issue_no = $1 AND v.issue_no <> '' AND d.id <> $2 LIMIT 1`, no, id).Scan(&other)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return "", fmt.Errorf("look up %s: %w", no, db.Explain(err))
	}
	return other, nil
}
