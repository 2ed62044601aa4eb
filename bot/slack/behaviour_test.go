package slack

import (
	"context"
	"fmt"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

const (
	ts1 = "1700000001.000001"
	ts2 = "1700000002.000001"
	ts3 = "1700000003.000001"
)

func TestMentionArrivesTwice(t *testing.T) {
	r := newRig(t, nil)
	for range 3 {
		r.say(t, mention("C1", ts1, "", "U1", "甲?"))
		r.say(t, said("C1", ts1, "", "U1", "<@UBOT> 甲?"))
	}
	r.answered(t, "C1", ts1)
	r.idle(t)
	if n, m := len(r.asker.all()), len(r.answersTo("C1", ts1)); n != 1 || m != 1 {
		t.Errorf("asked %d times, %d answers", n, m)
	}
	if q := r.asker.all()[0]; q.Question != "甲?" || q.Persona != bot.Enterprise {
		t.Errorf("asked %+v", q)
	}
}

func TestDirectMessage(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, said("D1", ts1, "", "U1", "&lt;甲&gt; 补贴"))
	r.answered(t, "D1", ts1)
	r.say(t, said("D1", ts2, "", "U1", "那还差多少"))
	r.answered(t, "D1", ts2)
	if q := r.asker.all(); q[0].Question != "<甲> 补贴" || len(q[1].History) != 2 {
		t.Errorf("asked %+v", q)
	}
}

func TestEditAnsweredInPlace(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	first := r.answered(t, "C1", ts1)
	r.say(t, edited("C1", ts1, "", "U1", "<@UBOT> 乙?", ts2))
	var again []fakeMessage
	eventually(t, "the new answer", func() bool {
		again = r.answersTo("C1", ts1)
		return len(again) == 1 && strings.Contains(again[0].text, "乙")
	})
	if again[0].ts != first[0].ts {
		t.Error("answered anew, not in place")
	}
	r.say(t, mention("C1", ts1, "", "U1", "甲?")) // the first words, delivered late
	r.say(t, edited("C1", ts1, "", "U1", "<@UBOT> 乙?", ts2))
	r.idle(t)
	if n := len(r.asker.all()); n != 2 {
		t.Errorf("asked %d times; want 2", n)
	}
}

func TestEditDuringAnswer(t *testing.T) {
	r := newRig(t, nil)
	var begun atomic.Int32
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		begun.Add(1)
		if strings.Contains(q.Question, "甲") {
			<-ctx.Done()
			return bot.Answer{}, ctx.Err()
		}
		return sample(q), nil
	}
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	eventually(t, "the first question", func() bool { return begun.Load() == 1 })
	r.say(t, edited("C1", ts1, "", "U1", "<@UBOT> 乙?", ts2))
	if got := r.answered(t, "C1", ts1); len(got) != 1 || !strings.Contains(got[0].text, "乙") {
		t.Errorf("answer: %+v", got)
	}
}

func TestDeletedTakesAnswerAlong(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) {
		a := sample(q)
		a.Text = strings.Repeat("很长的话。", 6000)
		return a, nil
	}
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	if n := len(r.answered(t, "C1", ts1)); n < 2 {
		t.Fatalf("%d messages; want several", n)
	}
	r.say(t, map[string]any{"type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel", "ts": ts3, "event_ts": ts3,
		"message": map[string]any{"type": "message", "subtype": "tombstone", "ts": ts1, "user": "USLACKBOT"}, "previous_message": map[string]any{"user": "U1", "ts": ts1, "text": "x"}})
	eventually(t, "no message", func() bool { return len(r.answersTo("C1", ts1)) == 0 })
	eventually(t, "the stored answer to go", func() bool {
		_, err := r.app.stored(context.Background(), answerID(key{fakeTeam, "C1", ts1}, ""))
		return err == ErrNotFound
	})
	r.say(t, deleted("C1", ts2, "U1")) // deleted before it is delivered
	r.say(t, mention("C1", ts2, "", "U1", "乙?"))
	r.idle(t)
	if n := len(r.asker.all()); n != 1 {
		t.Errorf("asked %d times; want 1", n)
	}
}

