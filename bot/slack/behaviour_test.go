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
	quiet()
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
	quiet()
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
	if _, err := r.app.stored(context.Background(), answerID(key{fakeTeam, "C1", ts1}, "")); err != ErrNotFound {
		t.Errorf("the answer is still stored: %v", err)
	}
	r.say(t, deleted("C1", ts2, "U1")) // deleted before it is delivered
	r.say(t, mention("C1", ts2, "", "U1", "乙?"))
	quiet()
	if n := len(r.asker.all()); n != 1 {
		t.Errorf("asked %d times; want 1", n)
	}
}

func TestStaffFiguresStayPrivate(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) { return withFigure(q), nil }
	r.say(t, mention("C1", ts1, "", "USTAFF", "高企差多少?"))
	note := r.answered(t, "C1", ts1)
	if len(note) != 1 || strings.Contains(note[0].text+note[0].blocks, "12100") || strings.Contains(note[0].text+note[0].blocks, "900") {
		t.Fatalf("in public: %+v", note)
	}
	w := r.whispers()
	if len(w) != 1 || w[0].user != "USTAFF" || w[0].thread != ts1 || !strings.Contains(w[0].blocks, "12100家") || !strings.Contains(w[0].text, "2024-09-30") {
		t.Fatalf("in private: %+v", w)
	}
	id := answerID(key{fakeTeam, "C1", ts1}, "")
	press := func(user, action string) {
		r.send(t, "interactive", map[string]any{"type": "block_actions", "team": map[string]any{"id": fakeTeam}, "user": map[string]any{"id": user}, "channel": map[string]any{"id": "C1"},
			"container": map[string]any{"channel_id": "C1", "message_ts": note[0].ts, "thread_ts": ts1}, "trigger_id": "1.1", "response_url": r.GetAPIURL() + "respond/x",
			"actions": []map[string]any{{"type": "button", "action_id": action, "block_id": "b", "value": id, "action_ts": ts3}}})
	}
	// Another who is not staff sees nothing of it, neither by button nor as
	// what was said before.
	press("U1", actView)
	press("U1", actShare)
	r.say(t, said("C1", ts2, ts1, "U1", "那呢?"))
	r.answered(t, "C1", ts2)
	for _, m := range r.whispers()[1:] {
		if strings.Contains(m.text+m.blocks, "12100") {
			t.Errorf("%s sees %s", m.user, m.text)
		}
	}
	if h := r.asker.all()[1].History; len(h) != 0 {
		t.Errorf("told before: %+v", h)
	}
	press("USTAFF", actShare)
	press("USTAFF", actShare)
	eventually(t, "the shared answer", func() bool {
		got := r.answersTo("C1", ts1)
		return len(got) == 1 && strings.Contains(got[0].blocks, "12100家") && got[0].ts == note[0].ts
	})
	if n := len(r.asker.all()); n != 2 {
		t.Errorf("asked %d times; want 2", n)
	}
}

func TestStaffChannel(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) { return withFigure(q), nil }
	private := slackgo.Channel{}
	private.ID, private.IsPrivate = "G1", true
	shared := slackgo.Channel{}
	shared.ID, shared.IsPrivate, shared.IsExtShared = "G2", true, true
	r.channels["G1"], r.channels["G2"] = private, shared
	for _, ch := range []string{"G1", "G2"} {
		if err := r.app.rooms.set(fakeTeam, ch, "USTAFF", room{staff: true}); err != nil {
			t.Fatal(err)
		}
		r.say(t, mention(ch, ts1, "", "USTAFF", "高企差多少?"))
		got := r.answered(t, ch, ts1)
		if open := strings.Contains(got[0].text, "12100"); open != (ch == "G1") {
			t.Errorf("%s: shown openly %v", ch, open)
		}
	}
}

