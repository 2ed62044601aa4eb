package slack

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
)

// Each test here fails on one mistake that Slack bots are seen to make.

func TestMistakeCitationsStripped(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, mention("C1", "1700000001.000001", "", "U1", "试点?"))
	got := r.answered(t, "C1", "1700000001.000001")
	if len(got) != 1 {
		t.Fatalf("%d answers", len(got))
	}
	for _, want := range []string{"开展试点。〔1〕", "支持转化。〔2〕", "《工作要点》第17条", "《工作要点》第18条"} {
		if !strings.Contains(got[0].text, want) || !strings.Contains(got[0].blocks, want) {
			t.Errorf("the message lacks %s: %s", want, got[0].text)
		}
	}
	if n := strings.Count(got[0].blocks, `"value":"`+answerID(key{fakeTeam, "C1", "1700000001.000001"}, "")+":"); n != 2 {
		t.Errorf("%d citations can be opened; want 2", n)
	}
}

func TestMistakeThreadTimestampAsKey(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, mention("C1", "1700000001.000001", "", "U1", "甲?"))
	r.answered(t, "C1", "1700000001.000001")
	r.say(t, mention("C1", "1700000002.000001", "1700000001.000001", "U1", "乙?"))
	if got := r.answered(t, "C1", "1700000002.000001"); len(got) != 1 || !strings.Contains(got[0].text, "乙") {
		t.Errorf("the second question of a thread: %v", got)
	}
}

func TestMistakeEveryMessageAnswered(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, said("C1", "1700000001.000001", "", "U1", "今天几点开会?"))
	r.say(t, said("C1", "1700000002.000001", "1700000001.000001", "U2", "三点吗?"))
	r.say(t, map[string]any{"type": "message", "subtype": "bot_message", "channel": "C1", "channel_type": "channel", "bot_id": "B2", "ts": "1700000003.000001", "text": "<@UBOT> 你好?"})
	r.say(t, said("C1", "1700000004.000001", "", fakeBot, "<@UBOT> 自问?"))
	r.idle(t)
	if n := len(r.asker.all()) + r.count("chat.postMessage"); n != 0 {
		t.Errorf("%d questions or answers without a call", n)
	}
}

func TestMistakeEmptySigningSecret(t *testing.T) {
	f := newFake(t)
	r := rigOn(t, f, t.TempDir()+"/x.db", func(c *Config) { c.SigningSecret = "" })
	if _, err := New(Config{BotToken: "xoxb-1", DB: r.db, Ask: r.asker.Ask}); err == nil {
		t.Error("it starts with neither a secret nor a socket")
	}
	body := `{"type":"url_verification","challenge":"x"}`
	for _, secret := range []string{"", "guess"} {
		w := httptest.NewRecorder()
		r.app.Handler().ServeHTTP(w, signedRequest("/slack/events", body, secret, time.Now()))
		if w.Code/100 == 2 {
			t.Errorf("secret %q: status %d %s", secret, w.Code, w.Body)
		}
	}
}

func TestMistakeASCIIQuestionMarkOnly(t *testing.T) {
	for _, s := range []string{"先投后股支持什么？", "补贴有多少", "能否申请", "要交哪些材料", "高企认定几年有效呢", "What does it support", "试点﹖"} {
		if !isQuestion(s) {
			t.Errorf("%s is a question", s)
		}
	}
	for _, s := range []string{"大家早上好", "会议改到三点", "nothing new", "showcase at noon"} {
		if isQuestion(s) {
			t.Errorf("%s is no question", s)
		}
	}
	r := newRig(t, nil)
	if err := r.app.rooms.set(fakeTeam, "C1", "USTAFF", room{all: true}); err != nil {
		t.Fatal(err)
	}
	r.say(t, said("C1", "1700000001.000001", "", "U1", "补贴有多少？"))
	r.say(t, said("C1", "1700000002.000001", "", "U1", "大家早上好"))
	if got := r.answered(t, "C1", "1700000001.000001"); len(got) != 1 {
		t.Errorf("%d answers", len(got))
	}
	if n := len(r.asker.all()); n != 1 {
		t.Errorf("%d questions; want 1", n)
	}
}