func TestStop(t *testing.T) {
	r := newRig(t, nil)
	var begun atomic.Int32
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		begun.Add(1)
		<-ctx.Done()
		return bot.Answer{}, ctx.Err()
	}
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	r.say(t, mention("C1", ts2, "", "U1", "乙?"))
	eventually(t, "the first question", func() bool { return begun.Load() == 1 })
	ack := r.send(t, "slash_commands", map[string]any{"command": "/stop", "team_id": fakeTeam, "channel_id": "C1", "user_id": "U1", "trigger_id": "1"})
	if !strings.Contains(string(ack), "2 个") {
		t.Errorf("acknowledged: %s", ack)
	}
	for _, ts := range []string{ts1, ts2} {
		if got := r.answered(t, "C1", ts); len(got) != 1 || !strings.Contains(got[0].text, "已停止") {
			t.Errorf("%s: %+v", ts, got)
		}
	}
	r.say(t, mention("C1", ts3, "", "U1", "停下!"))
	if got := r.answered(t, "C1", ts3); len(got) != 1 || begun.Load() != 1 {
		t.Errorf("a word to stop: %+v, %d questions begun", got, begun.Load())
	}
}

func TestPlaceInQueue(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StageAfter, c.Queue = 30*time.Millisecond, 2 })
	release := make(chan struct{})
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		if q.Question == "5?" { // of another person
			return sample(q), nil
		}
		select {
		case <-release:
		case <-ctx.Done():
		}
		return sample(q), ctx.Err()
	}
	ts := func(i int) string { return fmt.Sprintf("170000000%d.000001", i) }
	for i := range 4 {
		r.say(t, mention("C1", ts(i), "", "U1", fmt.Sprint(i, "?")))
		eventually(t, "the first question", func() bool { return len(r.asker.all()) == 1 })
	}
	r.say(t, mention("C1", ts(5), "", "U2", "5?"))
	if got := r.answered(t, "C1", ts(5)); len(got) != 1 {
		t.Error("one person's questions hold up another's")
	}
	if got := r.answered(t, "C1", ts(3)); !strings.Contains(got[0].text, "已有 2 个问题在排队") {
		t.Errorf("beyond the limit: %s", got[0].text)
	}
	var told []fakeMessage
	eventually(t, "the place", func() bool { told = r.answersTo("C1", ts(2)); return len(told) == 1 })
	if !strings.Contains(told[0].text, "前面还有 2 个") {
		t.Errorf("told: %s", told[0].text)
	}
	close(release)
	for i := range 3 {
		if got := r.answered(t, "C1", ts(i)); len(got) != 1 || !strings.Contains(got[0].text, "第17条") {
			t.Errorf("question %d: %+v", i, got)
		}
	}
}

// TestSlackFails: whatever Slack does, the bot is asked once, and one answer
// stands in the end.
func TestSlackFails(t *testing.T) {
	for _, verdict := range []string{"429", "500", "hang up", "invalid_blocks", "msg_too_long", "internal_error"} {
		t.Run(verdict, func(t *testing.T) {
			r := newRig(t, nil)
			var n atomic.Int32
			r.mu.Lock()
			r.refuse = func(method string, v url.Values) string {
				blocks := v.Get("blocks") != "" && v.Get("blocks") != "[]"
				if method == "chat.postMessage" && (n.Add(1) == 1 || blocks && isBlocks(slackgo.SlackErrorResponse{Err: verdict})) {
					return verdict
				}
				return ""
			}
			r.mu.Unlock()
			r.say(t, mention("C1", ts1, "", "U1", "甲?"))
			got := r.answered(t, "C1", ts1)
			if len(got) != 1 || !strings.Contains(got[0].text, "〔2〕") {
				t.Errorf("%d answers: %+v", len(got), got)
			}
			if n := len(r.asker.all()); n != 1 {
				t.Errorf("asked %d times", n)
			}
		})
	}
}

func TestRetryAfterObeyed(t *testing.T) {
	r := newRig(t, nil)
	var refused, again atomic.Int64
	r.mu.Lock()
	r.refuse = func(method string, v url.Values) string {
		if method != "chat.postMessage" {
			return ""
		}
		if refused.CompareAndSwap(0, time.Now().UnixNano()) {
			return "429"
		}
		again.CompareAndSwap(0, time.Now().UnixNano())
		return ""
	}
	r.mu.Unlock()
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	if got := r.answered(t, "C1", ts1); len(got) != 1 || len(r.asker.all()) != 1 {
		t.Errorf("%d answers, asked %d times", len(got), len(r.asker.all()))
	}
	if d := time.Duration(again.Load() - refused.Load()); d < time.Second {
		t.Errorf("tried again after %v; Retry-After was 1 s", d)
	}
}

