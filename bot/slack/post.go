package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"time"

	slackgo "github.com/slack-go/slack"
)

// Reactions to a question.
const (
	reactWorking = "eyes"
	reactDone    = "white_check_mark"
	reactRefused = "question"
	reactFailed  = "warning"
)

// mark is the metadata of every message that holds an answer: by it an answer
// is found again after a crash between posting and noting that it is posted.
const mark = "zhengda_answer"

func (a *App) options(it item, part int, m message, final bool) []slackgo.MsgOption {
	return []slackgo.MsgOption{
		slackgo.MsgOptionText(clamp(m.text, maxText), false),
		slackgo.MsgOptionBlocks(m.blocks...),
		slackgo.MsgOptionDisableLinkUnfurl(), slackgo.MsgOptionDisableMediaUnfurl(), slackgo.MsgOptionLinkNames(false),
		slackgo.MsgOptionMetadata(slackgo.SlackMetadata{EventType: mark, EventPayload: map[string]any{
			"question": it.TS, "part": part, "revision": it.Rev, "final": final}}),
	}
}

// show makes msgs the answer to a message, in its thread: parts that are there
// are edited in place, missing ones are posted, and those too many deleted. It
// first finds out what an earlier attempt has posted. then is done once they
// stand; it may be nil.
func (a *App) show(ctx context.Context, j *job, it *item, msgs []message, then func() error) error {
	if it.Reply != "" {
		return a.respond(ctx, it.Reply, msgs)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.posted = true
	now, ok, err := a.inbox.load(ctx, it.key)
	switch {
	case err != nil:
		return err
	case !ok:
		return errLost
	case now.Rev != it.Rev || now.Deleted || now.stopped != it.stopped:
		return errChanged
	}
	it.parts = now.parts
	shown := map[int]bool{}
	if now.posting && !j.marked {
		if it.parts, shown, err = a.find(ctx, *it); err != nil {
			return err
		}
	}
	if !now.posting && len(it.parts) < len(msgs) {
		if ok, err := a.inbox.update(it.key, `posting=1`); err != nil || !ok {
			return cmp.Or(err, errLost)
		}
	}
	j.marked = false
	for i := 0; i < len(msgs); i++ {
		if shown[i] {
			continue
		}
		err := a.put(ctx, it, i, msgs[i])
		if isBlocks(err) && msgs[i].blocks != nil {
			a.log.Warn("slack rejects the blocks; sending plain text", "error", redact(err), "channel", it.Channel)
			msgs = append(msgs[:i:i], bare(msgs[i:])...)
			err = a.put(ctx, it, i, msgs[i])
		}
		if err != nil {
			return err
		}
	}
	for _, ts := range it.parts[min(len(msgs), len(it.parts)):] {
		if _, _, err := a.api.DeleteMessageContext(ctx, it.Channel, ts); err != nil && !isGone(err) {
			return fmt.Errorf("chat.delete: %w", err)
		}
	}
	it.parts = it.parts[:min(len(msgs), len(it.parts))]
	if then != nil {
		return then()
	}
	return nil
}

// put edits part i of an answer, or posts it where it is not there.
func (a *App) put(ctx context.Context, it *item, i int, m message) error {
	if i < len(it.parts) {
		err := a.edit(ctx, it.Channel, it.parts[i], a.options(*it, i, m, true))
		if !isGone(err) {
			return err
		}
	}
	ts, err := a.post(ctx, *it, i, m, true)
	if err != nil {
		return err
	}
	if i < len(it.parts) {
		it.parts[i] = ts
	} else {
		it.parts = append(it.parts, ts)
	}
	return nil
}

// post posts part i. When a call may or may not have arrived, it looks before
// it posts again. A call ends with the lease of the message, before another
// replica can look for what was posted.
func (a *App) post(ctx context.Context, it item, i int, m message, final bool) (string, error) {
	opts := append(a.options(it, i, m, final), slackgo.MsgOptionTS(it.Thread))
	for try := 1; ; try++ {
		now, ok, err := a.inbox.load(ctx, it.key)
		if err != nil || !ok {
			return "", cmp.Or(err, errLost)
		}
		held, cancel := context.WithTimeout(ctx, now.lease.Sub(a.now()))
		_, ts, err := a.api.PostMessageContext(held, it.Channel, opts...)
		cancel()
		if err == nil || !unsure(err) || try == 3 || !sleep(ctx, backoff(try-1)/2) {
			return ts, wrap("chat.postMessage", err)
		}
		parts, _, err := a.find(ctx, it)
		if err != nil {
			return "", err
		}
		if i < len(parts) {
			return parts[i], nil
		}
	}
}

// find looks in the thread for the parts of the answer to it. shown are those
// that hold the final words of this revision.
func (a *App) find(ctx context.Context, it item) (parts []string, shown map[int]bool, err error) {
	shown = map[int]bool{}
	err = a.messages(ctx, it.Channel, it.Thread, oldest(it), func(m slackgo.Message) {
		e := m.Metadata.EventPayload
		if m.Metadata.EventType != mark || e["question"] != it.TS {
			return
		}
		n, err := strconv.Atoi(fmt.Sprint(e["part"]))
		if err != nil || n < 0 || n > 100 {
			return
		}
		for len(parts) <= n {
			parts = append(parts, "")
		}
		parts[n] = m.Timestamp
		shown[n] = e["final"] == true && e["revision"] == it.Rev && !it.stopped
	})
	if err != nil {
		return nil, nil, err
	}
	if i := slices.Index(parts, ""); i >= 0 {
		parts = parts[:i] // a later part without an earlier one was never noted
	}
	return parts, shown, nil
}

// oldest is a moment before the answer to it can have been posted; a button's
// own timestamp comes from another clock than the messages'.
func oldest(it item) string {
	if it.Kind == kindMessage {
		return it.TS
	}
	return ""
}

// messages visits those of a thread, or of a channel outside threads, that are
// not older than oldest.
func (a *App) messages(ctx context.Context, channel, thread, oldest string, visit func(slackgo.Message)) error {
	for cursor := ""; ; {
		var msgs []slackgo.Message
		var err error
		if thread != "" {
			p := slackgo.GetConversationRepliesParameters{ChannelID: channel, Timestamp: thread, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true}
			msgs, _, cursor, err = a.api.GetConversationRepliesContext(ctx, &p)
		} else {
			p := slackgo.GetConversationHistoryParameters{ChannelID: channel, Oldest: oldest, Cursor: cursor, Limit: 200, IncludeAllMetadata: true}
			var r *slackgo.GetConversationHistoryResponse
			if r, err = a.api.GetConversationHistoryContext(ctx, &p); err == nil {
				msgs, cursor = r.Messages, r.ResponseMetaData.NextCursor
			}
		}
		if c := code(err); c == "thread_not_found" || c == "message_not_found" {
			return nil
		}
		if err != nil {
			return fmt.Errorf("look for messages: %w", err)
		}
		for _, m := range msgs {
			visit(m)
		}
		if cursor == "" {
			return nil
		}
	}
}

// bare is messages as plain text, each within the limit, with nothing left out.
func bare(msgs []message) (out []message) {
	for _, m := range msgs {
		for _, s := range split(m.text, maxText) {
			out = append(out, message{text: s})
		}
	}
	return out
}

// whisper shows msgs to the asker alone, once: whether they were seen cannot be
// known, and the button of the note shows them again.
func (a *App) whisper(ctx context.Context, it *item, s stored, msgs []message) error {
	if it.told == cmp.Or(it.Rev, "-") {
		return nil
	}
	if ok, err := a.inbox.update(it.key, `told=$5`, cmp.Or(it.Rev, "-")); err != nil || !ok {
		return cmp.Or(err, errLost)
	}
	return a.ephemeral(ctx, it.Channel, it.Thread, s.user, msgs)
}

// ephemeral shows msgs in a thread to one person.
func (a *App) ephemeral(ctx context.Context, channel, thread, user string, msgs []message) error {
	for i := 0; i < len(msgs); i++ {
		m := msgs[i]
		_, err := a.api.PostEphemeralContext(ctx, channel, user, slackgo.MsgOptionText(clamp(m.text, maxText), false), slackgo.MsgOptionBlocks(m.blocks...), slackgo.MsgOptionTS(thread))
		if isBlocks(err) && m.blocks != nil {
			msgs = append(msgs[:i:i], bare(msgs[i:])...)
			i--
			continue
		}
		if err != nil {
			return wrap("chat.postEphemeral", err)
		}
	}
	return nil
}

// maxResponses is how often Slack takes something at the address of a command.
const maxResponses = 5

// respond shows msgs to the person who gave a command.
func (a *App) respond(ctx context.Context, address string, msgs []message) error {
	for i := 0; i < min(len(msgs), maxResponses); i++ {
		m := msgs[i]
		opts := []slackgo.MsgOption{slackgo.MsgOptionText(clamp(m.text, maxText), false), slackgo.MsgOptionResponseURL(address, slackgo.ResponseTypeEphemeral)}
		if len(m.blocks) > 0 {
			opts = append(opts, slackgo.MsgOptionBlocks(m.blocks...))
		}
		_, _, err := a.api.PostMessageContext(ctx, "", opts...)
		if err != nil && m.blocks != nil && !isNetwork(err) {
			msgs = append(msgs[:i:i], bare(msgs[i:])...)
			i--
			continue
		}
		if err != nil {
			return redact(err)
		}
	}
	return nil
}

// retract deletes the answer to a message that was deleted.
func (a *App) retract(ctx context.Context, j *job, it *item) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.posted = true
	now, ok, err := a.inbox.load(ctx, it.key)
	if err != nil || !ok {
		return cmp.Or(err, errLost)
	}
	if it.parts = now.parts; now.posting {
		if it.parts, _, err = a.find(ctx, *it); err != nil {
			return err
		}
	}
	for _, ts := range it.parts {
		if _, _, err := a.api.DeleteMessageContext(ctx, it.Channel, ts); err != nil && !isGone(err) {
			return fmt.Errorf("chat.delete: %w", err)
		}
	}
	it.parts = nil
	return a.forget(it.key)
}

