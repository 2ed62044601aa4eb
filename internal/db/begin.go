package db

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// tryEvery is the time between two tries of Begin.
const tryEvery = 500 * time.Microsecond

// Begin begins a write transaction, and asks for the lock every tryEvery while
// another process has it. SQLite by itself asks ever more seldom, up to 100 ms
// apart, so that a process which writes much keeps the others waiting. It gives
// up after busyTimeout. end rolls the transaction back unless it is committed,
// and must be called.
func Begin(ctx context.Context, d *sql.DB) (tx *sql.Tx, end func(), err error) {
	c, err := d.Conn(ctx)
	if err != nil {
		return nil, nil, err
	}
	if _, err = c.ExecContext(ctx, "PRAGMA busy_timeout=0"); err == nil {
		for begin := time.Now(); ; time.Sleep(tryEvery) {
			tx, err = c.BeginTx(ctx, nil)
			if !errors.Is(Explain(err), ErrBusy) || time.Since(begin) > busyTimeout {
				break
			}
		}
	}
	end = func() {
		if tx != nil {
			_ = tx.Rollback()
		}
		_, _ = c.ExecContext(context.WithoutCancel(ctx), fmt.Sprintf("PRAGMA busy_timeout=%d", busyTimeout.Milliseconds()))
		_ = c.Close()
	}
	if err != nil {
		end()
		return nil, nil, err
	}
	return tx, end, nil
}
