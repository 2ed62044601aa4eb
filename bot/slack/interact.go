package slack

import (
	"bytes"
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

// Names of views and of the message shortcut.
const (
	shortcutBasis = "basis"
	viewReason    = "reason"
	viewSettings  = "settings"
)

// interaction handles buttons, modals and the message shortcut. What changes
// something is stored before it returns; what only shows something is done
// afterwards, at once, for Slack's permission to open a view lasts 3 s.
func (a *App) interaction(ctx context.Context, c slackgo.InteractionCallback) (any, error) {
	if err := a.whoami(ctx); err != nil {
		return nil, err
	}
	later := context.WithoutCancel(ctx)
	switch c.Type {
	case slackgo.InteractionTypeMessageAction:
		if c.CallbackID == shortcutBasis {
			return nil, a.basis(later, c)
		}
	case slackgo.InteractionTypeViewSubmission:
		switch c.View.CallbackID {
		case viewReason:
			return nil, a.storeReason(c)
		case viewSettings:
			return a.storeSettings(ctx, c)
		}
	case slackgo.InteractionTypeBlockActions:
		for _, b := range c.ActionCallback.BlockActions {
			if err := a.press(later, c, b); err != nil {
				return nil, err
			}
		}
	}
	return nil, nil
}

// press handles one button.
func (a *App) press(ctx context.Context, c slackgo.InteractionCallback, b *slackgo.BlockAction) error {
	name, _, _ := strings.Cut(b.ActionID, ":")
	team := cmp.Or(c.Team.ID, a.self.team)
	switch name {
	case actFeedback:
		vote, id, _ := strings.Cut(b.Value, ":")
		if err := a.vote(id, c.User.ID, vote == "up", "", ""); err != nil {
			return err
		}
		if vote == "up" {
			go a.tell(ctx, c, a.tongueOf(ctx, id).say("feedback.thanks"))
		} else {
			go a.openReason(ctx, c, id)
		}
	case actAsk:
		return a.askOn(ctx, c, team, b)
	case actClause:
		go a.openClause(ctx, c, b.Value)
	case actChart:
		go a.sendChart(ctx, c, b.Value)
	case actShare:
		return a.pressShare(ctx, c, b.Value)
	case actView:
		go a.view(ctx, c, b.Value)
	}
	return nil
}

// basis asks what a message stands on, for the person who wants to know.
func (a *App) basis(ctx context.Context, c slackgo.InteractionCallback) error {
	text := plain(c.Message.Text)
	if text == "" {
		go a.tell(ctx, c, chinese.say("basis.empty"))
		return nil
	}
	id := "cmd:" + cmp.Or(c.TriggerID, c.ActionTs)
	return a.take(item{key: key{cmp.Or(c.Team.ID, a.self.team), c.Channel.ID, id}, Kind: kindCommand, Thread: id, User: c.User.ID,
		Text: c.Message.Text, Reply: c.ResponseURL, Foreigner: a.foreigner(c)})
}

// askOn takes a suggested question: in its thread, or from the app's home in
// the person's direct messages.
func (a *App) askOn(ctx context.Context, c slackgo.InteractionCallback, team string, b *slackgo.BlockAction) error {
	ts := cmp.Or(b.ActionTs, c.ActionTs, c.TriggerID)
	it := item{Kind: kindButton, User: c.User.ID, Text: escaper.Replace(b.Value), Foreigner: a.foreigner(c)}
	if channel := cmp.Or(c.Channel.ID, c.Container.ChannelID); channel != "" {
		it.key = key{team, channel, ts}
		if c.Container.IsEphemeral && c.ResponseURL != "" { // what one person sees is asked on in private
			it.Kind, it.Thread, it.Reply = kindCommand, ts, c.ResponseURL
			return a.take(it)
		}
		it.Thread = cmp.Or(c.Container.ThreadTs, c.Message.ThreadTimestamp, c.Message.Timestamp, c.Container.MessageTs)
		return a.take(it)
	}
	ch, _, _, err := a.api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{c.User.ID}})
	if err != nil {
		return fmt.Errorf("conversations.open: %w", err)
	}
	it.key = key{team, ch.ID, ts}
	return a.take(it)
}

// foreigner reports whether the person who acts belongs to another organisation.
func (a *App) foreigner(c slackgo.InteractionCallback) bool {
	return c.User.TeamID != "" && c.User.TeamID != a.self.team && c.User.TeamID != a.self.grid
}

