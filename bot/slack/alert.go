package slack

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
	"zhengda/internal/zh"
)

// Change is one publication of a document: a new version, or a step back.
type Change struct {
	// ID names the publication for good, the same in every replica; two
	// publications of one version have two.
	ID                   string
	At                   time.Time // subscriptions that are newer are not told; zero: all are
	DocumentID, Document string
	Previous, Version    string // as printed; empty: the document is new, or removed
	Internal             bool   // the document is not public
	Clauses              []ClauseChange
}

// ClauseChange is a clause that a publication adds (Before is empty), removes
// (After is empty) or changes.
type ClauseChange struct {
	Label         string
	Before, After string
}

// Crossing is an indicator that has reached its target, or fallen short of it
// again.
type Crossing struct {
	ID      string // names the crossing for good, the same in every replica
	Figure  bot.Figure
	Was     string // the actual value before
	Reached bool
}

// Published tells everybody whose subscription a publication touches, once,
// however often and by however many replicas it is called. It returns when
// that is stored; the messages are sent by Run.
func (a *App) Published(ctx context.Context, c Change) error {
	subs, err := a.subscriptions(ctx, ` WHERE kind IN ('clause', 'keyword')`)
	if err != nil {
		return err
	}
	var out []alert
	for _, s := range subs {
		if body := c.body(s); body != "" && (c.At.IsZero() || s.created <= c.At.UnixMilli()) {
			out = append(out, alert{subscription: s.id, event: "published " + c.ID, body: body, internal: c.Internal})
		}
	}
	return a.announce(out)
}

// body is what s is told of c; empty when c does not touch it.
func (c Change) body(s subscription) string {
	t := tongueOf(s.value)
	var b strings.Builder
	for _, cl := range c.Clauses {
		if !c.touches(s, cl) {
			continue
		}
		key := "alert.changed"
		switch {
		case cl.Before == "":
			key = "alert.added"
		case cl.After == "":
			key = "alert.removed"
		}
		b.WriteString("\n" + t.say(key, escape(clamp(cl.Label, maxName))) + difference(cl.Before, cl.After))
	}
	if b.Len() == 0 {
		return ""
	}
	return t.say("alert.published", escape(clamp(c.Document, 300)), escape(cmp.Or(c.Previous, "–")), escape(cmp.Or(c.Version, "–")), s.user, escape(s.value)) + b.String()
}

func (c Change) touches(s subscription, cl ClauseChange) bool {
	if cl.Before == cl.After {
		return false
	}
	if s.kind == onKeyword {
		word := zh.Fold(s.value)
		return strings.Contains(zh.Fold(cl.Before), word) || strings.Contains(zh.Fold(cl.After), word)
	}
	m := clauseRE.FindStringSubmatch(strings.TrimSpace(s.value))
	if m == nil || c.Previous == "" || m[1] != "" && !strings.Contains(zh.Squeeze(zh.Fold(c.Document)), zh.Squeeze(zh.Fold(m[1]))) {
		return false // of a new document nobody can have meant a clause
	}
	_, label, titled := strings.Cut(s.value, "》")
	if !titled {
		label = s.value
	}
	return labelKey(label) == labelKey(cl.Label)
}

// maxDifference is how many units of one clause's difference are shown.
const maxDifference = 1500

// difference is what sentences go (－) and what come (＋).
func difference(before, after string) string {
	was, is := sentences(before), sentences(after)
	keep := common(was, is)
	var b strings.Builder
	i, j := 0, 0
	for _, k := range append(keep, [2]int{len(was), len(is)}) {
		for ; i < k[0]; i++ {
			b.WriteString("\n> －" + escape(was[i]))
		}
		for ; j < k[1]; j++ {
			b.WriteString("\n> ＋" + escape(is[j]))
		}
		i, j = k[0]+1, k[1]+1
	}
	if s := b.String(); width(s) > maxDifference {
		return split(s, maxDifference)[0] + "…"
	}
	return b.String()
}

