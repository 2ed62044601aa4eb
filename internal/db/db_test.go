package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

var steps = []string{
	"CREATE TABLE fruit (id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
	"CREATE TABLE seed (fruit INTEGER NOT NULL REFERENCES fruit (id)); INSERT INTO fruit VALUES (1, '柿')",
}

func mustOpen(t testing.TB, path string) *sql.DB {
	t.Helper()
	d, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func count(t testing.TB, d *sql.DB, table string) (n int) {
	t.Helper()
	if err := d.QueryRow("SELECT count(*) FROM " + table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenSettings(t *testing.T) {
	d := mustOpen(t, filepath.Join(t.TempDir(), "新 建?#%", "a b.db"))
	for pragma, want := range map[string]string{"journal_mode": "wal", "foreign_keys": "1", "synchronous": "2", "busy_timeout": "10000"} {
		var got string
		if err := d.QueryRow("PRAGMA " + pragma).Scan(&got); err != nil || got != want {
			t.Errorf("%s = %s, %v; want %s", pragma, got, err, want)
		}
	}
}

func TestMigrate(t *testing.T) {
	ctx, d := context.Background(), mustOpen(t, filepath.Join(t.TempDir(), "x.db"))
	for _, n := range []int{1, 2, 2} { // grows, then has nothing to do
		if err := Migrate(ctx, d, "fruit", steps[:n]); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, d, "fruit"); n != 1 {
		t.Errorf("step 2 was applied %d times", n)
	}
	if _, err := d.Exec("INSERT INTO seed VALUES (9)"); err == nil {
		t.Error("a foreign key was not enforced")
	}
	if err := Migrate(ctx, d, "fruit", steps[:1]); !errors.Is(err, ErrNewer) {
		t.Errorf("older program: %v", err)
	}
	if err := Migrate(ctx, d, "other", []string{"CREATE TABLE a (x INTEGER)", "no SQL"}); err == nil {
		t.Error("a step that fails was accepted")
	}
	if _, err := d.Exec("SELECT * FROM a"); err == nil {
		t.Error("half of a failed migration stayed")
	}
}

func TestMigrateAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for range 8 {
		wg.Go(func() {
			d, err := Open(path) // its own connections, as another process has
			if err == nil {
				defer d.Close()
				err = Migrate(context.Background(), d, "fruit", steps)
			}
			errs <- err
		})
	}
	wg.Wait()
	for range 8 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
	}
	if n := count(t, mustOpen(t, path), "fruit"); n != 1 {
		t.Errorf("%d rows; want 1", n)
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	if _, err := OpenReadOnly(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	w := mustOpen(t, path)
	if err := Migrate(context.Background(), w, "fruit", steps); err != nil {
		t.Fatal(err)
	}
	r, err := OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if err := Migrate(context.Background(), r, "fruit", steps); err != nil {
		t.Errorf("an up-to-date migration writes: %v", err)
	}
	if _, err := r.Exec("DELETE FROM fruit"); !errors.Is(Explain(err), ErrNotWritable) {
		t.Errorf("write through a read-only database: %v", err)
	}
	if n := count(t, r, "fruit"); n != 1 {
		t.Errorf("%d rows", n)
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("这不是数据库。", 500)), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func(string) (*sql.DB, error){"Open": Open, "OpenReadOnly": OpenReadOnly} {
		if _, err := open(junk); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s of a text: %v", name, err)
		}
	}
	if _, err := Open(filepath.Join(junk, "x.db")); !errors.Is(err, ErrNotWritable) {
		t.Errorf("a file as folder: %v", err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrNotWritable) {
		t.Errorf("a folder as file: %v", err)
	}
	if err := explain(fmt.Errorf("write: %w", syscall.ENOSPC)); !errors.Is(err, ErrFull) {
		t.Errorf("full disk: %v", err)
	}
}

// TestFull limits the file to a few pages, which is what a full disk looks
// like to SQLite.
func TestFull(t *testing.T) {
	d := mustOpen(t, filepath.Join(t.TempDir(), "x.db"))
	d.SetMaxOpenConns(1)
	if _, err := d.Exec("PRAGMA max_page_count = 4; CREATE TABLE t (x TEXT)"); err != nil {
		t.Fatal(err)
	}
	_, err := d.Exec("INSERT INTO t VALUES ($1)", strings.Repeat("x", 1<<20))
	if !errors.Is(Explain(err), ErrFull) {
		t.Errorf("full disk: %v", err)
	}
	if n := count(t, d, "t"); n != 0 {
		t.Errorf("%d rows stayed", n)
	}
}

func BenchmarkOpenUpToDate(b *testing.B) {
	path := filepath.Join(b.TempDir(), "x.db")
	if err := Migrate(context.Background(), mustOpen(b, path), "fruit", steps); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		d, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if err := Migrate(context.Background(), d, "fruit", steps); err != nil {
			b.Fatal(err)
		}
		d.Close()
	}
}

// TestBegin: a transaction begins when that of another process has ended, and
// the connection waits as before when its own has.
func TestBegin(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	first, second := mustOpen(t, path), mustOpen(t, path)
	second.SetMaxOpenConns(1)
	if err := Migrate(t.Context(), first, "fruit", steps); err != nil {
		t.Fatal(err)
	}
	held, end, err := Begin(t.Context(), first)
	if err != nil {
		t.Fatal(err)
	}
	seen := make(chan int, 1)
	go func() {
		defer close(seen)
		tx, end, err := Begin(t.Context(), second)
		if err != nil {
			t.Error(err)
			return
		}
		defer end() // without a commit
		var n int
		if _, err := tx.Exec("INSERT INTO seed VALUES (1)"); err != nil {
			t.Error(err)
		}
		if err := tx.QueryRow("SELECT count(*) FROM seed").Scan(&n); err != nil {
			t.Error(err)
		}
		seen <- n
	}()
	if _, err := held.Exec("INSERT INTO seed VALUES (1)"); err != nil {
		t.Fatal(err)
	}
	if err := held.Commit(); err != nil {
		t.Fatal(err)
	}
	end()
	if n := <-seen; n != 2 {
		t.Errorf("%d rows in the second transaction; want 2", n)
	}
	<-seen // closed when it has ended
	if n := count(t, second, "seed"); n != 1 {
		t.Errorf("%d rows; want 1", n)
	}
	var ms int
	if err := second.QueryRow("PRAGMA busy_timeout").Scan(&ms); err != nil || ms != int(busyTimeout.Milliseconds()) {
		t.Errorf("busy_timeout %d, %v", ms, err)
	}
}
