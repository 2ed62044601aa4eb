// Package db opens the project's SQLite file and brings its tables up to date.
package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"
)

// busyTimeout is how long a connection waits for another process's write.
const busyTimeout = 10 * time.Second

// maxConns bounds the connections of one process. SQLite has one writer; the
// others read beside it.
const maxConns = 8

// Open opens the database file at path for reading and writing, and creates
// it, and its folder, when missing. Readers never wait for the writer (WAL),
// a commit is on disk when it returns, foreign keys are enforced, and a
// transaction takes the write lock when it begins, unless it is begun
// read-only.
//
// The error is, or wraps, ErrNotWritable, ErrDamaged, ErrFull or ErrBusy when
// the cause is one of these.
func Open(path string) (*sql.DB, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, explain(err))
	}
	if err := writable(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	return open(path, url.Values{"_txlock": {"immediate"}}, "journal_mode(WAL)", "foreign_keys(1)", "synchronous(FULL)")
}

// OpenReadOnly opens an existing database file for reading; writing through
// it fails. It works on a medium that cannot be written. A file that does not
// exist is an error that wraps fs.ErrNotExist.
func OpenReadOnly(path string) (*sql.DB, error) {
	if _, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	d, err := open(path, url.Values{"mode": {"ro"}}, "query_only(1)")
	if err == nil || errors.Is(err, ErrDamaged) {
		return d, err
	}
	// Without a write-ahead log beside it nobody is writing: a read-only
	// folder then cannot hold the shared index either, and needs none.
	if _, statErr := os.Stat(path + "-wal"); errors.Is(statErr, fs.ErrNotExist) {
		return open(path, url.Values{"mode": {"ro"}, "immutable": {"1"}}, "query_only(1)")
	}
	return nil, err
}

func open(path string, q url.Values, pragmas ...string) (*sql.DB, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	q.Add("_pragma", fmt.Sprintf("busy_timeout(%d)", busyTimeout.Milliseconds()))
	for _, p := range pragmas {
		q.Add("_pragma", p)
	}
	u := url.URL{Scheme: "file", Path: filepath.ToSlash(abs), RawQuery: q.Encode()}
	d, err := sql.Open("sqlite", u.String())
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", path, err)
	}
	d.SetMaxOpenConns(maxConns)
	d.SetMaxIdleConns(maxConns)
	if err := ping(d); err != nil {
		d.Close()
		return nil, fmt.Errorf("open database %s: %w", path, Explain(err))
	}
	return d, nil
}

// ping reads the file for the first time. The switch to WAL does not wait for
// another process that is switching too, so ping does.
func ping(d *sql.DB) error {
	deadline := time.Now().Add(busyTimeout)
	for {
		var n int
		err := d.QueryRow("SELECT count(*) FROM sqlite_master").Scan(&n)
		if !errors.Is(Explain(err), ErrBusy) || time.Now().After(deadline) {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// writable reports why path cannot be written, without changing it. SQLite
// would open such a file and fail at the first write.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		return explain(err)
	}
	return f.Close()
}

// Migrate applies the steps of one component that have not been applied to d
// yet, in order, in one transaction: all of them or none. Steps are DDL or
// other statements, and are only ever appended to; their count is the
// component's version. Two processes may migrate at once. When there is
// nothing to do, Migrate only reads.
//
// A database whose version is above len(steps) was written by a newer program
// and gives ErrNewer.
func Migrate(ctx context.Context, d *sql.DB, component string, steps []string) error {
	v, err := version(ctx, d, component)
	if err != nil {
		return fmt.Errorf("migrate %s: %w", component, Explain(err))
	}
	if v < len(steps) {
		err = apply(ctx, d, component, steps)
	} else if v > len(steps) {
		err = fmt.Errorf("%w: version %d, this program knows %d", ErrNewer, v, len(steps))
	}
	if err != nil {
		return fmt.Errorf("migrate %s: %w", component, err)
	}
	return nil
}

// querier is the part of sql.DB and sql.Tx that version needs.
type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version is the number of steps that have been applied; 0 in a new file.
func version(ctx context.Context, q querier, component string) (v int, err error) {
	err = q.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM schema_versions WHERE component = $1", component).Scan(&v)
	if err != nil && strings.Contains(err.Error(), "no such table") {
		return 0, nil
	}
	return v, err
}

func apply(ctx context.Context, d *sql.DB, component string, steps []string) error {
	tx, err := d.BeginTx(ctx, nil)
	if err != nil {
		return Explain(err)
	}
	defer tx.Rollback()
	const table = `CREATE TABLE IF NOT EXISTS schema_versions (
		component TEXT NOT NULL, version INTEGER NOT NULL, applied_at TEXT NOT NULL,
		PRIMARY KEY (component, version))`
	if _, err := tx.ExecContext(ctx, table); err != nil {
		return Explain(err)
	}
	v, err := version(ctx, tx, component) // another process may have been faster
	if err != nil {
		return Explain(err)
	}
	for ; v < len(steps); v++ {
		if _, err := tx.ExecContext(ctx, steps[v]); err != nil {
			return fmt.Errorf("step %d: %w", v+1, Explain(err))
		}
		if _, err := tx.ExecContext(ctx, "INSERT INTO schema_versions (component, version, applied_at) VALUES ($1, $2, $3)",
			component, v+1, time.Now().UTC().Format(time.RFC3339)); err != nil {
			return fmt.Errorf("step %d: %w", v+1, Explain(err))
		}
	}
	return Explain(tx.Commit())
}
