package slack

import (
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"
)

// TestJournalOrder: what Slack waits for goes before work that came earlier,
// work goes in small transactions, and an error undoes its own write alone.
func TestJournalOrder(t *testing.T) {
	d := migrated(t)
	j := &journal{db: d, leading: true}
	var order []int
	var wg sync.WaitGroup
	queued := func() int { j.mu.Lock(); defer j.mu.Unlock(); return len(j.urgent) + len(j.others) }
	add := func(n int, do func(func(*sql.Tx) error) error) {
		before := queued()
		wg.Go(func() {
			err := do(func(tx *sql.Tx) error {
				order = append(order, n)
				if _, err := tx.Exec(`INSERT INTO slack_marks VALUES ($1, '')`, n); err != nil {
					return err
				}
				if n%2 == 1 {
					return errSkipped
				}
				return nil
			})
			if odd := n%2 == 1; errors.Is(err, errSkipped) != odd || err != nil && !odd {
				t.Errorf("%d: %v", n, err)
			}
		})
		eventually(t, "a write in the queue", func() bool { return queued() > before })
	}
	for i := range maxOthers + 1 {
		add(i+2, j.do)
	}
	add(0, j.doFirst)
	add(1, j.doFirst)
	j.commit(j.next())
	if n := queued(); n != 1 {
		t.Errorf("%d writes are left; want 1", n)
	}
	j.lead()
	wg.Wait()
	if !slices.IsSorted(order) || len(order) != maxOthers+3 {
		t.Errorf("order %v", order)
	}
	var odd, even int
	if err := d.QueryRow(`SELECT sum(name % 2), sum(name % 2 = 0) FROM slack_marks`).Scan(&odd, &even); err != nil || odd != 0 || even != maxOthers/2+2 {
		t.Errorf("%d odd, %d even, %v", odd, even, err)
	}
}