// watch puts 👀 on a message, and returns a function that waits until it is
// there.
func (a *App) watch(ctx context.Context, it item) (wait func()) {
	if it.Kind != kindMessage {
		return func() {}
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.react(ctx, it, reactWorking, true)
	}()
	return func() { <-done }
}

// outcome puts the result of a message on it, and only then takes 👀 away.
func (a *App) outcome(ctx context.Context, it item, name string) {
	if it.Kind != kindMessage {
		return
	}
	a.react(ctx, it, name, true)
	a.react(ctx, it, reactWorking, false)
	if it.Rev == "" && !it.stopped {
		return
	}
	for _, other := range []string{reactDone, reactRefused, reactFailed} {
		if other != name {
			a.react(ctx, it, other, false)
		}
	}
}

// react sets or removes a reaction; failing to do so does no other harm.
func (a *App) react(ctx context.Context, it item, name string, on bool) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	call := a.api.RemoveReactionContext
	if on {
		call = a.api.AddReactionContext
	}
	ref := slackgo.NewRefToMessage(it.Channel, it.TS)
	err := call(ctx, name, ref)
	for try := 1; unsure(err) && try < 4 && sleep(ctx, backoff(try)/8); try++ {
		err = call(ctx, name, ref)
	}
	switch code(err) {
	case "already_reacted", "no_reaction", "message_not_found":
		return
	}
	if err != nil && ctx.Err() == nil {
		a.log.Debug("cannot react", "channel", it.Channel, "error", redact(err))
	}
}

func encode(parts []string) string {
	b, _ := json.Marshal(parts) // strings always encode
	return string(b)
}

func actions(es ...slackgo.BlockElement) slackgo.Block { return slackgo.NewActionBlock("", es...) }

func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", op, err)
}
