package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

const signingSecret = "0123456789abcdef0123456789abcdef"

// workspace is a Slack with one bot: it takes the calls of the Web API, and
// delivers over a socket where one is opened.
type workspace struct {
	*httptest.Server
	mu      sync.Mutex
	seq     int
	calls   []call
	conn    *websocket.Conn
	revoked bool // it takes no token any more
}

// call is one call of the Web API, or an answer at a command's address.
type call struct {
	method string
	form   url.Values
}

func newWorkspace(t *testing.T) *workspace {
	w := &workspace{}
	w.Server = httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(w.Close)
	return w
}

func (w *workspace) serve(rw http.ResponseWriter, r *http.Request) {
	method := strings.TrimPrefix(r.URL.Path, "/")
	if method == "ws" {
		up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
		if c, err := up.Upgrade(rw, r, nil); err == nil {
			c.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello"}`))
			w.mu.Lock()
			w.conn = c
			w.mu.Unlock()
		}
		return
	}
	r.ParseForm()
	if body, _ := io.ReadAll(r.Body); len(body) > 0 { // JSON: views, and answers to commands
		r.Form.Set("text", string(body))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.calls = append(w.calls, call{method, r.Form})
	w.seq++
	ts := fmt.Sprintf("1800000000.%06d", w.seq)
	out := map[string]any{"ok": true, "ts": ts, "channel": r.Form.Get("channel")}
	switch method {
	case "auth.test":
		out["team_id"], out["user_id"], out["bot_id"] = "T1", "UBOT", "BBOT"
	case "apps.connections.open":
		out["url"] = "ws" + strings.TrimPrefix(w.URL, "http") + "/ws"
	case "users.info":
		email := map[string]string{"USTAFF": "a@xa.gov.cn"}[r.Form.Get("user")]
		out["user"] = map[string]any{"id": r.Form.Get("user"), "team_id": "T1", "is_email_confirmed": true, "profile": map[string]any{"email": email}}
	case "conversations.info":
		out["channel"] = map[string]any{"id": r.Form.Get("channel")}
	}
	if w.revoked || strings.HasSuffix(r.Form.Get("token")+r.Header.Get("Authorization"), "-bad") {
		out = map[string]any{"ok": false, "error": "invalid_auth"}
	}
	json.NewEncoder(rw).Encode(out)
}

// said are the texts and blocks that a method was called with, in a channel.
func (w *workspace) said(method, channel string) (out []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.method == method && (channel == "" || c.form.Get("channel") == channel) {
			out = append(out, c.form.Get("text")+"\n"+c.form.Get("blocks"))
		}
	}
	return out
}

// reacted reports whether a message has that reaction.
func (w *workspace) reacted(ts, name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.calls {
		if c.method == "reactions.add" && c.form.Get("timestamp") == ts && c.form.Get("name") == name {
			return true
		}
	}
	return false
}

// signed posts as Slack does, with that secret, and returns status and body.
func signed(t *testing.T, address, secret string, at time.Time, body string) (int, string) {
	t.Helper()
	kind := "application/x-www-form-urlencoded"
	if body[0] == '{' {
		kind = "application/json"
	}
	stamp := fmt.Sprint(at.Unix())
	h := hmac.New(sha256.New, []byte(secret))
	h.Write([]byte("v0:" + stamp + ":" + body))
	return post(t, address, body, "Content-Type", kind, "X-Slack-Request-Timestamp", stamp, "X-Slack-Signature", "v0="+hex.EncodeToString(h.Sum(nil)))
}

// question is an event: a mention of the bot by a user.
func question(channel, ts, user, text string) string {
	b, _ := json.Marshal(map[string]any{"type": "event_callback", "team_id": "T1",
		"event": map[string]any{"type": "app_mention", "channel": channel, "ts": ts, "user": user, "text": "<@UBOT> " + text}})
	return string(b)
}

