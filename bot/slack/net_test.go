package slack

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// limited is a Slack that refuses the first request of a channel for a while.
type limited struct {
	mu    sync.Mutex
	seen  map[string]int
	begin time.Time
	log   []string
}

func (l *limited) RoundTrip(r *http.Request) (*http.Response, error) {
	body, _ := io.ReadAll(r.Body)
	v, _ := url.ParseQuery(string(body))
	channel := v.Get("channel")
	l.mu.Lock()
	defer l.mu.Unlock()
	l.log = append(l.log, fmt.Sprint(channel, " ", time.Since(l.begin)))
	resp := &http.Response{StatusCode: http.StatusOK, Header: http.Header{}, Body: http.NoBody}
	if l.seen[channel]++; l.seen[channel] == 1 && channel == "C1" {
		resp.StatusCode = http.StatusTooManyRequests
		resp.Header.Set("Retry-After", "30")
	}
	return resp, nil
}

// TestThrottle: after 429 a channel is left alone for as long as Slack says,
// and no other channel waits.
func TestThrottle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &limited{seen: map[string]int{}, begin: time.Now()}
		client := &http.Client{Transport: newThrottle(l)}
		send := func(channel string) {
			req, _ := http.NewRequestWithContext(context.Background(), "POST", "http://slack/api/chat.postMessage", strings.NewReader("channel="+channel))
			if resp, err := client.Do(req); err != nil || resp.StatusCode != http.StatusOK {
				t.Errorf("%s: %v", channel, err)
			}
		}
		var wg sync.WaitGroup
		for i, channel := range []string{"C1", "C1", "C2", "C1"} {
			wg.Go(func() { time.Sleep(time.Duration(i) * time.Second); send(channel) })
		}
		wg.Wait()
		if got := strings.Join(l.log, ", "); got != "C1 0s, C2 2s, C1 30s, C1 30s, C1 30s" {
			t.Errorf("requests: %s", got)
		}
	})
}

// TestReserve: however many replicas edit in a channel, their moments lie more
// than a second apart; another channel has moments of its own.
func TestReserve(t *testing.T) {
	d, now := migrated(t), time.Now()
	gone, cancel := context.WithCancel(t.Context())
	cancel() // does not wait for the moment
	for i := range 3 {
		a := &App{now: func() time.Time { return now }, inbox: &inbox{journal: journal{db: d}}}
		a.reserve(gone, "C1", 0, false)
		a.reserve(gone, "C2", 0, false)
		if a.reserve(gone, "C1", 0, true) {
			t.Error("a moment that is not now was taken")
		}
		var next int64
		if err := d.QueryRow(`SELECT next FROM slack_edits WHERE channel='C1'`).Scan(&next); err != nil || next-now.UnixMilli() < int64(i+1)*1001 {
			t.Errorf("after %d edits the next may be after %d ms, %v", i+1, next-now.UnixMilli(), err)
		}
	}
}