// may returns the answer id, if the person who acts may see it. Whoever may
// not is told so, and gets ErrNotFound.
func (a *App) may(ctx context.Context, c slackgo.InteractionCallback, id string) (stored, bot.Persona, error) {
	s, err := a.stored(ctx, id)
	p := a.users.persona(ctx, c.User.ID, a.foreigner(c))
	switch {
	case errors.Is(err, ErrNotFound):
		a.tell(ctx, c, chinese.say("gone"))
	case err == nil && s.private && s.sharedBy == "" && !p.Internal():
		a.tell(ctx, c, tongueOf(s.answer.Question).say("share.denied"))
		err = ErrNotFound
	}
	return s, p, err
}

func (a *App) tongueOf(ctx context.Context, id string) tongue {
	s, _ := a.stored(ctx, id)
	return tongueOf(s.answer.Question)
}

// openClause shows a cited clause in full, as far as the person may see it.
func (a *App) openClause(ctx context.Context, c slackgo.InteractionCallback, value string) {
	id, place, _ := strings.Cut(value, ":")
	s, p, err := a.may(ctx, c, id)
	if err != nil {
		return
	}
	n, err := strconv.Atoi(place)
	if err != nil || n < 0 || n >= len(s.answer.Citations) {
		return
	}
	t, cite := tongueOf(s.answer.Question), s.answer.Citations[n]
	cl := Clause{Document: cite.Document, Version: cite.Version, Label: cite.Label, Title: cite.Title, Path: cite.Path, Text: cite.Quote, URL: cite.URL}
	var ps []piece
	if a.c.Corpus != nil {
		if full, err := a.c.Corpus.Clause(ctx, cite, p); err == nil {
			cl = full
		} else {
			ps = append(ps, small(t.say("clause.old")))
		}
	}
	ps = append(clausePieces(cl, t), ps...)
	blocks := blocksOf(ps)
	a.open(ctx, c.TriggerID, slackgo.ModalViewRequest{Type: slackgo.VTModal, Title: plainText(t.say("clause.title")), Close: plainText(t.say("close")),
		Blocks: slackgo.Blocks{BlockSet: blocks[:min(len(blocks), 100)]}})
}

func blocksOf(ps []piece) (out []slackgo.Block) {
	for _, p := range ps {
		out = append(out, p.block)
	}
	return out
}

func plainText(s string) *slackgo.TextBlockObject {
	return slackgo.NewTextBlockObject(slackgo.PlainTextType, clamp(s, 150), true, false)
}

func (a *App) open(ctx context.Context, trigger string, v slackgo.ModalViewRequest) {
	if _, err := a.api.OpenViewContext(ctx, trigger, v); err != nil {
		a.log.Warn("cannot open a view", "view", v.CallbackID, "error", redact(err))
	}
}

// tell says something to the person who acts, and to nobody else.
func (a *App) tell(ctx context.Context, c slackgo.InteractionCallback, text string) {
	channel := cmp.Or(c.Channel.ID, c.Container.ChannelID)
	if channel == "" {
		return
	}
	if err := a.ephemeral(ctx, channel, threadOf(c), c.User.ID, []message{simple(text)}); err != nil {
		a.log.Warn("cannot tell", "error", redact(err))
	}
}

// threadOf is the thread that a pressed button stands in.
func threadOf(c slackgo.InteractionCallback) string {
	return cmp.Or(c.Container.ThreadTs, c.Message.ThreadTimestamp)
}

// reasons of a bad answer, as stored.
var reasons = []string{"number", "clause", "missed", "stale"}

func (a *App) openReason(ctx context.Context, c slackgo.InteractionCallback, id string) {
	t := a.tongueOf(ctx, id)
	var opts []*slackgo.OptionBlockObject
	for _, r := range reasons {
		opts = append(opts, slackgo.NewOptionBlockObject(r, plainText(t.say("reason."+r)), nil))
	}
	note := slackgo.NewPlainTextInputBlockElement(nil, "note")
	note.Multiline, note.MaxLength = true, 1000
	noteBlock := slackgo.NewInputBlock("note", plainText(t.say("feedback.note")), nil, note)
	noteBlock.Optional = true
	a.open(ctx, c.TriggerID, slackgo.ModalViewRequest{Type: slackgo.VTModal, CallbackID: viewReason, PrivateMetadata: id,
		Title: plainText(t.say("feedback.title")), Submit: plainText(t.say("feedback.send")), Close: plainText(t.say("close")),
		Blocks: slackgo.Blocks{BlockSet: []slackgo.Block{
			slackgo.NewInputBlock("reason", plainText(t.say("feedback.reason")), nil, slackgo.NewRadioButtonsBlockElement("reason", opts...)), noteBlock}}})
}