// TestServeSlack asks a server over the Events API, as a workspace does.
func TestServeSlack(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	zhengda(t, dir, "kpi", "record", "gaoqi_total", "12100", "--as-of", "2024-09-30", "--source", "测试")
	w := newWorkspace(t)
	secret := filepath.Join(files, "secret")
	if err := os.WriteFile(secret, []byte(signingSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, address := serve(t, dir, "SLACK_BOT_TOKEN=xoxb-1", "SLACK_SIGNING_SECRET_FILE="+secret, "SLACK_API_URL="+w.URL, "SLACK_STAFF_DOMAINS=xa.gov.cn")
	send := func(path, body string) string {
		t.Helper()
		code, answer := signed(t, address+"/slack/"+path, signingSecret, time.Now(), body)
		if code != 200 {
			t.Fatalf("%s: %d %s", path, code, answer)
		}
		return answer
	}
	done := func(ts, mark string) {
		t.Helper()
		await(t, patience, mark+" on "+ts, func() bool { return w.reacted(ts, mark) })
	}

	for range 2 { // Slack delivers again
		send("events", question("C1", "1700000001.000001", "U1", "先投后股有哪些支持?"))
	}
	done("1700000001.000001", "white_check_mark")
	got := w.said("chat.postMessage", "C1")
	if len(got) != 1 || !strings.Contains(got[0], "探索开展“先投后股”试点工作") || !strings.Contains(got[0], "〔1〕") || !strings.Contains(got[0], "科技创新工作要点》第17条") {
		t.Errorf("answers: %q", got)
	}

	for name, c := range map[string]struct {
		secret string
		at     time.Time
	}{"wrong secret": {"0123", time.Now()}, "old": {signingSecret, time.Now().Add(-6 * time.Minute)}} {
		if code, _ := signed(t, address+"/slack/events", c.secret, c.at, question("C1", "1700000002.000001", "U1", "先投后股?")); code != 401 {
			t.Errorf("%s: status %d", name, code)
		}
	}

	send("events", question("C2", "1700000003.000001", "USTAFF", "高新技术企业现在多少家,离目标还差多少?"))
	done("1700000003.000001", "white_check_mark")
	open, whispered := strings.Join(w.said("chat.postMessage", "C2"), ""), strings.Join(w.said("chat.postEphemeral", "C2"), "")
	if open == "" || strings.Contains(open, "12100") || strings.Contains(open, "900") || !strings.Contains(whispered, "12100") || !strings.Contains(whispered, "900家") {
		t.Errorf("to all: %s\nto staff: %s", open, whispered)
	}
	send("events", question("C3", "1700000004.000001", "U1", "高新技术企业现在多少家?"))
	await(t, patience, "a result", func() bool {
		return w.reacted("1700000004.000001", "question") || w.reacted("1700000004.000001", "white_check_mark")
	})
	if got := strings.Join(w.said("chat.postMessage", "C3"), ""); strings.Contains(got, "12100") || !strings.Contains(got, "13000") {
		t.Errorf("to an enterprise: %s", got)
	}

	command := func(user, text, want string, not ...string) {
		t.Helper()
		address := fmt.Sprintf("respond/%d", time.Now().UnixNano())
		send("commands", url.Values{"command": {"/zhengda"}, "text": {text}, "team_id": {"T1"}, "channel_id": {"D" + user}, "user_id": {user},
			"trigger_id": {address}, "response_url": {w.URL + "/" + address}}.Encode())
		await(t, patience, "an answer to "+text, func() bool { return len(w.said(address, "")) > 0 })
		said := w.said(address, "")[0]
		for _, no := range not {
			if strings.Contains(said, no) {
				t.Errorf("%s: %s", text, said)
			}
		}
		if !strings.Contains(said, want) {
			t.Errorf("%s: %s; want %s", text, said, want)
		}
	}
	command("U1", "条 第17条", "技术产权资产证券化", "没有找到")
	command("U1", "条 《科技创新工作要点》第十七条", "科技创新工作要点》第17条")
	command("U1", "条 第 17 条", "科技创新工作要点》第17条")
	command("U1", "条 工作要点 17", "科技创新工作要点》第17条")
	command("U1", "条 别的办法 17", "没有找到")
	command("U1", "条 第99条", "没有找到")
	command("U1", "指标 高新技术企业", "13000", "12100")
	command("USTAFF", "指标 高新技术企业", "12100")
	command("U1", "订阅 创新券", "已订阅关键词")
	command("USTAFF", "订阅 高新技术企业", "已订阅指标")

	button := regexp.MustCompile(`"action_id":"(clause:0)"[^}]*"value":"([^"]+)"|"value":"([^"]+)"[^}]*"action_id":"clause:0"`).FindStringSubmatch(got[0])
	if button == nil {
		t.Fatalf("no button opens the clause: %s", got[0])
	}
	pressed, _ := json.Marshal(map[string]any{"type": "block_actions", "user": map[string]any{"id": "U1"}, "team": map[string]any{"id": "T1"}, "channel": map[string]any{"id": "C1"}, "trigger_id": "1.1",
		"actions": []map[string]any{{"type": "button", "action_id": "clause:0", "block_id": "b", "value": button[2] + button[3]}}})
	send("interactivity", url.Values{"payload": {string(pressed)}}.Encode())
	await(t, patience, "the clause", func() bool { return len(w.said("views.open", "")) > 0 })
	if v := w.said("views.open", "")[0]; !strings.Contains(v, "推进科技金融有机结合") || !strings.Contains(v, "六、推动科创生态优化") {
		t.Errorf("the clause: %s", v)
	}

	paper := filepath.Join(files, "办法.txt")
	publish := func(amount string, more ...string) {
		t.Helper()
		text := "南山市科技创新券管理办法\n\n第一条 为了支持企业,制定本办法。\n第二条 科技创新券每张面额为" + amount + "。\n"
		if err := os.WriteFile(paper, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		zhengda(t, dir, append([]string{"ingest", paper}, more...)...)
	}
	alerts := func(channel string, n int) []string {
		t.Helper()
		var out []string
		await(t, patience, fmt.Sprint(n, " alerts in ", channel), func() bool { out = w.said("chat.postMessage", channel); return len(out) >= n })
		return out
	}
	publish("2万元")
	alerts("DU1", 1)
	zhengda(t, dir, "kpi", "record", "gaoqi_total", "13500", "--as-of", "2024-12-31", "--source", "测试")
	publish("3万元")
	told := alerts("DU1", 2)
	if !strings.Contains(told[0], "新增") || !strings.Contains(told[1], "－科技创新券每张面额为2万元") || !strings.Contains(told[1], "＋科技创新券每张面额为3万元") {
		t.Errorf("alerts: %q", told)
	}
	if told := alerts("DUSTAFF", 1); !strings.Contains(told[0], "13500家") || !strings.Contains(told[0], "12100家") {
		t.Errorf("alert of the indicator: %q", told)
	}
	for _, secret := range []string{"xoxb-1", signingSecret, "先投后股"} {
		if strings.Contains(p.err.String(), secret) {
			t.Errorf("the log holds %s:\n%s", secret, p.err.String())
		}
	}
	p.end()
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}

	publish("4万元") // while nobody serves
	p, address = serve(t, dir, "SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-1", "SLACK_API_URL="+w.URL+"/")
	if told := alerts("DU1", 3); len(told) != 3 || !strings.Contains(told[2], "＋科技创新券每张面额为4万元") {
		t.Errorf("alerts: %q", told)
	}
	await(t, patience, "a socket", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return w.conn != nil })
	envelope := `{"type":"events_api","envelope_id":"E1","payload":` + question("C5", "1700000005.000001", "U1", "先投后股写在哪一条?") + `}`
	if err := w.conn.WriteMessage(websocket.TextMessage, []byte(envelope)); err != nil {
		t.Fatal(err)
	}
	if _, ack, err := w.conn.ReadMessage(); err != nil || !strings.Contains(string(ack), "E1") {
		t.Errorf("acknowledged %s, %v", ack, err)
	}
	done("1700000005.000001", "white_check_mark")
	if got := w.said("chat.postMessage", "C5"); len(got) != 1 || !strings.Contains(got[0], "第17条") {
		t.Errorf("over a socket: %q", got)
	}
	if told := w.said("chat.postMessage", "DU1"); len(told) != 3 {
		t.Errorf("%d alerts; want 3", len(told))
	}

	w.mu.Lock()
	w.revoked = true
	w.mu.Unlock()
	w.conn.Close()
	await(t, patience, "a word on the token", func() bool { return strings.Contains(p.err.String(), "refuses the token") })
	if r, err := http.Get(address + "/healthz"); err != nil || r.StatusCode != http.StatusOK {
		t.Errorf("without Slack: %v, %v", r, err)
	}
}

// TestSlackSettings: what is set in part, or refused, ends with what to do.
func TestSlackSettings(t *testing.T) {
	w, dir := newWorkspace(t), t.TempDir()
	for _, c := range []struct {
		vars []string
		want string
	}{
		{[]string{"SLACK_BOT_TOKEN=xoxb-1"}, "SLACK_SIGNING_SECRET"},
		{[]string{"SLACK_APP_TOKEN=xapp-1"}, "SLACK_BOT_TOKEN"},
		{[]string{"SLACK_SIGNING_SECRET=x"}, "SLACK_BOT_TOKEN"},
		{[]string{"SLACK_BOT_TOKEN_FILE=/nowhere/token", "SLACK_APP_TOKEN=xapp-1"}, "SLACK_BOT_TOKEN_FILE"},
		{[]string{"SLACK_BOT_TOKEN=xoxb-bad", "SLACK_APP_TOKEN=xapp-1"}, "invalid_auth"},
		{[]string{"SLACK_BOT_TOKEN=xoxb-1", "SLACK_APP_TOKEN=xapp-bad"}, "invalid_auth"},
	} {
		p := start(t, dir, strings.NewReader(""), append(c.vars, "SLACK_API_URL="+w.URL, "serve", "--addr", "127.0.0.1:0")...)
		if code := <-p.code; code == 0 || !strings.Contains(p.err.String(), c.want) || strings.Contains(p.err.String(), "-bad") {
			t.Errorf("%v: exit code %d: %s", c.vars, code, p.err.String())
		}
	}
}
