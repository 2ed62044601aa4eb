package slack

import (
	"context"
	"time"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

type stageKey struct{}

// Stage tells the person who waits how far an answer is. ctx is the one that
// Config.Ask was called with; with any other it does nothing.
func Stage(ctx context.Context, stage string) {
	if f, ok := ctx.Value(stageKey{}).(func(string)); ok {
		f(stage)
	}
}

func withStage(ctx context.Context, f func(string)) context.Context {
	return context.WithValue(ctx, stageKey{}, f)
}

// stages shows the stage of an answer until ctx ends: at once as the status of
// an assistant thread where that exists, else, when it takes longer than
// StageAfter, by one message that becomes the answer. It returns the function
// that tells the stage.
func (a *App) stages(ctx context.Context, j *job, it item) func(string) {
	t := tongueOf(plain(it.Text))
	told := make(chan string, 4)
	told <- bot.StageSearch
	if it.Reply != "" {
		return func(string) {}
	}
	go func() {
		status := isDM(it.Channel) && it.Kind == kindMessage && it.Thread != it.TS
		slow := time.NewTimer(a.c.StageAfter)
		defer slow.Stop()
		now, late := bot.StageSearch, false
		for {
			select {
			case <-ctx.Done():
				return
			case <-slow.C:
				late = true
			case now = <-told:
			}
			text := t.say("stage." + now)
			if status {
				err := a.api.SetAssistantThreadsStatusContext(ctx, slackgo.AssistantThreadsSetStatusParameters{ChannelID: it.Channel, ThreadTS: it.Thread, Status: text})
				status = err == nil
			}
			if !status && late {
				a.stage(ctx, j, it, text)
			}
		}
	}()
	return func(stage string) {
		if _, ok := texts["stage."+stage]; !ok {
			return
		}
		select {
		case told <- stage:
		default:
		}
	}
}

// stage shows a line where the answer will be: a new message, or an edit of it
// when the channel has had none within a second. Nothing is shown over an
// answer, and failing to show it does no harm.
func (a *App) stage(ctx context.Context, j *job, it item, text string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.posted || ctx.Err() != nil {
		return
	}
	it, ok, err := a.inbox.load(ctx, it.key)
	if err != nil || !ok || it.Deleted || it.stopped {
		return
	}
	if len(it.parts) > 0 {
		if j.placed && a.reserve(ctx, it.Channel, 0, true) {
			_, _, _, _ = a.api.UpdateMessageContext(ctx, it.Channel, it.parts[0], a.options(it, 0, simple(text), false)...)
		}
		return
	}
	if it.posting {
		return // what may be there is looked for when the answer is posted
	}
	// An answer that is ready must not wait for the thread to be told of it.
	ok, err = a.inbox.update(it.key, `posting=1`)
	if err != nil || !ok {
		return
	}
	j.tried = true
	ts, err := a.post(context.WithoutCancel(ctx), it, 0, simple(text), false)
	if err != nil {
		return
	}
	j.placed = true
	_, _ = a.inbox.update(it.key, `posting=0, parts=$5`, encode([]string{ts}))
}
