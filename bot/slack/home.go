package slack

import (
	"context"
	"strconv"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// publishHome draws the app's home for a person: suggested questions, and for
// staff the indicators. A home shows no tables, so they are lines there.
func (a *App) publishHome(ctx context.Context, user string) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	t := chinese
	ps := append(prose(t.say("home.title")), prose(t.say("help"))...)
	if len(a.c.Suggested) > 0 {
		ps = append(ps, prose(t.say("home.suggested"))...)
		for i, q := range a.c.Suggested[:min(len(a.c.Suggested), 10)] {
			ps = append(ps, piece{block: actions(button(actAsk+":"+strconv.Itoa(i), q, q)), units: width(q)})
		}
	}
	if p := a.users.persona(ctx, user, false); p.Internal() {
		fs, err := a.indicators(ctx, "", p)
		if err != nil {
			a.log.Warn("cannot list indicators", "error", redact(err))
		}
		if len(fs) > 0 {
			ps = append(ps, prose(t.say("home.indicators"))...)
		}
		for _, f := range figures(fs, t) {
			ps = append(ps, prose(f.text)...)
		}
	}
	blocks := blocksOf(ps)
	_, err := a.api.PublishViewContext(ctx, slackgo.PublishViewContextRequest{UserID: user,
		View: slackgo.HomeTabViewRequest{Type: slackgo.VTHomeTab, Blocks: slackgo.Blocks{BlockSet: blocks[:min(len(blocks), 100)]}}})
	if err != nil {
		a.log.Warn("cannot publish the home", "error", redact(err))
	}
}

// suggest offers questions to begin an assistant thread with; Slack shows four.
func (a *App) suggest(ctx context.Context, th slackevents.AssistantThread) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	p := slackgo.AssistantThreadsSetSuggestedPromptsParameters{Title: chinese.say("prompts.title"), ChannelID: th.ChannelID, ThreadTS: th.ThreadTimeStamp}
	for _, q := range a.c.Suggested[:min(len(a.c.Suggested), 4)] {
		p.AddPrompt(clamp(q, 60), q)
	}
	if len(p.Prompts) == 0 {
		return
	}
	if err := a.api.SetAssistantThreadsSuggestedPromptsContext(ctx, p); err != nil {
		a.log.Warn("cannot suggest questions", "error", redact(err))
	}
}