func sentences(s string) (out []string) {
	r := []rune(s)
	for _, p := range zh.Sentences(s) {
		out = append(out, strings.Join(strings.Fields(string(r[p.Start:p.End])), " "))
	}
	return out
}

// common is a longest common subsequence of a and b, as pairs of places.
func common(a, b []string) (out [][2]int) {
	n := make([][]int, len(a)+1)
	for i := range n {
		n[i] = make([]int, len(b)+1)
	}
	for i := len(a) - 1; i >= 0; i-- {
		for j := len(b) - 1; j >= 0; j-- {
			if a[i] == b[j] {
				n[i][j] = n[i+1][j+1] + 1
			} else {
				n[i][j] = max(n[i+1][j], n[i][j+1])
			}
		}
	}
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			out = append(out, [2]int{i, j})
			i, j = i+1, j+1
		case n[i+1][j] >= n[i][j+1]:
			i++
		default:
			j++
		}
	}
	return out
}

// Crossed tells everybody who subscribed to an indicator that it has crossed
// its target, with the same promise as Published.
func (a *App) Crossed(ctx context.Context, c Crossing) error {
	subs, err := a.subscriptions(ctx, ` WHERE kind='indicator'`)
	if err != nil {
		return err
	}
	var out []alert
	for _, s := range subs {
		if s.value != c.Figure.Code && !strings.Contains(c.Figure.Name, s.value) {
			continue
		}
		t, key := tongueOf(s.value), "alert.fallen"
		if c.Reached {
			key = "alert.reached"
		}
		f := c.Figure
		values := t.say("alert.values", escape(cmp.Or(c.Was, "–")), escape(f.Actual+f.Unit), escape(f.AsOf))
		out = append(out, alert{subscription: s.id, event: "crossed " + c.ID, internal: true, body: t.say(key, s.user, escape(f.Name), escape(goal(f)), values)})
	}
	return a.announce(out)
}