func TestAlerts(t *testing.T) {
	f := newFake(t)
	f.users["USTAFF"] = slackgo.User{ID: "USTAFF", TeamID: fakeTeam, IsEmailConfirmed: true, Profile: slackgo.UserProfile{Email: "a@xa.gov.cn"}}
	path := t.TempDir() + "/x.db"
	a, b := rigOn(t, f, path, nil), rigOn(t, f, path, nil)
	eventually(t, "Run", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.conns) == 2 })
	for i, s := range []subscription{{channel: "C1", user: "U1", kind: onClause, value: "《工作要点》第十七条"}, {channel: "C2", user: "U1", kind: onKeyword, value: "先投后股"},
		{channel: "C3", user: "U1", kind: onClause, value: "第99条"}, {channel: "DS", user: "USTAFF", kind: onIndicator, value: "高企"}, {channel: "C4", user: "USTAFF", kind: onIndicator, value: "高企"}} {
		_, err := a.db.Exec(`INSERT INTO slack_subscriptions (id, team, channel, usr, kind, value, created) VALUES ($1,$2,$3,$4,$5,$6,0)`, i+1, fakeTeam, s.channel, s.user, s.kind, s.value)
		if err != nil {
			t.Fatal(err)
		}
	}
	c := Change{ID: "d@2", DocumentID: "d", Document: "西安市工作要点", Previous: "v1", Version: "v2", Clauses: []ClauseChange{
		{Label: "第17条", Before: "不变的话。开展先投后股试点10项。", After: "不变的话。开展先投后股试点20项。"}, {Label: "第18条", After: "先投后股新增。"}}}
	fresh := Change{ID: "e@1", DocumentID: "e", Document: "西安市工作要点(下一年)", Version: "v1", Clauses: []ClauseChange{{Label: "第17条", After: "与谁都无关。"}}}
	if err := a.app.Published(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	x := Crossing{ID: "gaoqi@2024-09-30", Figure: withFigure(bot.Ask{Persona: bot.Staff}).Figures[0], Was: "11000", Reached: true}
	for range 3 {
		for _, r := range []*rig{a, b} {
			if err := r.app.Published(t.Context(), c); err != nil {
				t.Fatal(err)
			}
			if err := r.app.Crossed(t.Context(), x); err != nil {
				t.Fatal(err)
			}
		}
	}
	left := func() (n int) {
		_ = a.db.QueryRow(`SELECT count(*) FROM slack_alerts WHERE state='pending'`).Scan(&n)
		return n
	}
	eventually(t, "alerts", func() bool { return left() == 0 })
	got := map[string][]string{}
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.messages {
		got[m.channel] = append(got[m.channel], m.text)
	}
	for channel, n := range map[string]int{"C1": 1, "C2": 1, "C3": 0, "C4": 0, "DS": 1} {
		if len(got[channel]) != n {
			t.Errorf("%s: %d alerts; want %d: %v", channel, len(got[channel]), n, got[channel])
		}
	}
	all := strings.Join(slices.Concat(got["C1"], got["C2"]), "\n")
	if !strings.Contains(all, "－开展先投后股试点10项") || !strings.Contains(all, "＋开展先投后股试点20项") || strings.Contains(all, "不变") || strings.Contains(got["C1"][0], "第18条") || !strings.Contains(got["C2"][0], "第18条*(新增)") {
		t.Errorf("told: %s", all)
	}
}