func TestWhoIsStaff(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StaffGroups = []string{"@s1"} })
	r.groups["S1"] = []string{"UGROUP", "UGUEST", "UELSEWHERE", "USTRANGER"}
	member := slackgo.User{TeamID: fakeTeam, IsEmailConfirmed: true}
	with := func(change func(*slackgo.User)) slackgo.User { u := member; change(&u); return u }
	r.users["UGROUP"] = member
	r.users["UGUEST"] = with(func(u *slackgo.User) { u.IsRestricted = true })
	r.users["UULTRA"] = with(func(u *slackgo.User) { u.IsUltraRestricted = true; u.Profile.Email = "a@xa.gov.cn" })
	r.users["UELSEWHERE"] = with(func(u *slackgo.User) { u.TeamID = "T2"; u.Profile.Email = "a@xa.gov.cn" })
	r.users["USTRANGER"] = with(func(u *slackgo.User) { u.IsStranger = true })
	r.users["UUNVERIFIED"] = with(func(u *slackgo.User) { u.IsEmailConfirmed = false; u.Profile.Email = "a@xa.gov.cn" })
	r.users["UDOMAIN"] = with(func(u *slackgo.User) { u.Profile.Email = "B@XA.gov.cn" })
	r.users["UEVIL"] = with(func(u *slackgo.User) { u.Profile.Email = "a@evil-xa.gov.cn" })
	r.users["USUB"] = with(func(u *slackgo.User) { u.Profile.Email = "a@xa.gov.cn.evil.com" })
	eventually(t, "Run", func() bool { r.app.self.mu.Lock(); defer r.app.self.mu.Unlock(); return r.app.self.known })
	for user, want := range map[string]bool{"UGROUP": true, "UDOMAIN": true, "UGUEST": false, "UULTRA": false, "UELSEWHERE": false, "USTRANGER": false,
		"UUNVERIFIED": false, "UEVIL": false, "USUB": false, "UNOBODY": false} {
		if got := r.app.users.persona(context.Background(), user, false).Internal(); got != want {
			t.Errorf("%s: staff %v", user, got)
		}
	}
	if r.app.users.persona(context.Background(), "UDOMAIN", true).Internal() {
		t.Error("a member of another organisation is staff")
	}
}

func TestFeedback(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	r.answered(t, "C1", ts1)
	id := answerID(key{fakeTeam, "C1", ts1}, "")
	r.send(t, "interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": "U1"}, "channel": map[string]any{"id": "C1"}, "trigger_id": "1.1",
		"actions": []map[string]any{{"type": "feedback_buttons", "action_id": actFeedback, "block_id": "b", "value": "down:" + id}}})
	eventually(t, "the view", func() bool { return len(r.opened()) == 1 })
	for _, reason := range []string{"错数字", "错条款", "没答到", "过期"} {
		if !strings.Contains(r.opened()[0], reason) {
			t.Errorf("the view lacks %s", reason)
		}
	}
	r.send(t, "interactive", map[string]any{"type": "view_submission", "user": map[string]any{"id": "U1"}, "view": map[string]any{"callback_id": viewReason, "private_metadata": id,
		"state": map[string]any{"values": map[string]any{"reason": map[string]any{"reason": map[string]any{"type": "radio_buttons", "selected_option": map[string]any{"value": "number"}}},
			"note": map[string]any{"note": map[string]any{"type": "plain_text_input", "value": "应为13000"}}}}}})
	var good bool
	var reason, note string
	if err := r.db.QueryRow(`SELECT good, reason, note FROM slack_feedback WHERE answer=$1 AND usr='U1'`, id).Scan(&good, &reason, &note); err != nil || good || reason != "number" || note != "应为13000" {
		t.Errorf("stored %v %s %s, %v", good, reason, note, err)
	}
}

func TestClauseView(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, mention("C1", ts1, "", "U1", "甲?"))
	r.answered(t, "C1", ts1)
	r.send(t, "interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": "U1"}, "channel": map[string]any{"id": "C1"}, "trigger_id": "1.1",
		"actions": []map[string]any{{"type": "button", "action_id": actClause + ":0", "block_id": "b", "value": answerID(key{fakeTeam, "C1", ts1}, "") + ":0"}}})
	eventually(t, "the view", func() bool { return len(r.opened()) == 1 })
	v := r.opened()[0]
	for _, want := range []string{"第17条", "六、生态", "v1", "全文:"} {
		if !strings.Contains(v, want) {
			t.Errorf("the view lacks %s", want)
		}
	}
	if n := strings.Count(v, "本条甚长。"); n != 900 {
		t.Errorf("%d sentences of 900", n)
	}
}

