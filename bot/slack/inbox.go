package slack

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
)

// key names one message for good: its timestamp is unique in its channel. The
// thread's timestamp is no part of it, for a thread holds many questions.
type key struct{ Team, Channel, TS string }

// Kinds of items.
const (
	kindMessage = "message" // posted in a channel or a direct message
	kindButton  = "button"  // a suggested question that somebody pressed
	kindCommand = "command" // /zhengda 问, or the message shortcut
)

// claim is an item that a replica has taken.
type claim struct {
	key
	user string
}

// item is one message of the inbox.
type item struct {
	key
	Kind      string
	Thread    string // the thread that the answer belongs in; in direct messages too
	User      string
	Text      string // as typed, in Slack's own escaping
	Rev       string // timestamp of the last edit; empty: never edited
	Reply     string // the address that answers a command; a secret
	Foreigner bool   // the author belongs to another organisation
	Deleted   bool
	Uncalled  bool // of an arrival: for the bot only if its thread is one that it follows

	state    string
	owner    string
	stopped  bool
	attempts int
	lease    time.Time // until when the owner has it
	posting  bool      // a message may have been posted that parts does not hold
	told     string    // the revision whose private answer has been sent
	parts    []string  // timestamps of the messages that hold the answer, in order
}

// The states of an item.
const (
	statePending = "pending" // somebody has it, or must take it
	stateWaiting = "waiting" // a reply in a thread that nobody has asked in yet
	stateDone    = "done"
)

// inbox keeps every message that calls the bot, one row a message. A row is
// taken by its owner for a lease; an owner that dies loses it to whoever looks
// next. Edits and deletions change the row, so that it does not matter in
// which order they come.
type inbox struct {
	db      *sql.DB
	journal journal
	owner   string
	lease   time.Duration
	now     func() time.Time
}

// waitFor is how long a reply waits for the question that opens its thread,
// which may have been delivered later.
const waitFor = 10 * time.Minute

// until is the end of a lease that begins now, in Unix milliseconds.
func (b *inbox) until() int64 { return b.now().Add(b.lease).UnixMilli() }

// put stores what has arrived and returns the messages that this replica must
// now work on: it, replies that waited for it, or none when another replica
// has it or nothing is new. It returns when the row is on disk.
func (b *inbox) put(it item) (mine []claim, err error) {
	// Most of what arrives has arrived before, and need not wait to be written.
	if old, err := scanItem(b.db.QueryRow(selectItem+byKey, it.Team, it.Channel, it.TS)); err == nil && old.knows(it) {
		return nil, nil
	}
	err = b.journal.doFirst(func(tx *sql.Tx) (err error) {
		mine, err = b.putTx(tx, it)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("inbox %s %s: %w", it.Channel, it.TS, err)
	}
	return mine, nil
}

func (b *inbox) putTx(tx *sql.Tx, it item) ([]claim, error) {
	old, err := scanItem(tx.QueryRow(selectItem+byKey, it.Team, it.Channel, it.TS))
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return b.insert(tx, it)
	case err != nil:
		return nil, err
	case old.knows(it):
		return nil, nil
	case it.Deleted:
		if old.state == stateWaiting {
			return nil, b.set(tx, it.key, `deleted=1, text='', state='done'`)
		}
		return b.retake(tx, old, `deleted=1, text=''`)
	case old.state == stateWaiting && it.Uncalled:
		return nil, b.set(tx, it.key, `text=$4, rev=$5`, it.Text, it.Rev)
	case old.state == stateWaiting:
		if it.Rev < old.Rev {
			it.Text, it.Rev = old.Text, old.Rev
		}
		err := b.set(tx, it.key, `text=$4, rev=$5, state='pending', owner=$6, lease=$7`, it.Text, it.Rev, b.owner, b.until())
		if err != nil {
			return nil, err
		}
		return b.follow(tx, it)
	}
	return b.retake(tx, old, `text=$4, rev=$5, stopped=0`, it.Text, it.Rev)
}

// knows reports whether an arrival tells nothing that the row does not hold,
// nor ever will: what is deleted is so for good, and revisions only grow.
func (old item) knows(it item) bool {
	return old.Deleted || !it.Deleted && it.Rev <= old.Rev && (old.state != stateWaiting || it.Uncalled)
}

// insert stores a message that was not known.
func (b *inbox) insert(tx *sql.Tx, it item) ([]claim, error) {
	state := statePending
	switch {
	case it.Deleted:
		state = stateDone
	case it.Uncalled:
		if it.Thread == it.TS {
			return nil, nil
		}
		var since string
		err := tx.QueryRow(`SELECT since FROM slack_threads WHERE team=$1 AND channel=$2 AND thread=$3`, it.Team, it.Channel, it.Thread).Scan(&since)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, err
		}
		if err != nil || it.TS < since {
			state = stateWaiting
		}
	}
	owner, lease := "", int64(0)
	if state == statePending {
		owner, lease = b.owner, b.until()
	}
	if it.Deleted {
		it.Text = ""
	}
	_, err := tx.Exec(`INSERT INTO slack_inbox (team, channel, ts, kind, thread, usr, text, rev, reply, foreigner, deleted, state, owner, lease, attempts, created)
		VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,1,$15)`,
		it.Team, it.Channel, it.TS, it.Kind, it.Thread, it.User, it.Text, it.Rev, it.Reply, it.Foreigner, it.Deleted, state, owner, lease, b.now().UnixMilli())
	if err != nil || state != statePending {
		return nil, err
	}
	if !it.Uncalled && it.Kind != kindCommand {
		return b.follow(tx, it)
	}
	return []claim{{it.key, it.User}}, nil
}