func TestMistakeCutAtSpaces(t *testing.T) {
	long := strings.Repeat("探索开展“先投后股”试点工作,支持一批科技成果转化和科技人才创业企业。[12] 推进 B2B 平台建设；", 200)
	parts := split(mrkdwn(long, map[int]bool{12: true}), maxSection)
	if len(parts) < 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for _, p := range parts[:len(parts)-1] {
		if !regexp.MustCompile(`(。〔12〕|；) ?$`).MatchString(p) {
			t.Errorf("cut after %q", p[max(0, len(p)-40):])
		}
		if width(p) < maxSection/2 {
			t.Errorf("a part of %d", width(p))
		}
	}
	if strings.Join(parts, "") != mrkdwn(long, map[int]bool{12: true}) {
		t.Error("the parts are not the whole")
	}
}

func TestMistakeThreadReplyIgnored(t *testing.T) {
	r := newRig(t, nil)
	root := "1700000001.000001"
	r.say(t, said("C1", "1700000001.500000", root, "U1", "提问之前的话,要吗?"))
	r.say(t, mention("C1", "1700000002.000001", root, "U1", "甲?"))
	r.answered(t, "C1", "1700000002.000001")
	r.say(t, said("C1", "1700000003.000001", root, "U2", "那还差多少"))
	r.say(t, said("C1", "1700000004.000001", root, "U2", "<@U1> 你看呢?"))
	r.say(t, said("C1", "1700000005.000001", root, "U1", "好的,谢谢!"))
	if got := r.answered(t, "C1", "1700000003.000001"); len(got) != 1 {
		t.Errorf("a reply without a mention: %d answers", len(got))
	}
	r.idle(t)
	if n := len(r.asker.all()); n != 2 {
		t.Errorf("%d questions; want 2: one to another person, one thank-you, and one before the mention are none", n)
	}
}

// TestReplyBeforeItsQuestion: the reply is delivered first.
func TestReplyBeforeItsQuestion(t *testing.T) {
	r := newRig(t, nil)
	r.say(t, said("C1", "1700000003.000001", "1700000002.000001", "U2", "那还差多少?"))
	r.say(t, mention("C1", "1700000002.000001", "", "U1", "甲?"))
	if got := r.answered(t, "C1", "1700000003.000001"); len(got) != 1 {
		t.Errorf("%d answers", len(got))
	}
}

func TestMistakeFirstBlockReadBack(t *testing.T) {
	r := newRig(t, nil)
	long := strings.Repeat("第一段的话。", 600) + "最后一句是关键。[1]"
	r.asker.answer = func(_ context.Context, q bot.Ask) (bot.Answer, error) {
		a := sample(q)
		a.Text = long
		return a, nil
	}
	r.say(t, mention("C1", "1700000001.000001", "", "U1", "甲?"))
	r.answered(t, "C1", "1700000001.000001")
	r.say(t, said("C1", "1700000002.000001", "1700000001.000001", "U1", "那还差多少?"))
	r.answered(t, "C1", "1700000002.000001")
	h := r.asker.all()[1].History
	if len(h) != 2 || h[0].Content != "甲?" || !strings.HasPrefix(h[1].Content, long) || !strings.Contains(h[1].Content, "第18条") {
		t.Errorf("history: %d turns", len(h))
	}
}

func TestMistakeReactionThenNothing(t *testing.T) {
	for name, c := range map[string]struct {
		answer func(context.Context, bot.Ask) (bot.Answer, error)
		react  string
	}{
		"answered": {nil, reactDone},
		"refused": {func(_ context.Context, q bot.Ask) (bot.Answer, error) {
			return bot.Answer{Status: bot.Refused, Text: "文件没有规定。"}, nil
		}, reactRefused},
		"failed": {func(context.Context, bot.Ask) (bot.Answer, error) {
			return bot.Answer{}, fmt.Errorf("boom http://secret/")
		}, reactFailed},
		"panic": {func(context.Context, bot.Ask) (bot.Answer, error) { panic("secret") }, reactFailed},
		"empty": {func(context.Context, bot.Ask) (bot.Answer, error) { return bot.Answer{}, nil }, reactDone},
		"slow":  {func(ctx context.Context, _ bot.Ask) (bot.Answer, error) { <-ctx.Done(); return bot.Answer{}, ctx.Err() }, reactFailed},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(c *Config) { c.Timeout = 300 * time.Millisecond })
			r.asker.answer = c.answer
			r.say(t, mention("C1", "1700000001.000001", "", "U1", "甲?"))
			got := r.answered(t, "C1", "1700000001.000001")
			if len(got) != 1 || got[0].text == "" || strings.Contains(got[0].text, "secret") {
				t.Errorf("messages: %+v", got)
			}
			if strings.Contains(r.log.String(), "secret") {
				t.Errorf("the log: %s", r.log)
			}
			want := "[+eyes +" + c.react + " -eyes]"
			if h := fmt.Sprint(r.history["C1 1700000001.000001"]); h != want {
				t.Errorf("reactions %s; want %s", h, want)
			}
		})
	}
}

