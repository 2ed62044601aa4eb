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
