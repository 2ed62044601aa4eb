package slack

import (
	"cmp"
	"context"
	"encoding/json"
	"io"
	"log"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
	"github.com/slack-go/slack/socketmode"
)

// grace is how long a socket that has been replaced may still acknowledge.
const grace = 2 * time.Second

// sockets keeps a socket open until ctx ends. It opens the next one before it
// closes one that has reached the age of Renew.
func (a *App) sockets(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	retire := func() {}
	for wait := time.Second; ctx.Err() == nil; {
		sctx, cancel := context.WithCancel(ctx)
		up, down := make(chan struct{}), make(chan error, 1)
		wg.Go(func() { defer cancel(); down <- a.socket(sctx, up) })
		renew := time.NewTimer(a.c.Renew)
		for open := true; open; {
			select {
			case <-up:
				up, wait = nil, time.Second
				retire()
				retire = func() {}
			case <-renew.C:
				open = false
				before := retire // not empty where this socket has never opened
				retire = func() { before(); time.AfterFunc(grace, cancel) }
			case err := <-down:
				open = false
				if a.retry(ctx, "apps.connections.open", err, wait) {
					wait = min(2*wait, time.Minute)
				}
			}
		}
		renew.Stop()
	}
}

// socket runs one socket, which reconnects when Slack asks for it, and closes
// up when it is open for the first time.
func (a *App) socket(ctx context.Context, up chan<- struct{}) error {
	c := socketmode.New(a.api, socketmode.OptionLog(log.New(io.Discard, "", 0)))
	done := make(chan error, 1)
	go func() { done <- c.RunContext(ctx) }()
	limit := make(chan struct{}, 512) // events being stored
	for {
		select {
		case err := <-done:
			return err
		case e := <-c.Events:
			switch e.Type {
			case socketmode.EventTypeConnected:
				if up != nil {
					close(up)
					up = nil
				}
			case socketmode.EventTypeConnectionError:
				if f, ok := e.Data.(*slackgo.ConnectionErrorEvent); ok {
					a.log.Warn("slack socket cannot be opened", "error", redact(f.ErrorObj), "retry_in", f.Backoff)
				}
			case socketmode.EventTypeErrorBadMessage:
				a.ackUnknown(ctx, c, e)
			case socketmode.EventTypeEventsAPI, socketmode.EventTypeSlashCommand, socketmode.EventTypeInteractive:
				limit <- struct{}{}
				go func() {
					defer func() { <-limit }()
					a.envelope(ctx, c, e)
				}()
			}
		}
	}
}

// envelope handles one delivery, and acknowledges it only when what it asks
// for is stored; what is not acknowledged is delivered again.
func (a *App) envelope(ctx context.Context, c *socketmode.Client, e socketmode.Event) {
	var reply any
	var err error
	switch d := e.Data.(type) {
	case slackevents.EventsAPIEvent:
		err = a.event(ctx, d)
	case slackgo.SlashCommand:
		reply, err = a.command(ctx, d)
	case slackgo.InteractionCallback:
		reply, err = a.interaction(ctx, d)
	}
	if err != nil {
		a.log.Error("cannot take a slack event", "type", e.Type, "error", redact(err))
		return
	}
	if err := c.AckCtx(ctx, e.Request.EnvelopeID, reply); err != nil && ctx.Err() == nil {
		a.log.Warn("cannot acknowledge", "error", redact(err))
	}
}

// ackUnknown acknowledges an event of a type that nobody reads, lest it come
// again and again.
func (a *App) ackUnknown(ctx context.Context, c *socketmode.Client, e socketmode.Event) {
	bad, ok := e.Data.(*socketmode.ErrorBadMessage)
	if !ok {
		return
	}
	var env struct {
		EnvelopeID string `json:"envelope_id"`
	}
	if json.Unmarshal(bad.Message, &env) == nil && env.EnvelopeID != "" {
		_ = c.AckCtx(ctx, env.EnvelopeID, nil)
	}
}

// event handles one event of the Events API, by whichever way it came.
func (a *App) event(ctx context.Context, e slackevents.EventsAPIEvent) error {
	if err := a.whoami(ctx); err != nil {
		return err
	}
	ar := a.self.read(e, func(channel string) bool {
		r, err := a.rooms.get(ctx, cmp.Or(e.TeamID, a.self.team), channel)
		return err == nil && r.all
	})
	later := context.WithoutCancel(ctx)
	switch {
	case ar.item != nil:
		return a.take(*ar.item)
	case ar.home != "":
		go a.publishHome(later, ar.home)
	case ar.assistant != nil:
		go a.suggest(later, *ar.assistant)
	}
	return nil
}