// TestMistakeUpdatesIntoLimit counts the edits of a channel over the whole time
// that they had: the moments of single ones depend on the network.
func TestMistakeUpdatesIntoLimit(t *testing.T) {
	r := newRig(t, func(c *Config) { c.StageAfter, c.Workers = time.Millisecond, 3 })
	enough := make(chan struct{})
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		for i := 0; ; i++ {
			select {
			case <-enough:
				return sample(q), nil
			case <-time.After(20 * time.Millisecond):
				Stage(ctx, []string{bot.StageSearch, bot.StageCheck, bot.StageCompose}[i%3])
			}
		}
	}
	begin := time.Now()
	for i, u := range []string{"U1", "U2", "U3"} {
		r.say(t, mention("C1", fmt.Sprintf("170000000%d.000001", i), "", u, "甲?"))
	}
	edits := func() int { r.mu.Lock(); defer r.mu.Unlock(); return len(r.edits["C1"]) }
	eventually(t, "the stage, edited", func() bool { return edits() >= 2 })
	close(enough)
	for i := range 3 {
		if got := r.answered(t, "C1", fmt.Sprintf("170000000%d.000001", i)); len(got) != 1 {
			t.Errorf("%d messages", len(got))
		}
	}
	if n, most := edits(), 1+int(time.Since(begin)/time.Second); n > most {
		t.Errorf("%d edits of a channel in %v", n, time.Since(begin))
	}
}

func TestMistakeWebhookInLog(t *testing.T) {
	r := newRig(t, nil)
	dead := "http://127.0.0.1:1/commands/T1/SECRETHOOK"
	r.send(t, "slash_commands", map[string]any{"command": "/zhengda", "text": "条 第17条", "team_id": fakeTeam, "channel_id": "C1", "user_id": "U1", "response_url": dead, "trigger_id": "1.1"})
	r.send(t, "slash_commands", map[string]any{"command": "/zhengda", "text": "问 机密问题?", "team_id": fakeTeam, "channel_id": "C1", "user_id": "U1", "response_url": dead, "trigger_id": "1.2"})
	eventually(t, "two failures in the log", func() bool {
		return strings.Contains(r.log.String(), "cannot answer a command") && strings.Contains(r.log.String(), "cannot answer in slack")
	})
	for _, secret := range []string{"SECRETHOOK", "xoxb-1", "xapp-1", "机密问题"} {
		if strings.Contains(r.log.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, r.log)
		}
	}
	var why string
	if err := r.db.QueryRow(`SELECT error FROM slack_inbox WHERE ts='cmd:1.2'`).Scan(&why); err != nil || strings.Contains(why, "SECRET") {
		t.Errorf("stored: %s, %v", why, err)
	}
}

// signedRequest is a request of Slack's at the given time.
func signedRequest(path, body, secret string, at time.Time) *http.Request {
	req := httptest.NewRequest("POST", path, strings.NewReader(body))
	if strings.HasPrefix(body, "{") {
		req.Header.Set("Content-Type", "application/json")
	} else {
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	req.Header.Set("X-Slack-Request-Timestamp", fmt.Sprint(at.Unix()))
	req.Header.Set("X-Slack-Signature", "v0="+hmacHex(secret, fmt.Sprintf("v0:%d:%s", at.Unix(), body)))
	return req
}
