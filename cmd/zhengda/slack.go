package main

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"zhengda/bot"
	"zhengda/bot/slack"
)

// slackSettings is what the variables say of Slack. on is false when no token
// and no secret is set; a part without the rest is an error.
func (a *app) slackSettings() (c slack.Config, on bool, err error) {
	c.APIURL = a.getenv("SLACK_API_URL")
	c.StaffGroups, c.StaffDomains = fields(a.getenv("SLACK_STAFF_GROUPS")), fields(a.getenv("SLACK_STAFF_DOMAINS"))
	for name, to := range map[string]*string{"SLACK_BOT_TOKEN": &c.BotToken, "SLACK_APP_TOKEN": &c.AppToken, "SLACK_SIGNING_SECRET": &c.SigningSecret} {
		if *to, _, err = a.secret(name); err != nil {
			return c, true, err
		}
	}
	switch {
	case c.BotToken == "" && c.AppToken == "" && c.SigningSecret == "":
		return c, false, nil
	case c.BotToken == "":
		return c, true, usage("err.slack_bot")
	case c.AppToken == "" && c.SigningSecret == "":
		return c, true, usage("err.slack_way")
	}
	return c, true, nil
}

// fields are the words of a list separated by commas or spaces.
func fields(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(",,、; \t\n", r) })
}

// channel is the assistant in Slack, with what it must be told of.
type channel struct {
	*slack.App
	s       *answerer
	log     *slog.Logger
	changed chan struct{}     // something was published
	stands  map[string]string // how each indicator stood when last looked at
}

// refusalTime is how long the server waits, before it begins, for Slack to say
// that it takes the tokens. Slack out of reach does not keep it from beginning.
const refusalTime = 5 * time.Second

// channel opens Slack when the variables say so; else it is nil. It fails when
// Slack refuses a token.
func (s *answerer) channel(ctx context.Context, log *slog.Logger) (*channel, error) {
	c, on, err := s.h.a.slackSettings()
	if err != nil || !on {
		return nil, err
	}
	if _, err := s.h.indicators(ctx); err != nil { // opens the database
		return nil, err
	}
	c.DB, c.Logger, c.Now, c.Timeout = s.h.database, log, s.h.a.now, s.limit
	c.Ask, c.AskIn, c.Corpus, c.Indicators = s.ask, s.askIn, shelf{s}, gauges{s}
	if c.Suggested, err = s.suggested(ctx); err != nil {
		return nil, err
	}
	app, err := slack.New(c)
	if err != nil {
		return nil, err
	}
	asking, cancel := context.WithTimeout(ctx, refusalTime)
	defer cancel()
	if err := app.Refused(asking); err != nil {
		return nil, failed("err.slack_refused", err.Error())
	}
	way := "Socket Mode"
	if c.AppToken == "" {
		way = "Events API: /slack/events, /slack/commands, /slack/interactivity"
	}
	s.h.a.note("serve.slack", way)
	return &channel{App: app, s: s, log: log, changed: make(chan struct{}, 1), stands: map[string]string{}}, nil
}

// run answers in Slack, and tells of changes, until ctx ends.
func (c *channel) run(ctx context.Context) {
	var watching sync.WaitGroup
	watching.Go(func() { c.watch(ctx) })
	c.Run(ctx)
	watching.Wait()
}

// suggested are the questions to begin with that the documents answer: those
// of the file suggested.txt in the data folder, one a line, else the built-in
// ones.
func (s *answerer) suggested(ctx context.Context) (out []string, err error) {
	text := strings.ReplaceAll(chinese.say("slack.suggested"), "|", "\n")
	name := filepath.Join(s.h.dir, "suggested.txt")
	b, err := os.ReadFile(name)
	switch {
	case err == nil:
		text = string(b)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, usage("err.config", name, err.Error())
	}
	builtin := bot.New(bot.Config{Index: s.index, Lexicon: s.h.lexicon, KPI: s.h.figures, Now: s.h.a.now})
	for q := range strings.Lines(text) {
		if q = strings.TrimSpace(q); q == "" || q[0] == '#' {
			continue
		}
		a, err := builtin.Ask(ctx, bot.Ask{Question: q, Persona: bot.Enterprise})
		if err != nil {
			return nil, err
		}
		if a.Status == bot.Answered {
			out = append(out, q)
		}
	}
	return out, nil
}

// askIn answers from the published documents with these titles only.
func (s *answerer) askIn(ctx context.Context, ask bot.Ask, titles []string) (bot.Answer, error) {
	ask.Documents = []string{}
	for _, d := range s.index().Documents() {
		for _, t := range titles {
			if sameTitle(d.Title, t) {
				ask.Documents = append(ask.Documents, d.ID)
			}
		}
	}
	return s.ask(ctx, ask)
}