// Mark returns the value that SetMark stored under a name last, by whichever
// replica; empty when there is none. Marks say how far the caller has told of
// publications and crossings.
func (a *App) Mark(ctx context.Context, name string) (value string, err error) {
	err = a.c.DB.QueryRowContext(ctx, `SELECT value FROM slack_marks WHERE name=$1`, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, wrap("mark "+name, err)
}

// SetMark replaces the value old of a mark. Where it has another value by now,
// another replica has been there, and nothing changes.
func (a *App) SetMark(name, old, value string) error {
	return a.inbox.journal.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO slack_marks (name, value) VALUES ($1, $3)
			ON CONFLICT (name) DO UPDATE SET value=excluded.value WHERE slack_marks.value=$2`, name, old, value)
		return err
	})
}

// alert is a message to one subscriber of one event.
type alert struct {
	subscription int64
	event, body  string
	internal     bool
	posting      bool
	created      int64 // Unix milliseconds, like lease
	lease        int64
	to           subscription
}

// announce stores alerts that are not stored yet, and wakes the sender.
func (a *App) announce(alerts []alert) error {
	if len(alerts) == 0 {
		return nil
	}
	err := a.inbox.journal.do(func(tx *sql.Tx) error {
		for _, al := range alerts {
			_, err := tx.Exec(`INSERT INTO slack_alerts (subscription, event, body, internal, created) VALUES ($1,$2,$3,$4,$5) ON CONFLICT DO NOTHING`,
				al.subscription, al.event, al.body, al.internal, a.now().UnixMilli())
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("announce: %w", err)
	}
	select {
	case a.wake <- struct{}{}:
	default:
	}
	return nil
}

// alertLoop sends what is to be sent, and takes over what a replica that died
// has left.
func (a *App) alertLoop(ctx context.Context) {
	for ctx.Err() == nil {
		al, ok, err := a.nextAlert()
		if err != nil {
			a.log.Error("cannot read alerts", "error", err)
		}
		if !ok {
			t := time.NewTimer(min(a.c.Lease/2, 5*time.Second))
			select {
			case <-ctx.Done():
			case <-a.wake:
			case <-t.C:
			}
			t.Stop()
			continue
		}
		if err := a.send(ctx, al); err != nil {
			a.log.Warn("cannot send an alert", "channel", al.to.channel, "error", redact(err))
		}
	}
}

// nextAlert takes the oldest alert that nobody is sending. One that fails is
// taken again when its lease has passed.
func (a *App) nextAlert() (al alert, ok bool, err error) {
	err = a.inbox.journal.do(func(tx *sql.Tx) error {
		err := tx.QueryRow(`UPDATE slack_alerts SET owner=$1, lease=$2 WHERE (subscription, event) IN
			(SELECT subscription, event FROM slack_alerts WHERE state='pending' AND lease < $3 ORDER BY created LIMIT 1)
			RETURNING subscription, event, body, internal, posting, created, lease`, a.inbox.owner, a.inbox.until(), a.now().UnixMilli()).
			Scan(&al.subscription, &al.event, &al.body, &al.internal, &al.posting, &al.created, &al.lease)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		ok = err == nil
		if !ok {
			return err
		}
		s := &al.to
		err = tx.QueryRow(`SELECT id, team, channel, usr, kind, value FROM slack_subscriptions WHERE id=$1`, al.subscription).
			Scan(&s.id, &s.team, &s.channel, &s.user, &s.kind, &s.value)
		if errors.Is(err, sql.ErrNoRows) { // unsubscribed meanwhile
			return nil
		}
		return err
	})
	return al, ok && err == nil, err
}

// alertLife is how long an alert that cannot be sent is tried again.
const alertLife = 7 * 24 * time.Hour

// send posts one alert, unless it is there already. What is internal goes only
// to whoever is still staff, where only staff read. It ends before the lease
// does and another replica looks for what was posted.
func (a *App) send(ctx context.Context, al alert) error {
	ctx, cancel := context.WithTimeout(ctx, time.UnixMilli(al.lease).Sub(a.now()))
	defer cancel()
	s := al.to
	may, err := a.mayRead(ctx, al)
	switch {
	case s.id == 0 || a.now().Sub(time.UnixMilli(al.created)) > alertLife || isFinal(err) || err == nil && !may:
		return a.setAlert(al, `state='dropped'`)
	case err != nil:
		return err
	}
	id := fmt.Sprintf("%d %s", al.subscription, al.event)
	if al.posting {
		there := false
		err := a.messages(ctx, s.channel, "", strconv.FormatInt(al.created/1000-60, 10), func(m slackgo.Message) { there = there || m.Metadata.EventPayload["alert"] == id })
		switch {
		case isFinal(err):
			return a.setAlert(al, `state='dropped'`)
		case err != nil:
			return err
		case there:
			return a.setAlert(al, `state='sent'`)
		}
	} else if err := a.setAlert(al, `posting=1`); err != nil {
		return err
	}
	m := simple(al.body)
	_, _, err = a.api.PostMessageContext(ctx, s.channel, slackgo.MsgOptionText(clamp(m.text, maxText), false), slackgo.MsgOptionBlocks(m.blocks[:min(len(m.blocks), 4)]...),
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(),
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: mark, EventPayload: map[string]any{"alert": id}}))
	if isFinal(err) {
		return a.setAlert(al, `state='dropped'`)
	}
	if err != nil {
		return wrap("chat.postMessage", err)
	}
	return a.setAlert(al, `state='sent'`)
}

// mayRead reports whether everybody may read an alert where it is to go. That
// nobody can tell now is an error: the alert waits.
func (a *App) mayRead(ctx context.Context, al alert) (bool, error) {
	if !al.internal {
		return true, nil
	}
	if staff, err := a.users.staff(ctx, al.to.user); err != nil || !staff {
		return false, err
	}
	return a.rooms.staffOnly(ctx, al.to.team, al.to.channel)
}

func (a *App) setAlert(al alert, set string) error {
	return a.inbox.journal.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE slack_alerts SET `+set+` WHERE subscription=$1 AND event=$2 AND owner=$3`, al.subscription, al.event, a.inbox.owner)
		return err
	})
}
