package slack

import (
	"strings"
	"testing"
)

// say delivers an event of the Events API.
func (f *fake) say(t testing.TB, event map[string]any) {
	t.Helper()
	f.send(t, "events_api", callback(event))
}

func callback(event map[string]any) map[string]any {
	return map[string]any{"type": "event_callback", "team_id": fakeTeam, "event_id": "Ev1", "event": event}
}

// mention is a mention of the bot, as app_mention.
func mention(channel, ts, thread, user, text string) map[string]any {
	m := map[string]any{"type": "app_mention", "channel": channel, "ts": ts, "user": user, "text": "<@" + fakeBot + "> " + text, "event_ts": ts}
	if thread != "" {
		m["thread_ts"] = thread
	}
	return m
}

// said is a message as the event message.
func said(channel, ts, thread, user, text string) map[string]any {
	m := map[string]any{"type": "message", "channel": channel, "channel_type": "channel", "ts": ts, "user": user, "text": text, "event_ts": ts}
	if strings.HasPrefix(channel, "D") {
		m["channel_type"] = "im"
	}
	if thread != "" {
		m["thread_ts"] = thread
	}
	return m
}

func edited(channel, ts, thread, user, text, at string) map[string]any {
	msg := map[string]any{"type": "message", "user": user, "ts": ts, "text": text, "edited": map[string]any{"user": user, "ts": at}}
	if thread != "" {
		msg["thread_ts"] = thread
	}
	return map[string]any{"type": "message", "subtype": "message_changed", "channel": channel, "channel_type": "channel", "ts": at, "event_ts": at,
		"message": msg, "previous_message": map[string]any{"user": user, "ts": ts, "text": "?"}}
}

func deleted(channel, ts, user string) map[string]any {
	return map[string]any{"type": "message", "subtype": "message_deleted", "channel": channel, "channel_type": "channel", "ts": "1799999999.000001", "event_ts": "1799999999.000001",
		"deleted_ts": ts, "previous_message": map[string]any{"user": user, "ts": ts, "text": "?"}}
}
