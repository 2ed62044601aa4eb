package slack

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
	"zhengda/internal/db"
)

// asker answers with a fixed answer and keeps what it was asked.
type asker struct {
	mu     sync.Mutex
	asked  []bot.Ask
	answer func(context.Context, bot.Ask) (bot.Answer, error)
}

func (k *asker) Ask(ctx context.Context, q bot.Ask) (bot.Answer, error) {
	k.mu.Lock()
	k.asked = append(k.asked, q)
	k.mu.Unlock()
	if k.answer != nil {
		return k.answer(ctx, q)
	}
	return sample(q), nil
}

func (k *asker) all() []bot.Ask {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]bot.Ask(nil), k.asked...)
}

// sample is an answer with two citations.
func sample(q bot.Ask) bot.Answer {
	return bot.Answer{Question: q.Question, Status: bot.Answered, Text: "答“" + q.Question + "”:开展试点。[1]并支持转化。[2]",
		Citations: []bot.Citation{
			{N: 1, DocumentID: "d", Document: "工作要点", Version: "v1", ClauseID: "d#17", Label: "第17条", Clause: 17, Path: []string{"六、生态"}, Quote: "开展试点。"},
			{N: 2, DocumentID: "d", Document: "工作要点", Version: "v1", ClauseID: "d#18", Label: "第18条", Clause: 18, Quote: "支持转化。"}},
		Followups: []string{"还有哪些条款?"}}
}

// withFigure is an answer with an actual value for staff, without for others.
func withFigure(q bot.Ask) bot.Answer {
	f := bot.Figure{Code: "gaoqi", Name: "高企总数", Unit: "家", Comparator: ">=", Target: "13000"}
	text := "目标13000家。[1]"
	if q.Persona.Internal() {
		f.Actual, f.Gap, f.AsOf, f.Source, f.Progress = "12100", "900", "2024-09-30", "统计", "93.1%"
		text = "目标13000家,现有12100家,还差900家。[1]"
	}
	a := sample(q)
	a.Text, a.Figures, a.Citations = text, []bot.Figure{f}, a.Citations[:1]
	return a
}

// shelf is a Corpus of two clauses, the second internal.
type shelf struct{}

func (shelf) Clause(_ context.Context, c bot.Citation, p bot.Persona) (Clause, error) {
	if c.ClauseID == "d#internal" && !p.Internal() {
		return Clause{}, ErrNotFound
	}
	return Clause{Document: c.Document, Version: c.Version, Label: c.Label, Path: []string{"六、生态"}, Text: "全文:" + strings.Repeat("本条甚长。", 900)}, nil
}

func (s shelf) Find(ctx context.Context, ref string, p bot.Persona) ([]Clause, error) {
	if !strings.Contains(ref, "17") {
		return nil, nil
	}
	c, err := s.Clause(ctx, bot.Citation{Document: "工作要点", Version: "v1", Label: "第17条"}, p)
	return []Clause{c}, err
}

func (shelf) Documents(context.Context, bot.Persona) ([]string, error) {
	return []string{"工作要点"}, nil
}

// gauges is an Indicators that gives actual values to everybody, which the App
// must not pass on.
type gauges struct{}

func (gauges) List(_ context.Context, p bot.Persona) ([]bot.Figure, error) {
	return withFigure(bot.Ask{Persona: bot.Staff}).Figures, nil
}

func (gauges) Chart(context.Context, []string, bot.Persona) ([]byte, error) {
	return []byte("\x89PNG"), nil
}

var (
	_ Corpus     = shelf{}
	_ Indicators = gauges{}
)

// rig is an App on a fake Slack, over real sockets.
type rig struct {
	*fake
	app   *App
	db    *sql.DB
	asker *asker
	log   *logged
	stop  func()
}

// logged collects what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func newRig(t testing.TB, change func(*Config)) *rig {
	t.Helper()
	f := newFake(t)
	f.users["USTAFF"] = slackgo.User{ID: "USTAFF", TeamID: fakeTeam, IsEmailConfirmed: true, Profile: slackgo.UserProfile{Email: "a@xa.gov.cn"}}
	f.users["U1"] = slackgo.User{ID: "U1", TeamID: fakeTeam}
	f.users["U2"] = slackgo.User{ID: "U2", TeamID: fakeTeam}
	return rigOn(t, f, filepath.Join(t.TempDir(), "x.db"), change)
}

// migrated is a new database with the tables of this package.
func migrated(t testing.TB) *sql.DB {
	t.Helper()
	d, err := db.Open(filepath.Join(t.TempDir(), "x.db"))
	if err == nil {
		err = db.Migrate(t.Context(), d, "slack", schema)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

func rigOn(t testing.TB, f *fake, path string, change func(*Config)) *rig {
	t.Helper()
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	r := &rig{fake: f, db: d, asker: &asker{}, log: &logged{}}
	c := Config{BotToken: "xoxb-1", AppToken: "xapp-1", SigningSecret: "0123456789abcdef0123456789abcdef", APIURL: f.GetAPIURL(), DB: d, Ask: r.asker.Ask,
		Corpus: shelf{}, Indicators: gauges{}, Suggested: []string{"先投后股支持什么?"}, StaffDomains: []string{"xa.gov.cn"},
		Logger: slog.New(slog.NewTextHandler(r.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	if change != nil {
		change(&c)
	}
	if r.app, err = New(c); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { r.app.Run(ctx) })
	r.stop = sync.OnceFunc(func() {
		cancel()
		running.Wait()
		d.Close()
	})
	t.Cleanup(func() {
		r.stop()
		if bad := f.faults(); len(bad) > 0 {
			t.Errorf("beyond Slack's limits: %v", bad)
		}
	})
	return r
}

// answered waits until a message has its result, and returns what stands.
func (r *rig) answered(t testing.TB, channel, ts string) []fakeMessage {
	t.Helper()
	var state string
	eventually(t, "an answer to "+ts, func() bool {
		err := r.db.QueryRow(`SELECT state FROM slack_inbox WHERE channel=$1 AND ts=$2`, channel, ts).Scan(&state)
		return err == nil && state == stateDone
	})
	return r.answersTo(channel, ts)
}

// idle waits until nothing is being worked on. What was acknowledged before and
// has not been begun then never will be, for work is queued first.
func (r *rig) idle(t testing.TB) {
	t.Helper()
	eventually(t, "an end of the work", func() bool {
		r.app.queue.mu.Lock()
		defer r.app.queue.mu.Unlock()
		return len(r.app.queue.jobs) == 0
	})
}

var _ http.RoundTripper = (*throttle)(nil)

func hmacHex(secret, s string) string {
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte(s))
	return hex.EncodeToString(h.Sum(nil))
}
