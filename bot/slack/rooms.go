package slack

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

// room is how the bot behaves in one channel.
type room struct {
	all       bool     // answers every question, not only mentions
	staff     bool     // internal figures may be shown
	documents []string // titles to answer from; nil: all
}

// rooms keeps the settings of channels, with a short memory: a change reaches
// every replica within roomTTL.
type rooms struct {
	app *App
	mu  sync.Mutex
	m   map[key]remembered
}

type remembered struct {
	room
	closed bool // a private channel of the own organisation
	until  time.Time
	asked  time.Time // when closed was asked for
}

const (
	roomTTL   = 5 * time.Second
	closedTTL = 5 * time.Minute
)

// get returns the settings of a channel; the zero room when it has none.
func (r *rooms) get(ctx context.Context, team, channel string) (room, error) {
	now, k := r.app.now(), key{Team: team, Channel: channel}
	r.mu.Lock()
	got, ok := r.m[k]
	r.mu.Unlock()
	if ok && now.Before(got.until) {
		return got.room, nil
	}
	var listen, audience, documents string
	err := r.app.c.DB.QueryRowContext(ctx, `SELECT listen, audience, documents FROM slack_settings WHERE team=$1 AND channel=$2`, team, channel).
		Scan(&listen, &audience, &documents)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return room{}, fmt.Errorf("settings of %s: %w", channel, err)
	}
	got.room = room{all: listen == "all", staff: audience == "staff", documents: lines(documents)}
	got.until = now.Add(roomTTL)
	r.remember(k, got)
	return got.room, nil
}

func (r *rooms) remember(k key, v remembered) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.m == nil || len(r.m) > 10_000 {
		r.m = map[key]remembered{}
	}
	r.m[k] = v
}

// set stores the settings of a channel.
func (r *rooms) set(team, channel, user string, v room) error {
	listen, audience := "mentions", "public"
	if v.all {
		listen = "all"
	}
	if v.staff {
		audience = "staff"
	}
	err := r.app.inbox.journal.doFirst(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO slack_settings (team, channel, listen, audience, documents, changed_by, changed) VALUES ($1,$2,$3,$4,$5,$6,$7)
			ON CONFLICT (team, channel) DO UPDATE SET listen=excluded.listen, audience=excluded.audience, documents=excluded.documents,
			changed_by=excluded.changed_by, changed=excluded.changed`, team, channel, listen, audience, strings.Join(v.documents, "\n"), user, r.app.now().UnixMilli())
		return err
	})
	r.mu.Lock()
	delete(r.m, key{Team: team, Channel: channel})
	r.mu.Unlock()
	return err
}

// internal reports whether everybody who reads the channel may see internal
// figures: a direct message of a member of staff, or a channel set to staff
// that is still private and of the own organisation alone.
// What cannot be looked up is not.
func (r *rooms) internal(ctx context.Context, team, channel string) bool {
	ok, err := r.staffOnly(ctx, team, channel)
	if err != nil {
		r.app.log.Warn("cannot tell who reads a channel", "channel", channel, "error", redact(err))
	}
	return ok
}

func (r *rooms) staffOnly(ctx context.Context, team, channel string) (bool, error) {
	if isDM(channel) {
		return true, nil
	}
	s, err := r.get(ctx, team, channel)
	if err != nil || !s.staff {
		return false, err
	}
	return r.closed(ctx, team, channel)
}

// closed reports whether a channel is private and of the own organisation
// alone.
func (r *rooms) closed(ctx context.Context, team, channel string) (bool, error) {
	now, k := r.app.now(), key{Team: team, Channel: channel}
	r.mu.Lock()
	got := r.m[k]
	r.mu.Unlock()
	if !got.asked.IsZero() && now.Sub(got.asked) < closedTTL {
		return got.closed, nil
	}
	c, err := r.app.api.GetConversationInfoContext(ctx, &slackgo.GetConversationInfoInput{ChannelID: channel})
	if err != nil {
		return false, fmt.Errorf("conversations.info: %w", err)
	}
	got.closed = c.IsPrivate && !c.IsShared && !c.IsExtShared && !c.IsPendingExtShared && !c.IsMpIM
	got.asked = now
	r.remember(k, got)
	return got.closed, nil
}

// isDM reports whether a channel is a direct message with the bot.
func isDM(channel string) bool { return strings.HasPrefix(channel, "D") }

// lines are the lines of s that are not empty.
func lines(s string) (out []string) {
	for l := range strings.Lines(s) {
		if l = strings.Trim(strings.TrimSpace(l), "《》"); l != "" {
			out = append(out, l)
		}
	}
	return out
}