// follow marks the thread of it, which this replica has, as one that the bot
// follows from it on, and takes the later replies that were waiting.
func (b *inbox) follow(tx *sql.Tx, it item) ([]claim, error) {
	_, err := tx.Exec(`INSERT INTO slack_threads (team, channel, thread, since) VALUES ($1,$2,$3,$4)
		ON CONFLICT (team, channel, thread) DO UPDATE SET since = min(since, excluded.since)`, it.Team, it.Channel, it.Thread, it.TS)
	if err != nil {
		return nil, err
	}
	rows, err := tx.Query(`UPDATE slack_inbox SET state='pending', owner=$5, lease=$6
		WHERE team=$1 AND channel=$2 AND thread=$3 AND ts > $4 AND state='waiting' RETURNING team, channel, ts, usr`,
		it.Team, it.Channel, it.Thread, it.TS, b.owner, b.until())
	if err != nil {
		return nil, err
	}
	later, err := scanClaims(rows)
	return append([]claim{{it.key, it.User}}, later...), err
}

// retake changes a known row, and takes it unless somebody is at it, who will
// see the change before finishing.
func (b *inbox) retake(tx *sql.Tx, old item, set string, args ...any) ([]claim, error) {
	if old.state != statePending {
		old.owner = b.owner
		if err := b.set(tx, old.key, `state='pending', owner=$4, lease=$5`, b.owner, b.until()); err != nil {
			return nil, err
		}
	}
	if err := b.set(tx, old.key, set, args...); err != nil || old.owner != b.owner {
		return nil, err
	}
	return []claim{{old.key, old.User}}, nil
}

// set updates the row k; args are $4 and on.
func (b *inbox) set(tx *sql.Tx, k key, set string, args ...any) error {
	_, err := tx.Exec(`UPDATE slack_inbox SET `+set+` WHERE team=$1 AND channel=$2 AND ts=$3`, append([]any{k.Team, k.Channel, k.TS}, args...)...)
	return err
}

// update sets columns of a row that this replica owns. It reports false when
// another replica has taken it over.
func (b *inbox) update(k key, set string, args ...any) (ok bool, err error) {
	err = b.journal.do(func(tx *sql.Tx) error {
		r, err := tx.Exec(`UPDATE slack_inbox SET `+set+` WHERE team=$1 AND channel=$2 AND ts=$3 AND owner=$4`,
			append([]any{k.Team, k.Channel, k.TS, b.owner}, args...)...)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		ok = n > 0
		return err
	})
	return ok, err
}

// finish closes the row as it was when it was worked on. It reports false when
// it was edited, deleted or taken over meanwhile.
func (b *inbox) finish(it item, failure string) (ok bool, err error) {
	parts, err := json.Marshal(it.parts)
	if err != nil {
		return false, err
	}
	err = b.journal.do(func(tx *sql.Tx) error {
		r, err := tx.Exec(`UPDATE slack_inbox SET state=CASE WHEN rev=$5 AND deleted=$6 THEN 'done' ELSE state END,
			parts=$7, posting=0, error=$8 WHERE team=$1 AND channel=$2 AND ts=$3 AND owner=$4 AND state='pending'`,
			it.Team, it.Channel, it.TS, b.owner, it.Rev, it.Deleted, string(parts), failure)
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		var state string
		err = tx.QueryRow(`SELECT state FROM slack_inbox WHERE team=$1 AND channel=$2 AND ts=$3`, it.Team, it.Channel, it.TS).Scan(&state)
		ok = state == stateDone
		return err
	})
	return ok, err
}

// postpone gives the row back until after d, after an attempt that failed for
// the reason why. A row that only changes hands has not been attempted.
func (b *inbox) postpone(k key, d time.Duration, why string) error {
	_, err := b.update(k, `owner='', lease=$5, error=$6, attempts=attempts+1`, b.now().Add(d).UnixMilli(), why)
	return err
}

// load reads a row. ok is false when it is not this replica's to work on.
func (b *inbox) load(ctx context.Context, k key) (it item, ok bool, err error) {
	it, err = scanItem(b.db.QueryRowContext(ctx, selectItem+byKey, k.Team, k.Channel, k.TS))
	if errors.Is(err, sql.ErrNoRows) {
		return it, false, nil
	}
	return it, err == nil && it.state == statePending && it.owner == b.owner, err
}

