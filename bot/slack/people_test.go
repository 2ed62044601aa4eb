package slack

import (
	"context"
	"fmt"
	"strings"
	"testing"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

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
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return sample(q), nil
	}
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

// TestSharedChart: the picture of a shared answer holds more than was shared,
// and that of a command's answer is for its author; neither goes to everybody.
func TestSharedChart(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) { return withFigure(q), nil }
	r.say(t, mention("C1", ts1, "", "USTAFF", "高企差多少?"))
	r.answered(t, "C1", ts1)
	r.say(t, mention("C1", ts2, "", "U1", "高企的目标?"))
	r.answered(t, "C1", ts2)
	if _, err := r.db.Exec(`UPDATE slack_answers SET shared_by='USTAFF' WHERE ts=$1`, ts1); err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct {
		user, ts, want string
		ephemeral      bool
	}{
		{"USTAFF", ts1, "DUSTAFF ", false}, {"U1", ts1, "C1 " + ts1, false}, // U1's has the target alone
		{"U1", ts2, "DU1 ", true},
	} {
		r.send(t, "interactive", map[string]any{"type": "block_actions", "user": map[string]any{"id": c.user}, "channel": map[string]any{"id": "C1"},
			"container": map[string]any{"channel_id": "C1", "thread_ts": ts1, "is_ephemeral": c.ephemeral}, "trigger_id": "1.1",
			"actions": []map[string]any{{"type": "button", "action_id": actChart, "block_id": "b", "value": answerID(key{fakeTeam, "C1", c.ts}, "")}}})
		eventually(t, "the picture", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.uploads) == i+1 })
		if got := r.uploads[i]; got != c.want {
			t.Errorf("%+v: went to %q", c, got)
		}
	}
}

// TestHistoryOfStaff: what a member of staff was answered from clauses that
// are not public is no part of what another person's question is asked with.
func TestHistoryOfStaff(t *testing.T) {
	r := newRig(t, nil)
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) {
		a := sample(q)
		if q.Persona.Internal() {
			a.Citations[0].ClauseID = "d#internal"
		}
		return a, nil
	}
	r.say(t, mention("C1", ts1, "", "USTAFF", "甲?"))
	r.answered(t, "C1", ts1)
	r.say(t, mention("C1", ts2, ts1, "U1", "乙?"))
	r.answered(t, "C1", ts2)
	if _, err := r.db.Exec(`UPDATE slack_answers SET private=0`); err != nil { // as in a channel that was set to staff then
		t.Fatal(err)
	}
	for _, c := range []struct{ ts, user, want string }{{ts3, "U1", "乙?"}, {"1700000004.000001", "USTAFF", "甲?乙?丙?"}} {
		r.say(t, mention("C1", c.ts, ts1, c.user, "丙?"))
		r.answered(t, "C1", c.ts)
		all, got := r.asker.all(), ""
		for _, h := range all[len(all)-1].History {
			if h.Role == "user" {
				got += h.Content
			}
		}
		if got != c.want {
			t.Errorf("%s is asked with %q; want %q", c.user, got, c.want)
		}
	}
}