func (a *App) storeReason(c slackgo.InteractionCallback) error {
	if c.View.State == nil {
		return nil
	}
	reason := c.View.State.Values["reason"]["reason"].SelectedOption.Value
	if !slices.Contains(reasons, reason) {
		reason = ""
	}
	return a.vote(c.View.PrivateMetadata, c.User.ID, false, reason, clamp(c.View.State.Values["note"]["note"].Value, 1000))
}

// vote stores what a person thinks of an answer; the last word counts.
func (a *App) vote(id, user string, good bool, reason, note string) error {
	return a.inbox.journal.doFirst(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO slack_feedback (answer, usr, good, reason, note, created) VALUES ($1,$2,$3,$4,$5,$6)
			ON CONFLICT (answer, usr) DO UPDATE SET good=excluded.good, reason=excluded.reason, note=excluded.note, created=excluded.created`,
			id, user, good, reason, note, a.now().UnixMilli())
		return err
	})
}

// pressShare shows a private answer to everybody in its thread.
func (a *App) pressShare(ctx context.Context, c slackgo.InteractionCallback, id string) error {
	s, p, err := a.may(ctx, c, id)
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	t := tongueOf(s.answer.Question)
	if !p.Internal() {
		a.tell(ctx, c, t.say("share.denied"))
		return nil
	}
	mine, err := a.share(s, c.User.ID)
	if err != nil {
		return err
	}
	for _, m := range mine {
		a.start(m)
	}
	if c.ResponseURL == "" {
		return nil
	}
	go func() {
		_, _, err := a.api.PostMessageContext(ctx, "", slackgo.MsgOptionReplaceOriginal(c.ResponseURL), slackgo.MsgOptionText(t.say("share.done"), false))
		if err != nil {
			a.log.Warn("cannot replace a shared answer", "error", redact(err))
		}
	}()
	return nil
}

// view shows a private answer again, to staff.
func (a *App) view(ctx context.Context, c slackgo.InteractionCallback, id string) {
	s, p, err := a.may(ctx, c, id)
	if err != nil {
		return
	}
	t := tongueOf(s.answer.Question)
	if !p.Internal() {
		a.tell(ctx, c, t.say("share.denied"))
		return
	}
	if err := a.ephemeral(ctx, s.key.Channel, threadOf(c), c.User.ID, render(s.answer, look{id: s.id, tongue: t, share: s.sharedBy == ""})); err != nil {
		a.log.Warn("cannot show an answer again", "error", redact(err))
	}
}

// sendChart draws the figures of an answer and puts the picture into the
// thread. Where others read, actual values go to the person's direct messages,
// those of a shared answer too, for the picture shows more than it; and so does
// the picture of an answer that only the person sees.
func (a *App) sendChart(ctx context.Context, c slackgo.InteractionCallback, id string) {
	ctx, cancel := context.WithTimeout(ctx, a.c.Timeout)
	defer cancel()
	s, p, err := a.may(ctx, c, id)
	if err != nil || a.c.Indicators == nil || len(s.answer.Figures) == 0 {
		return
	}
	t := tongueOf(s.answer.Question)
	channel, thread := s.key.Channel, threadOf(c)
	if c.Container.IsEphemeral && !isDM(channel) || p.Internal() && !a.rooms.internal(ctx, s.key.Team, channel) {
		ch, _, _, err := a.api.OpenConversationContext(ctx, &slackgo.OpenConversationParameters{Users: []string{c.User.ID}})
		if err != nil {
			a.tell(ctx, c, t.say("chart.failed"))
			return
		}
		channel, thread = ch.ID, ""
	}
	if err := a.upload(ctx, s, p, channel, thread, t); err != nil {
		a.log.Warn("cannot send a chart", "error", redact(err))
		a.tell(ctx, c, t.say("chart.failed"))
	}
}

func (a *App) upload(ctx context.Context, s stored, p bot.Persona, channel, thread string, t tongue) error {
	var codes, names []string
	for _, f := range s.answer.Figures {
		codes, names = append(codes, f.Code), append(names, f.Name)
	}
	png, err := a.c.Indicators.Chart(ctx, codes, p)
	if err != nil {
		return fmt.Errorf("chart: %w", err)
	}
	title := clamp(strings.Join(names, "、"), 100)
	_, err = a.api.UploadFileContext(ctx, slackgo.UploadFileParameters{Reader: bytes.NewReader(png), FileSize: len(png), Filename: "chart.png",
		Title: title, AltTxt: t.say("button.chart") + " " + title, Channel: channel, ThreadTimestamp: thread})
	return err
}
