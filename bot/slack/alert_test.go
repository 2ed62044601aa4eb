package slack

import (
	"fmt"
	"net/url"
	"testing"
	"time"
)

// TestAlertWaits: an internal alert waits while Slack does not say who is
// staff, and is not lost.
func TestAlertWaits(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Lease = 2 * time.Second })
	refuse := func(f func(string, url.Values) string) { r.mu.Lock(); defer r.mu.Unlock(); r.refuse = f }
	refuse(func(method string, _ url.Values) string {
		if method == "users.info" {
			return "internal_error"
		}
		return ""
	})
	if _, err := r.db.Exec(`INSERT INTO slack_subscriptions (id, team, channel, usr, kind, value, created) VALUES (1, $1, 'DS', 'USTAFF', 'indicator', '高企', 0)`, fakeTeam); err != nil {
		t.Fatal(err)
	}
	if err := r.app.announce([]alert{{subscription: 1, event: "e", body: "达到目标", internal: true}}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "a look at the user", func() bool { return r.count("users.info") > 0 })
	refuse(nil)
	eventually(t, "the alert", func() bool { return r.count("chat.postMessage") == 1 })
}

// TestAlertsEnd: an alert that can never be sent, or could not be for a week,
// is dropped and not tried for ever.
func TestAlertsEnd(t *testing.T) {
	r := newRig(t, nil)
	r.mu.Lock()
	r.refuse = func(method string, v url.Values) string {
		if method == "conversations.history" && v.Get("channel") == "C1" {
			return "not_in_channel" // the bot was removed while it posted
		}
		return ""
	}
	r.mu.Unlock()
	now := time.Now()
	for i, created := range []time.Time{now, now.Add(-2 * alertLife), now} {
		if _, err := r.db.Exec(`INSERT INTO slack_subscriptions (id, team, channel, usr, kind, value, created) VALUES ($1,$2,$3,'U1','keyword','甲',0)`, i, fakeTeam, fmt.Sprint("C", i+1)); err != nil {
			t.Fatal(err)
		}
		if _, err := r.db.Exec(`INSERT INTO slack_alerts (subscription, event, body, posting, created) VALUES ($1,'e','甲变了',$2,$3)`, i, i == 0, created.UnixMilli()); err != nil {
			t.Fatal(err)
		}
	}
	states := func() (s string) {
		if err := r.db.QueryRow(`SELECT group_concat(state) FROM (SELECT state FROM slack_alerts ORDER BY subscription)`).Scan(&s); err != nil {
			t.Fatal(err)
		}
		return s
	}
	eventually(t, "an end of the alerts", func() bool { return states() == "dropped,dropped,sent" })
}
