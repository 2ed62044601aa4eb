package ingest

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"zhengda/internal/db"
)

// lockPoll is how often a waiting run looks again.
const lockPoll = 100 * time.Millisecond

// lock lets one run at a time into the library, of this process or another,
// and calls waiting once when it has to wait. The lock is an exclusive
// transaction on a database file of its own, so it ends with the process that
// holds it however that ends, on every system that SQLite knows.
func (l *Library) lock(ctx context.Context, waiting func()) (release func(), err error) {
	d, err := db.Open(filepath.Join(l.dir, "ingest.lock"))
	if err != nil {
		return nil, fmt.Errorf("lock library: %w", err)
	}
	conn, err := d.Conn(ctx)
	if err != nil {
		d.Close()
		return nil, fmt.Errorf("lock library: %w", db.Explain(err))
	}
	fail := func(err error) (func(), error) {
		conn.Close()
		d.Close()
		return nil, fmt.Errorf("lock library: %w", err)
	}
	if _, err := conn.ExecContext(ctx, `PRAGMA busy_timeout = 0`); err != nil {
		return fail(db.Explain(err))
	}
	for told := false; ; told = true {
		_, err := conn.ExecContext(ctx, `BEGIN IMMEDIATE`)
		if err == nil {
			break
		}
		if err = db.Explain(err); !errors.Is(err, db.ErrBusy) {
			return fail(err)
		}
		if !told {
			waiting()
		}
		select {
		case <-ctx.Done():
			return fail(ctx.Err())
		case <-time.After(lockPoll):
		}
	}
	return func() {
		conn.ExecContext(context.Background(), `ROLLBACK`)
		conn.Close()
		d.Close()
	}, nil
}