func TestCommands(t *testing.T) {
	r := newRig(t, nil)
	n := 0
	run := func(user, text string) (string, func() []string) {
		n++
		path := fmt.Sprintf("/respond/%d", n)
		ack := r.send(t, "slash_commands", map[string]any{"command": "/zhengda", "text": text, "team_id": fakeTeam, "channel_id": "C1", "user_id": user,
			"response_url": strings.TrimSuffix(r.GetAPIURL(), "/") + path, "trigger_id": fmt.Sprint(n)})
		return string(ack), func() []string { return r.respondedTo(path) }
	}
	for text, want := range map[string]string{"问 甲?": "第18条", "甲?": "第18条", "条 第17条": "本条甚长", "第17条": "本条甚长", "条 第99条": "没有找到", "指标": "13000", "设置": "只有工作人员", "订阅 第17条": "已订阅条款",
		"订阅 先投后股": "已订阅关键词", "订阅 高企": "仅限工作人员", "退订 7777": "没有编号"} {
		_, got := run("U1", text)
		eventually(t, text, func() bool { return len(got()) > 0 })
		for _, s := range got() {
			if !strings.Contains(s, `"response_type":"ephemeral"`) {
				t.Errorf("%s: seen by all", text)
			}
		}
		if s := strings.Join(got(), ""); !strings.Contains(s, want) || strings.Contains(s, "12100") {
			t.Errorf("%s: %s", text, s)
		}
	}
	if ack, _ := run("U1", "帮助"); !strings.Contains(ack, "ephemeral") || !strings.Contains(ack, "/zhengda 指标") {
		t.Errorf("help: %s", ack)
	}
	if ack, _ := run("U1", "help"); !strings.Contains(ack, "names the clause") {
		t.Errorf("help in English: %s", ack)
	}
	_, got := run("USTAFF", "指标 高企")
	eventually(t, "figures", func() bool { return len(got()) > 0 })
	if s := got()[0]; !strings.Contains(s, "12100家") || !strings.Contains(s, `"table"`) {
		t.Errorf("figures for staff: %s", s)
	}
	if r.count("chat.postMessage") != 0 {
		t.Error("a command is answered in public")
	}
}