// sweep renews the leases of this replica, takes over what nobody holds any
// more, and returns everything that this replica now has, oldest first. It
// drops replies that have waited in vain.
func (b *inbox) sweep() (mine []claim, err error) {
	now := b.now()
	err = b.journal.do(func(tx *sql.Tx) error {
		if _, err := tx.Exec(`UPDATE slack_inbox SET owner=$1 WHERE state='pending' AND lease < $2 AND owner <> $1`, b.owner, now.UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.Exec(`UPDATE slack_inbox SET lease=$2 WHERE state='pending' AND owner=$1 AND lease < $3`, b.owner, b.until(), now.Add(b.lease*3/4).UnixMilli()); err != nil {
			return err
		}
		if _, err := tx.Exec(`DELETE FROM slack_inbox WHERE state='waiting' AND created < $1`, now.Add(-waitFor).UnixMilli()); err != nil {
			return err
		}
		rows, err := tx.Query(`SELECT team, channel, ts, usr FROM slack_inbox WHERE state='pending' AND owner=$1 ORDER BY created, ts`, b.owner)
		if err != nil {
			return err
		}
		mine, err = scanClaims(rows)
		return err
	})
	return mine, err
}

// purge forgets what was asked and answered before a moment, the threads of
// which nothing is left, and messages that were deleted longer ago than Slack
// delivers again.
func (b *inbox) purge(before time.Time) error {
	for _, q := range []struct {
		delete string
		before any
	}{
		{`slack_inbox WHERE state='done' AND created < $1`, before.UnixMilli()},
		{`slack_inbox WHERE state='done' AND deleted=1 AND created < $1`, b.now().Add(-24 * time.Hour).UnixMilli()},
		{`slack_answers WHERE created < $1`, before.UnixMilli()},
		{`slack_feedback WHERE created < $1`, before.UnixMilli()},
		{`slack_alerts WHERE state<>'pending' AND created < $1`, before.UnixMilli()},
		{`slack_threads WHERE since < $1 AND NOT EXISTS (SELECT 1 FROM slack_inbox i
			WHERE i.team=slack_threads.team AND i.channel=slack_threads.channel AND i.thread=slack_threads.thread)`, strconv.FormatInt(before.Unix(), 10)},
	} {
		err := b.journal.do(func(tx *sql.Tx) error { // one by one: arrivals go in between
			_, err := tx.Exec(`DELETE FROM `+q.delete, q.before)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// release hands everything that this replica has to the others.
func (b *inbox) release() {
	_ = b.journal.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`UPDATE slack_inbox SET owner='', lease=0 WHERE state='pending' AND owner=$1`, b.owner)
		return err
	})
}

// stop marks what user has running or queued in the channel of k, by any
// replica, beside k itself, and returns it.
func (b *inbox) stop(k key, user string) (stopped []claim, err error) {
	err = b.journal.doFirst(func(tx *sql.Tx) error {
		rows, err := tx.Query(`UPDATE slack_inbox SET stopped=1 WHERE team=$1 AND channel=$2 AND ts<>$3 AND usr=$4 AND state='pending' AND stopped=0
			RETURNING team, channel, ts, usr`, k.Team, k.Channel, k.TS, user)
		if err != nil {
			return err
		}
		stopped, err = scanClaims(rows)
		return err
	})
	return stopped, err
}

// stoppedHere is what this replica has that was stopped, perhaps by another.
func (b *inbox) stoppedHere(ctx context.Context) ([]claim, error) {
	rows, err := b.db.QueryContext(ctx, `SELECT team, channel, ts, usr FROM slack_inbox WHERE state='pending' AND owner=$1 AND stopped=1`, b.owner)
	if err != nil {
		return nil, err
	}
	return scanClaims(rows)
}

const byKey = ` WHERE team=$1 AND channel=$2 AND ts=$3`

const selectItem = `SELECT team, channel, ts, kind, thread, usr, text, rev, reply, foreigner, deleted, stopped, state, owner, lease, attempts, posting, told, parts FROM slack_inbox`

func scanItem(row interface{ Scan(...any) error }) (it item, err error) {
	var parts string
	var lease int64
	err = row.Scan(&it.Team, &it.Channel, &it.TS, &it.Kind, &it.Thread, &it.User, &it.Text, &it.Rev, &it.Reply, &it.Foreigner,
		&it.Deleted, &it.stopped, &it.state, &it.owner, &lease, &it.attempts, &it.posting, &it.told, &parts)
	it.lease = time.UnixMilli(lease)
	if err == nil && parts != "" {
		err = json.Unmarshal([]byte(parts), &it.parts)
	}
	return it, err
}

func scanClaims(rows *sql.Rows) (cs []claim, err error) {
	defer rows.Close()
	for rows.Next() {
		var c claim
		if err := rows.Scan(&c.Team, &c.Channel, &c.TS, &c.user); err != nil {
			return nil, err
		}
		cs = append(cs, c)
	}
	return cs, rows.Err()
}
