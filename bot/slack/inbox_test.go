package slack

import (
	"context"
	"fmt"
	"testing"
	"time"
)

// TestTakeoverIsNoAttempt: a message whose owners die one after the other is
// not given up: nobody has failed to answer it.
func TestTakeoverIsNoAttempt(t *testing.T) {
	d, now := migrated(t), time.Now()
	replica := func(i int) *inbox {
		return &inbox{db: d, journal: journal{db: d}, owner: fmt.Sprint(i), lease: time.Minute, now: func() time.Time { return now }}
	}
	k := key{fakeTeam, "C1", ts1}
	if mine, err := replica(0).put(item{key: k, Kind: kindMessage, Thread: ts1, User: "U1", Text: "甲?"}); err != nil || len(mine) != 1 {
		t.Fatalf("%v, %v", mine, err)
	}
	for i := range 2 * maxAttempts {
		now = now.Add(2 * time.Minute)
		b := replica(i + 1)
		if mine, err := b.sweep(); err != nil || len(mine) != 1 {
			t.Fatalf("replica %d took over %v, %v", i+1, mine, err)
		}
		if it, ok, err := b.load(context.Background(), k); err != nil || !ok || it.attempts != 1 {
			t.Fatalf("replica %d: attempt %d, %v, %v", i+1, it.attempts, ok, err)
		}
	}
	last := replica(2 * maxAttempts)
	if err := last.postpone(k, 0, "500"); err != nil {
		t.Fatal(err)
	}
	now = now.Add(time.Second)
	if mine, err := last.sweep(); err != nil || len(mine) != 1 {
		t.Fatalf("%v, %v", mine, err)
	}
	if it, _, err := last.load(context.Background(), k); err != nil || it.attempts != 2 {
		t.Errorf("attempt %d after one that failed, %v", it.attempts, err)
	}
}

// TestPurge: what is older than is kept goes, with the feedback on it and the
// threads of which nothing is left; a thread that lives stays.
func TestPurge(t *testing.T) {
	d, now := migrated(t), time.Unix(1800000000, 0)
	b := &inbox{db: d, journal: journal{db: d}, owner: "a", lease: time.Minute, now: func() time.Time { return now }}
	ask := func(ts, thread string) {
		t.Helper()
		it := item{key: key{fakeTeam, "C1", ts}, Kind: kindMessage, Thread: thread, User: "U1", Text: "甲?"}
		if _, err := b.put(it); err != nil {
			t.Fatal(err)
		}
		if ok, err := b.finish(it, ""); err != nil || !ok {
			t.Fatalf("%v, %v", ok, err)
		}
	}
	ask("1800000000.000001", "1800000000.000001")
	ask("1800000000.000002", "1800000000.000002")
	if _, err := d.Exec(`INSERT INTO slack_feedback (answer, usr, good, created) VALUES ('a', 'U1', 1, $1)`, now.UnixMilli()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(100 * time.Hour)
	ask("1800360000.000001", "1800000000.000002")
	if err := b.purge(now.Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	for table, want := range map[string]int{"slack_inbox": 1, "slack_threads": 1, "slack_feedback": 0} {
		var n int
		if err := d.QueryRow(`SELECT count(*) FROM ` + table).Scan(&n); err != nil || n != want {
			t.Errorf("%d rows in %s, %v; want %d", n, table, err, want)
		}
	}
}
