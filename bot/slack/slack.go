// Package slack answers in Slack: mentions, threads, direct messages,
// commands, the message shortcut and the app's home, over Socket Mode or the
// Events API. It is the only package that knows slack-go.
//
// What arrives is written to the inbox in the database before it is
// acknowledged, so that each message is answered once whatever is delivered
// twice, in another order, to another replica, or before a crash.
package slack

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
	"zhengda/internal/db"
)

// Corpus finds clauses. A clause that the persona may not see is not found.
type Corpus interface {
	// Clause returns the clause that c cites, in the version that c cites
	// where that is still kept. It gives ErrNotFound when there is none.
	Clause(ctx context.Context, c bot.Citation, p bot.Persona) (Clause, error)
	// Find returns the clauses of the active versions that ref names by
	// label, with or without a document's title; best first, none is no error.
	Find(ctx context.Context, ref string, p bot.Persona) ([]Clause, error)
	// Documents lists the titles of the active documents.
	Documents(ctx context.Context, p bot.Persona) ([]string, error)
}

// ErrNotFound says that there is no such clause or indicator for the persona.
var ErrNotFound = errors.New("not found")

// Clause is a clause with what a reader needs to place it.
type Clause struct {
	DocumentID, Document, Version string
	ID, Label, Title              string
	Path                          []string // chapter headings, outermost first
	Text                          string
	URL                           string
}

// Indicators tells the state of the indicators. To a persona that is not
// internal it gives no actual value.
type Indicators interface {
	List(ctx context.Context, p bot.Persona) ([]bot.Figure, error)
	// Chart draws the indicators with the given codes as a PNG picture.
	Chart(ctx context.Context, codes []string, p bot.Persona) ([]byte, error)
}

// Config is what an App is made of. BotToken, DB and Ask are required, and
// AppToken or SigningSecret.
type Config struct {
	BotToken      string       // xoxb-…
	AppToken      string       // xapp-…; set: Socket Mode
	SigningSecret string       // set: Handler serves the Events API
	APIURL        string       // empty: https://slack.com/api/
	HTTPClient    *http.Client // nil: one with a limit of 30 s a call
	DB            *sql.DB

	// Ask answers; it must return soon after its context ends. It may call
	// Stage with that context.
	Ask func(context.Context, bot.Ask) (bot.Answer, error)
	// AskIn answers from the documents with these titles only; nil: a channel
	// cannot choose its documents.
	AskIn      func(ctx context.Context, a bot.Ask, documents []string) (bot.Answer, error)
	Corpus     Corpus     // nil: citations open with their quote only
	Indicators Indicators // nil: none
	Suggested  []string   // questions to begin with

	StaffGroups  []string // user groups, by ID (S…) or handle
	StaffDomains []string // domains of verified e-mail addresses, matched whole

	Timeout    time.Duration // of one answer; 0: 30 s
	StageAfter time.Duration // an answer slower than this shows its stage; 0: 1.5 s
	Workers    int           // answers at once; 0: 4
	PerUser    int           // answers at once for one user; 0: 1
	Queue      int           // questions that one user may have waiting; 0: 10
	Lease      time.Duration // after which another replica takes over; 0: 1 min
	Renew      time.Duration // age at which a socket is replaced; 0: 1 h
	Keep       time.Duration // of questions and answers; 0: 180 days

	Logger *slog.Logger     // nil: none
	Now    func() time.Time // nil: time.Now
}

// App is the assistant in one Slack workspace. It is safe for concurrent use,
// and several of them, in several processes, may share one database.
type App struct {
	c     Config
	api   *slackgo.Client
	log   *slog.Logger
	now   func() time.Time
	self  who
	inbox *inbox
	queue *queue
	users *directory
	rooms rooms
	wake  chan struct{} // the outbox of alerts has something to send
}

// who is the bot's own identity in the workspace.
type who struct {
	mu                    sync.Mutex
	team, user, bot, grid string
	known                 bool
}

