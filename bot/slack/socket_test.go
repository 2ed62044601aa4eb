package slack

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// TestTokenRevoked: a token that Slack refuses while the bot runs stops nothing
// for good: the log says what to do, and what is asked in the end is answered.
func TestTokenRevoked(t *testing.T) {
	r := newRig(t, nil)
	sockets := func() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.conns) }
	revoke := func(f func(string, url.Values) string) { r.mu.Lock(); defer r.mu.Unlock(); r.refuse = f }
	eventually(t, "a socket", func() bool { return sockets() > 0 })
	if err := r.app.Refused(t.Context()); err != nil {
		t.Fatal(err)
	}
	revoke(func(string, url.Values) string { return "token_revoked" })
	r.mu.Lock()
	conns := slices.Clone(r.conns)
	r.mu.Unlock()
	for _, c := range conns {
		r.drop(c)
	}
	eventually(t, "a word in the log", func() bool { return strings.Contains(r.log.String(), "slack refuses the token") })
	if err := r.app.Refused(t.Context()); code(err) != "token_revoked" {
		t.Errorf("Refused: %v", err)
	}
	revoke(nil)
	r.send(t, "events_api", callback(mention("C1", ts1, "", "U1", "甲?")))
	if got := r.answered(t, "C1", ts1); len(got) != 1 {
		t.Errorf("answers: %v", got)
	}
}