func TestSettings(t *testing.T) {
	r := newRig(t, func(c *Config) {
		c.AskIn = func(_ context.Context, q bot.Ask, docs []string) (bot.Answer, error) {
			return bot.Answer{Status: bot.Answered, Text: "只看" + strings.Join(docs, "、")}, nil
		}
	})
	r.send(t, "slash_commands", map[string]any{"command": "/zhengda", "text": "设置", "team_id": fakeTeam, "channel_id": "C1", "user_id": "USTAFF", "response_url": r.GetAPIURL() + "respond/s", "trigger_id": "1"})
	eventually(t, "the view", func() bool { return len(r.opened()) == 1 })
	submit := func(user, audience, docs string) string {
		opt := func(name, v string) map[string]any {
			return map[string]any{name: map[string]any{"type": "radio_buttons", "selected_option": map[string]any{"value": v}}}
		}
		return string(r.send(t, "interactive", map[string]any{"type": "view_submission", "team": map[string]any{"id": fakeTeam}, "user": map[string]any{"id": user}, "view": map[string]any{"callback_id": viewSettings, "private_metadata": "C1",
			"state": map[string]any{"values": map[string]any{"listen": opt("listen", "on"), "audience": opt("audience", audience), "documents": map[string]any{"documents": map[string]any{"type": "plain_text_input", "value": docs}}}}}}))
	}
	for _, c := range []struct{ user, audience, docs, want string }{
		{"U1", "off", "", "只有工作人员"}, {"USTAFF", "on", "", "不能设为"}, {"USTAFF", "off", "别的", "没有这个文件"}, {"USTAFF", "off", "《工作要点》\n", ""},
	} {
		if got := submit(c.user, c.audience, c.docs); c.want == "" && strings.Contains(got, "errors") || !strings.Contains(got, c.want) {
			t.Errorf("%+v: %s", c, got)
		}
	}
	r.say(t, said("C1", ts1, "", "U1", "甲呢？"))
	if got := r.answered(t, "C1", ts1); len(got) != 1 || !strings.Contains(got[0].text, "只看工作要点") {
		t.Errorf("answer: %+v", got)
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
		<-release
		return sample(q), nil
	}
	ts := func(i int) string { return fmt.Sprintf("170000000%d.000001", i) }
	for i := range 4 {
		r.say(t, mention("C1", ts(i), "", "U1", fmt.Sprint(i, "?")))
		quiet()
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
		if method != "chat.postMessage" || v.Get("channel") != "C1" {
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
	eventually(t, "429", func() bool { return refused.Load() != 0 })
	r.say(t, mention("C1", ts2, "", "U2", "乙?"))
	r.say(t, mention("C2", ts3, "", "U3", "丙?")) // another channel does not wait
	r.answered(t, "C2", ts3)
	if again.Load() != 0 {
		t.Error("another channel waited too")
	}
	r.answered(t, "C1", ts1)
	r.answered(t, "C1", ts2)
	if d := time.Duration(again.Load() - refused.Load()); d < time.Second {
		t.Errorf("the channel is tried again after %v; Retry-After was 1 s", d)
	}
}

func TestShortcutAndHome(t *testing.T) {
	r := newRig(t, nil)
	r.send(t, "interactive", map[string]any{"type": "message_action", "callback_id": shortcutBasis, "team": map[string]any{"id": fakeTeam}, "user": map[string]any{"id": "U1"},
		"channel": map[string]any{"id": "C1"}, "trigger_id": "9.9", "response_url": r.GetAPIURL() + "respond/b", "message": map[string]any{"type": "message", "user": "U2", "ts": ts1, "text": "听说可以先投后股"}})
	eventually(t, "the basis", func() bool { return len(r.respondedTo("/respond/b")) == 1 })
	if q := r.asker.all()[0]; q.Question != "听说可以先投后股" {
		t.Errorf("asked %q", q.Question)
	}
	for user, staff := range map[string]bool{"U1": false, "USTAFF": true} {
		n := len(r.opened())
		r.say(t, map[string]any{"type": "app_home_opened", "user": user, "channel": "D1", "tab": "home", "event_ts": ts1})
		eventually(t, "the home", func() bool { return len(r.opened()) > n })
		if v := r.opened()[n]; !strings.Contains(v, "先投后股支持什么") || strings.Contains(v, "12100") != staff {
			t.Errorf("home of %s: %s", user, v)
		}
	}
	r.send(t, "interactive", map[string]any{"type": "block_actions", "team": map[string]any{"id": fakeTeam}, "user": map[string]any{"id": "U1"}, "container": map[string]any{"type": "view"}, "trigger_id": "1.1",
		"actions": []map[string]any{{"type": "button", "action_id": actAsk + ":0", "block_id": "b", "value": "先投后股支持什么?", "action_ts": ts2}}})
	if got := r.answered(t, "DU1", ts2); len(got) != 1 || !strings.Contains(got[0].text, "> 先投后股支持什么?") {
		t.Errorf("asked from the home: %+v", got)
	}
	r.say(t, map[string]any{"type": "assistant_thread_started", "assistant_thread": map[string]any{"user_id": "U1", "channel_id": "D1", "thread_ts": ts1, "context": map[string]any{}}, "event_ts": ts1})
	eventually(t, "the prompts", func() bool { return strings.Contains(strings.Join(r.opened(), ""), "prompts") })
	release := make(chan struct{})
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) { <-release; return sample(q), nil }
	r.say(t, said("D1", ts3, ts1, "U1", "甲?"))
	eventually(t, "the status of an assistant thread", func() bool { return r.count("assistant.threads.setStatus") > 0 })
	close(release)
	r.answered(t, "D1", ts3)
}

func TestChart(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) { return withFigure(q), nil }
	r.say(t, mention("C1", ts1, "", "USTAFF", "高企差多少?"))
	r.answered(t, "C1", ts1)
	r.send(t, "interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": "USTAFF"}, "channel": map[string]any{"id": "C1"}, "container": map[string]any{"channel_id": "C1", "thread_ts": ts1}, "trigger_id": "1.1",
		"actions": []map[string]any{{"type": "button", "action_id": actChart, "block_id": "b", "value": answerID(key{fakeTeam, "C1", ts1}, "")}}})
	eventually(t, "the picture", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.uploads) == 1 })
	if got := r.uploads[0]; got != "DUSTAFF " {
		t.Errorf("a picture of internal figures went to %q", got)
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
	quiet()
	got := map[string][]string{}
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
			case <-time.After(300 * time.Millisecond):
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
	if got := wrong(Check(t.Context(), c)); !strings.Contains(got, "reactions:write") || strings.Contains(got, "chat:write(") || strings.Count(got, "\n") != 1 {
		t.Errorf("scopes: %s", got)
	}
	f.refuse = func(method string, _ url.Values) string { return "invalid_auth" }
	if got := wrong(Check(t.Context(), c)); strings.Count(got, "invalid_auth") != 2 {
		t.Errorf("refused: %s", got)
	}
	c.APIURL = "http://127.0.0.1:1/secret/"
	if got := wrong(Check(t.Context(), c)); !strings.Contains(got, "检查网络") || strings.Contains(got, "secret") {
		t.Errorf("out of reach: %s", got)
	}
}
