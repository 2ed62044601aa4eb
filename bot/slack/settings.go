package slack

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
	"zhengda/internal/zh"
)

// openSettings opens the settings of a channel, to staff.
func (a *App) openSettings(ctx context.Context, c slackgo.SlashCommand, p bot.Persona, t tongue) ([]message, error) {
	switch {
	case isDM(c.ChannelID):
		return []message{simple(t.say("settings.dm"))}, nil
	case !p.Internal():
		return []message{simple(t.say("settings.denied"))}, nil
	}
	r, err := a.rooms.get(ctx, cmp.Or(c.TeamID, a.self.team), c.ChannelID)
	if err != nil {
		return nil, err
	}
	choose := func(name string, now bool, off, on string) slackgo.Block {
		opts := []*slackgo.OptionBlockObject{slackgo.NewOptionBlockObject("off", plainText(t.say(off)), nil), slackgo.NewOptionBlockObject("on", plainText(t.say(on)), nil)}
		e := slackgo.NewRadioButtonsBlockElement(name, opts...)
		if e.InitialOption = opts[0]; now {
			e.InitialOption = opts[1]
		}
		return slackgo.NewInputBlock(name, plainText(t.say("settings."+name)), nil, e)
	}
	blocks := []slackgo.Block{choose("listen", r.all, "settings.mentions", "settings.all"), choose("audience", r.staff, "settings.public", "settings.staff")}
	if a.c.AskIn != nil {
		e := slackgo.NewPlainTextInputBlockElement(nil, "documents")
		e.Multiline, e.InitialValue = true, strings.Join(r.documents, "\n")
		in := slackgo.NewInputBlock("documents", plainText(t.say("settings.documents")), nil, e)
		in.Optional = true
		blocks = append(blocks, in)
	}
	_, err = a.api.OpenViewContext(ctx, c.TriggerID, slackgo.ModalViewRequest{Type: slackgo.VTModal, CallbackID: viewSettings, PrivateMetadata: c.ChannelID,
		Title: plainText(t.say("settings.title")), Submit: plainText(t.say("settings.save")), Close: plainText(t.say("close")), Blocks: slackgo.Blocks{BlockSet: blocks}})
	return nil, wrap("views.open", err)
}

// storeSettings stores what the settings view was submitted with, or returns
// what is wrong with it, for the view to show.
func (a *App) storeSettings(ctx context.Context, c slackgo.InteractionCallback) (any, error) {
	if c.View.State == nil {
		return nil, nil
	}
	v, team, channel := c.View.State.Values, cmp.Or(c.Team.ID, a.self.team), c.View.PrivateMetadata
	refuse := func(block, text string) (any, error) {
		return slackgo.NewErrorsViewSubmissionResponse(map[string]string{block: clamp(text, 200)}), nil
	}
	p := a.users.persona(ctx, c.User.ID, a.foreigner(c))
	if !p.Internal() {
		return refuse("listen", chinese.say("settings.denied"))
	}
	r := room{all: v["listen"]["listen"].SelectedOption.Value == "on", staff: v["audience"]["audience"].SelectedOption.Value == "on",
		documents: lines(v["documents"]["documents"].Value)}
	if r.staff {
		closed, err := a.rooms.closed(ctx, team, channel)
		if err != nil {
			a.log.Warn("cannot tell who reads a channel", "channel", channel, "error", redact(err))
		}
		if !closed {
			return refuse("audience", chinese.say("settings.open"))
		}
	}
	if len(r.documents) > 0 && a.c.Corpus != nil {
		titles, err := a.c.Corpus.Documents(ctx, p)
		if err != nil {
			return nil, fmt.Errorf("list documents: %w", err)
		}
		for _, d := range r.documents {
			if !slices.ContainsFunc(titles, func(s string) bool { return zh.Squeeze(zh.Fold(s)) == zh.Squeeze(zh.Fold(d)) }) {
				return refuse("documents", chinese.say("settings.unknown", d))
			}
		}
	}
	return nil, a.rooms.set(team, channel, c.User.ID, r)
}
