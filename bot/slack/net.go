package slack

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"io"
	"net/http"
	"net/url"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
)

// throttle obeys Slack's limits: after an answer 429 it sends no request of
// that method to that channel before Retry-After has passed, and then sends
// the one that was refused again, until its context ends. An edit is not sent
// again, for its moment has to be reserved anew.
type throttle struct {
	next  http.RoundTripper
	mu    sync.Mutex
	until map[string]time.Time
}

func newThrottle(next http.RoundTripper) *throttle {
	if next == nil {
		next = http.DefaultTransport
	}
	return &throttle{next: next, until: map[string]time.Time{}}
}

// RoundTrip implements http.RoundTripper.
func (t *throttle) RoundTrip(r *http.Request) (*http.Response, error) {
	gate := gateOf(r)
	for {
		if !sleep(r.Context(), t.wait(gate)) {
			return nil, r.Context().Err()
		}
		resp, err := t.next.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusTooManyRequests || r.GetBody == nil {
			return resp, err
		}
		s, _ := strconv.Atoi(resp.Header.Get("Retry-After"))
		t.close(gate, time.Duration(max(s, 1))*time.Second)
		if strings.HasPrefix(gate, methodEdit) {
			return resp, nil
		}
		_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, 64<<10))
		resp.Body.Close()
		body, err := r.GetBody()
		if err != nil {
			return nil, err
		}
		r = r.Clone(r.Context())
		r.Body = body
	}
}

func (t *throttle) wait(gate string) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	d := time.Until(t.until[gate])
	if d <= 0 {
		delete(t.until, gate)
	}
	return max(d, 0)
}

func (t *throttle) close(gate string, d time.Duration) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if u := time.Now().Add(d); u.After(t.until[gate]) {
		t.until[gate] = u
	}
}

const methodEdit = "chat.update"

// gateOf is what Slack counts together: a method, and for messages its channel.
func gateOf(r *http.Request) string {
	method := path.Base(r.URL.Path)
	if !strings.HasPrefix(method, "chat.") || r.GetBody == nil {
		return method
	}
	body, err := r.GetBody()
	if err != nil {
		return method
	}
	defer body.Close()
	b, _ := io.ReadAll(body)
	v, _ := url.ParseQuery(string(b))
	return method + " " + v.Get("channel")
}

// redact takes addresses out of an error, for those of responses and sockets
// are secrets.
func redact(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return errors.New(u.Op + ": " + redactText(u.Err.Error()))
	}
	if err == nil {
		return nil
	}
	if s := redactText(err.Error()); s != err.Error() {
		return errors.New(s)
	}
	return err
}

func redactText(s string) string {
	for _, scheme := range []string{"https://", "http://", "wss://", "ws://"} {
		for {
			i := strings.Index(s, scheme)
			if i < 0 {
				break
			}
			j := strings.IndexAny(s[i:], " \"\n")
			if j < 0 {
				j = len(s) - i
			}
			s = s[:i] + "(address)" + s[i+j:]
		}
	}
	return s
}

// code is Slack's own name of an error, or empty.
func code(err error) string {
	var e slackgo.SlackErrorResponse
	if errors.As(err, &e) {
		return e.Err
	}
	return ""
}

func isAuth(err error) bool {
	switch code(err) {
	case "invalid_auth", "account_inactive", "not_authed", "token_revoked", "token_expired", "not_allowed_token_type":
		return true
	}
	return false
}

// isFinal reports whether Slack will refuse the same message for ever.
func isFinal(err error) bool {
	switch code(err) {
	case "channel_not_found", "is_archived", "not_in_channel", "user_not_in_channel", "thread_not_found", "restricted_action",
		"restricted_action_thread_locked", "restricted_action_read_only_channel", "messages_tab_disabled", "cannot_reply_to_message":
		return true
	}
	return false
}

// isGone reports whether a message to edit or delete is not there to be.
func isGone(err error) bool {
	switch code(err) {
	case "message_not_found", "cant_update_message", "cant_delete_message", "edit_window_closed":
		return true
	}
	return false
}

// isBlocks reports whether Slack dislikes the blocks or the length of a
// message, so that its plain text may still do.
func isBlocks(err error) bool {
	c := code(err)
	return strings.Contains(c, "block") || strings.Contains(c, "table") || c == "msg_too_long" || c == "too_many_attachments" || c == "invalid_arguments" || c == "markdown_text_conflict"
}

// isNetwork reports whether a call failed before Slack could judge it.
func isNetwork(err error) bool {
	var s slackgo.StatusCodeError
	var u *url.Error
	return errors.As(err, &u) || errors.As(err, &s) && s.Code >= 500
}

// unsure reports whether a call that failed may have been carried out.
func unsure(err error) bool {
	if code(err) != "" {
		return false
	}
	var s slackgo.StatusCodeError
	if errors.As(err, &s) {
		return s.Code >= 500
	}
	return err != nil
}

// edit changes a message at a moment at which one of the channel may be edited,
// and again when Slack still finds that too soon.
func (a *App) edit(ctx context.Context, channel, ts string, opts []slackgo.MsgOption) error {
	for delay := time.Duration(0); ; {
		if !a.reserve(ctx, channel, delay, false) {
			return cmp.Or(ctx.Err(), errLost)
		}
		_, _, _, err := a.api.UpdateMessageContext(ctx, channel, ts, opts...)
		var limited *slackgo.RateLimitedError
		if !errors.As(err, &limited) {
			return wrap(methodEdit, err)
		}
		delay = max(limited.RetryAfter, time.Second)
	}
}

// reserve waits for a moment, not before delay has passed, at which a message
// of the channel may be edited: less than one a second by all replicas
// together. With skip it gives up unless that is now.
func (a *App) reserve(ctx context.Context, channel string, delay time.Duration, skip bool) bool {
	var at int64
	now := a.now().UnixMilli()
	err := a.inbox.journal.do(func(tx *sql.Tx) error {
		err := tx.QueryRow(`SELECT next FROM slack_edits WHERE channel=$1`, channel).Scan(&at)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return err
		}
		if at = max(at, now+delay.Milliseconds()); skip && at > now {
			return errSkipped
		}
		_, err = tx.Exec(`INSERT INTO slack_edits (channel, next) VALUES ($1, $2)
			ON CONFLICT (channel) DO UPDATE SET next=excluded.next`, channel, at+editEvery.Milliseconds())
		return err
	})
	return err == nil && sleep(ctx, time.Duration(at-now)*time.Millisecond)
}

// editEvery is the time between two edits in a channel. Slack counts arrivals,
// which the network may crowd together, and takes about 50 a minute.
const editEvery = 1250 * time.Millisecond

var errSkipped = errors.New("skipped")