// New makes an App and brings its tables up to date. It calls nobody.
func New(c Config) (*App, error) {
	switch {
	case c.BotToken == "":
		return nil, errors.New("slack: 缺少机器人令牌 SLACK_BOT_TOKEN(xoxb-…)")
	case c.AppToken == "" && c.SigningSecret == "":
		return nil, errors.New("slack: 需要 SLACK_APP_TOKEN(Socket Mode)或 SLACK_SIGNING_SECRET(Events API);没有签名密钥就不接收 HTTP 请求")
	case c.DB == nil || c.Ask == nil:
		return nil, errors.New("slack: DB and Ask are required")
	}
	c = c.withDefaults()
	if err := db.Migrate(context.Background(), c.DB, "slack", schema); err != nil {
		return nil, fmt.Errorf("slack: %w", err)
	}
	client := *c.HTTPClient
	client.Transport = newThrottle(client.Transport)
	a := &App{c: c, log: c.Logger, now: c.Now, wake: make(chan struct{}, 1)}
	a.api = slackgo.New(c.BotToken, slackgo.OptionAppLevelToken(c.AppToken), slackgo.OptionAPIURL(c.APIURL),
		slackgo.OptionHTTPClient(&client), slackgo.OptionLog(log.New(io.Discard, "", 0)))
	a.inbox = &inbox{db: c.DB, journal: journal{db: c.DB}, owner: rand.Text(), lease: c.Lease, now: c.Now}
	a.queue = newQueue(c.Workers, c.PerUser, c.Queue)
	a.users = &directory{app: a}
	a.rooms.app = a
	return a, nil
}

func (c Config) withDefaults() Config {
	or := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	orInt := func(n *int, v int) {
		if *n <= 0 {
			*n = v
		}
	}
	or(&c.Timeout, 30*time.Second)
	or(&c.StageAfter, 1500*time.Millisecond)
	or(&c.Lease, time.Minute)
	or(&c.Renew, time.Hour)
	or(&c.Keep, 180*24*time.Hour)
	orInt(&c.Workers, 4)
	orInt(&c.PerUser, 1)
	orInt(&c.Queue, 10)
	if c.APIURL == "" {
		c.APIURL = slackgo.APIURL
	}
	if !strings.HasSuffix(c.APIURL, "/") {
		c.APIURL += "/"
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: 30 * time.Second}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}

// Refused asks Slack once whether it takes the tokens, and returns why not. It
// is nil also when Slack cannot be reached.
func (a *App) Refused(ctx context.Context) error {
	err := a.whoami(ctx)
	if err == nil && a.c.AppToken != "" {
		_, _, err = a.api.StartSocketModeContext(ctx)
	}
	if isAuth(err) {
		return err
	}
	return nil
}

// Run answers until ctx ends, then hands what is unanswered back to the inbox.
// It opens a socket when there is an app token. While Slack cannot be reached,
// or refuses a token, it says so in the log and tries again.
func (a *App) Run(ctx context.Context) {
	a.introduce(ctx)
	var wg sync.WaitGroup
	for range a.c.Workers {
		wg.Go(func() { a.workLoop(ctx) })
	}
	wg.Go(func() { a.sweepLoop(ctx) })
	wg.Go(func() { a.alertLoop(ctx) })
	if a.c.AppToken != "" {
		wg.Go(func() { a.sockets(ctx) })
	}
	wg.Wait()
	a.inbox.release()
}

// introduce learns the bot's own identity.
func (a *App) introduce(ctx context.Context) {
	for wait := time.Second; ; wait = min(2*wait, time.Minute) {
		err := a.whoami(ctx)
		if err == nil || !a.retry(ctx, "auth.test", err, wait) {
			return
		}
	}
}

// retry says why a call failed, waits, and reports whether ctx is still going.
func (a *App) retry(ctx context.Context, call string, err error, wait time.Duration) bool {
	switch {
	case ctx.Err() != nil:
		return false
	case isAuth(err):
		a.log.Error("slack refuses the token: run zhengda doctor, renew the token and restart", "call", call, "error", redact(err), "retry_in", wait)
	default:
		a.log.Warn("slack is out of reach", "call", call, "error", redact(err), "retry_in", wait)
	}
	return sleep(ctx, wait)
}

// whoami asks Slack once who the bot is.
func (a *App) whoami(ctx context.Context) error {
	a.self.mu.Lock()
	defer a.self.mu.Unlock()
	if a.self.known {
		return nil
	}
	r, err := a.api.AuthTestContext(ctx)
	if err != nil {
		return redact(err)
	}
	a.self.team, a.self.user, a.self.bot, a.self.grid = r.TeamID, r.UserID, r.BotID, r.EnterpriseID
	a.self.known = true
	return nil
}

// sleep waits for d and reports whether ctx is still going.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