func TestEventsAPI(t *testing.T) {
	r := newRig(t, nil)
	h, secret := r.app.Handler(), r.app.c.SigningSecret
	post := func(path, body, secret string, at time.Time) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, signedRequest(path, body, secret, at))
		return w
	}
	if w := post("/slack/events", `{"type":"url_verification","challenge":"abc"}`, secret, time.Now()); !strings.Contains(w.Body.String(), "abc") {
		t.Errorf("challenge: %d %s", w.Code, w.Body)
	}
	event := `{"type":"event_callback","team_id":"T1","event":{"type":"app_mention","channel":"C1","ts":"` + ts1 + `","user":"U1","text":"<@UBOT> 甲?"}}`
	for name, c := range map[string]struct {
		secret string
		age    time.Duration
	}{"wrong secret": {"0000", 0}, "old": {secret, 6 * time.Minute}, "future": {secret, -6 * time.Minute}} {
		if w := post("/slack/events", event, c.secret, time.Now().Add(-c.age)); w.Code != 401 {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	for range 3 {
		if w := post("/slack/events", event, secret, time.Now()); w.Code != 200 {
			t.Errorf("status %d", w.Code)
		}
	}
	if got := r.answered(t, "C1", ts1); len(got) != 1 {
		t.Errorf("%d answers", len(got))
	}
	form := url.Values{"command": {"/zhengda"}, "text": {"帮助"}, "team_id": {fakeTeam}, "channel_id": {"C1"}, "user_id": {"U1"}}.Encode()
	if w := post("/slack/commands", form, secret, time.Now()); w.Code != 200 || !strings.Contains(w.Body.String(), "ephemeral") {
		t.Errorf("command: %d %s", w.Code, w.Body)
	}
	payload := url.Values{"payload": {`{"type":"block_actions","user":{"id":"U1"},"actions":[{"type":"feedback_buttons","action_id":"feedback","block_id":"b","value":"up:x"}]}`}}.Encode()
	if w := post("/slack/interactivity", payload, secret, time.Now()); w.Code != 200 {
		t.Errorf("interactivity: %d %s", w.Code, w.Body)
	}
	if w := post("/slack/events", `{"type":"event_callback","event":{"type":"something_new"}}`, secret, time.Now()); w.Code != 200 {
		t.Errorf("unknown event: %d", w.Code)
	}
	if w := post("/slack/events", strings.Repeat("x", 2<<20), secret, time.Now()); w.Code != 413 {
		t.Errorf("too large: %d", w.Code)
	}
}

// TestSocketRenewed: sockets are replaced without a gap, and a dropped one is
// opened again.
func TestSocketRenewed(t *testing.T) {
	r := newRig(t, func(c *Config) { c.Renew = 300 * time.Millisecond })
	eventually(t, "renewals", func() bool { return r.count("apps.connections.open") >= 3 })
	for i := range 20 {
		if i%7 == 3 {
			r.mu.Lock()
			conns := slices.Clone(r.conns)
			r.mu.Unlock()
			for _, c := range conns {
				r.drop(c)
			}
		}
		ts := fmt.Sprintf("1700000%03d.000001", i)
		eventually(t, "an acknowledgement", func() bool {
			ack := r.deliver(i, "events_api", callback(mention("C1", ts, "", fmt.Sprint("U", i), "甲?")))
			if ack == nil {
				return false
			}
			select {
			case <-ack:
				return true
			case <-time.After(time.Second):
				return false
			}
		})
		if got := r.answered(t, "C1", ts); len(got) != 1 {
			t.Errorf("%d answers", len(got))
		}
	}
}

func TestCheck(t *testing.T) {
	f := newFake(t)
	c := Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: f.GetAPIURL()}
	wrong := func(fs []Finding) (out string) {
		for _, f := range fs {
			if f.What == "" || f.OK == (f.Do != "") {
				t.Errorf("finding %+v", f)
			}
			if !f.OK {
				out += f.What + " → " + f.Do + "\n"
			}
		}
		return out
	}
	if got := wrong(Check(t.Context(), c, false)); !strings.Contains(got, "reactions:write") || strings.Contains(got, "chat:write") || strings.Count(got, "\n") != 1 {
		t.Errorf("scopes: %s", got)
	}
	f.refuse = func(method string, _ url.Values) string { return "invalid_auth" }
	if got := wrong(Check(t.Context(), c, false)); strings.Count(got, "invalid_auth") != 2 {
		t.Errorf("refused: %s", got)
	}
	c.APIURL = "http://127.0.0.1:1/secret/"
	if got := wrong(Check(t.Context(), c, false)); !strings.Contains(got, "检查网络") || strings.Contains(got, "secret") {
		t.Errorf("out of reach: %s", got)
	}
}
