package slack

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
	"time"

	"zhengda/internal/db"
)

// journal runs writes to the database one after the other, and several that
// have arrived in one transaction, so that one flush of the disk serves all of
// them. The zero value with db set is ready.
type journal struct {
	db      *sql.DB
	mu      sync.Mutex
	urgent  []write
	others  []write
	leading bool
}

type write struct {
	f    func(*sql.Tx) error
	done chan error
}

const (
	// maxOthers is how many writes that nobody outside waits for go into one
	// transaction with the urgent ones.
	maxOthers = 16
	// pause lets another process write between two transactions.
	pause = time.Millisecond
)

// do runs f inside a transaction and returns when that is on disk. An error of
// f undoes what f did and nothing else.
func (j *journal) do(f func(*sql.Tx) error) error { return j.add(&j.others, f) }

// doFirst is do, before all that do has to run: Slack waits for it.
func (j *journal) doFirst(f func(*sql.Tx) error) error { return j.add(&j.urgent, f) }

func (j *journal) add(to *[]write, f func(*sql.Tx) error) error {
	w := write{f: f, done: make(chan error, 1)}
	j.mu.Lock()
	*to = append(*to, w)
	if !j.leading {
		j.leading = true
		go j.lead()
	}
	j.mu.Unlock()
	return <-w.done
}

func (j *journal) lead() {
	for batch := j.next(); batch != nil; batch = j.next() {
		j.commit(batch)
		time.Sleep(pause)
	}
}

// next is what goes into the next transaction; nil when there is nothing, and
// nobody leads any more.
func (j *journal) next() []write {
	j.mu.Lock()
	defer j.mu.Unlock()
	n := min(len(j.others), maxOthers)
	batch := append(j.urgent, j.others[:n]...)
	j.urgent, j.others = nil, j.others[n:]
	j.leading = len(batch) > 0
	return batch
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
	tx, end, err := db.Begin(ctx, j.db)
	if err != nil {
		return err
	}
	defer end()
	if len(batch) == 1 {
		if errs[0] = batch[0].f(tx); errs[0] != nil {
			return nil
		}
		return tx.Commit()
	}
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
