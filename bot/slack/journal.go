package slack

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"zhengda/internal/db"
)

// journal runs writes to the database one after the other, and as many as
// have arrived in one transaction, so that one flush of the disk serves all of
// them. The zero value with db set is ready.
type journal struct {
	db      *sql.DB
	mu      sync.Mutex
	pending []write
	leading bool
}

type write struct {
	f    func(*sql.Tx) error
	done chan error
}

// do runs f inside a transaction and returns when that is on disk. An error of
// f undoes what f did and nothing else.
func (j *journal) do(f func(*sql.Tx) error) error {
	w := write{f: f, done: make(chan error, 1)}
	j.mu.Lock()
	j.pending = append(j.pending, w)
	if !j.leading {
		j.leading = true
		go j.lead()
	}
	j.mu.Unlock()
	return <-w.done
}

func (j *journal) lead() {
	for {
		j.mu.Lock()
		batch := j.pending
		j.pending = nil
		j.leading = len(batch) > 0
		j.mu.Unlock()
		if len(batch) == 0 {
			return
		}
		j.commit(batch)
	}
}

func (j *journal) commit(batch []write) {
	errs := make([]error, len(batch))
	if err := j.run(batch, errs); err != nil {
		for i := range errs {
			errs[i] = fmt.Errorf("journal: %w", db.Explain(err))
		}
	}
	for i, w := range batch {
		w.done <- errs[i]
	}
}

func (j *journal) run(batch []write, errs []error) error {
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	tx, err := j.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback()
	for i, w := range batch {
		if _, err := tx.Exec("SAVEPOINT w"); err != nil {
			return err
		}
		if errs[i] = w.f(tx); errs[i] != nil {
			if _, err := tx.Exec("ROLLBACK TO w"); err != nil {
				return err
			}
		}
		if _, err := tx.Exec("RELEASE w"); err != nil {
			return err
		}
	}
	return tx.Commit()
}
