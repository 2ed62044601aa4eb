package slack

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slacktest"
)

const (
	fakeTeam = "T1"
	fakeBot  = "UBOT"
)

// posted is a message that the fake holds.
type fakeMessage struct {
	channel, ts, thread, text, blocks string
	user                              string // of an ephemeral message: who sees it
	meta                              json.RawMessage
	deleted                           bool
	edits                             int
}

// fake is Slack: slacktest with a Binder for the calls that it lacks, and a
// socket that delivers, counts and drops. It keeps every limit of Slack's that
// it is told of, and notes each message that breaks one.
type fake struct {
	*slacktest.Server
	// refuse may answer a call in Slack's stead: with an error of Slack's, or
	// with "429", "500" or "hang up" (after the call was carried out).
	refuse func(method string, form url.Values) string

	mu         sync.Mutex
	seq        int
	messages   []*fakeMessage
	index      map[string]*fakeMessage   // by channel and ts
	threads    map[string][]*fakeMessage // by channel and thread
	ephemerals []*fakeMessage
	responses  map[string][]string // by address
	reactions  map[string]map[string]bool
	history    map[string][]string // of reactions, "+eyes"
	edits      map[string][]time.Time
	calls      map[string]int
	bad        []string // messages beyond the limits
	views      []json.RawMessage
	statuses   []string
	uploads    []string
	users      map[string]slackgo.User
	groups     map[string][]string
	channels   map[string]slackgo.Channel

	lean  bool // blocks are checked, and not kept
	conns []*fakeConn
	acks  map[string]chan json.RawMessage
}

type fakeConn struct {
	mu sync.Mutex
	c  *websocket.Conn
}

func newFake(t testing.TB) *fake {
	f := &fake{index: map[string]*fakeMessage{}, threads: map[string][]*fakeMessage{}, responses: map[string][]string{}, reactions: map[string]map[string]bool{},
		history: map[string][]string{}, edits: map[string][]time.Time{}, calls: map[string]int{}, users: map[string]slackgo.User{}, groups: map[string][]string{},
		channels: map[string]slackgo.Channel{}, acks: map[string]chan json.RawMessage{}}
	f.Server = slacktest.NewTestServer(f.bind)
	f.Start()
	t.Cleanup(f.Stop)
	return f
}

func (f *fake) bind(c slacktest.Customize) {
	c.Handle("/ws", f.socket)
	c.Handle("/respond/", f.respond)
	c.Handle("/upload", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "ok") })
	for method, h := range map[string]func(url.Values) any{
		"auth.test": func(url.Values) any {
			return map[string]any{"team": "测试", "team_id": fakeTeam, "user": "zhengda", "user_id": fakeBot, "bot_id": "BBOT"}
		},
		"apps.connections.open": func(url.Values) any { return map[string]any{"url": f.GetWSURL()} },
		"chat.postMessage":      f.postMessage, "chat.update": f.update, "chat.delete": f.delete, "chat.postEphemeral": f.postEphemeral,
		"reactions.add": f.addReaction, "reactions.remove": f.removeReaction,
		"conversations.replies": f.replies, "conversations.history": f.replies, "conversations.info": f.info,
		"conversations.open": func(v url.Values) any { return map[string]any{"channel": map[string]any{"id": "D" + v.Get("users")}} },
		"users.info":         f.user, "usergroups.list": f.listGroups,
		"usergroups.users.list": func(v url.Values) any { return map[string]any{"users": f.groups[v.Get("usergroup")]} },
		"views.open":            f.view, "views.publish": f.view,
		"assistant.threads.setStatus":           func(v url.Values) any { f.statuses = append(f.statuses, v.Get("status")); return nil },
		"assistant.threads.setSuggestedPrompts": func(v url.Values) any { f.views = append(f.views, json.RawMessage(v.Encode())); return nil },
		"files.getUploadURLExternal": func(url.Values) any {
			return map[string]any{"upload_url": f.GetAPIURL() + "upload", "file_id": "F1"}
		},
		"files.completeUploadExternal": func(v url.Values) any {
			f.uploads = append(f.uploads, v.Get("channel_id")+" "+v.Get("thread_ts"))
			return map[string]any{"files": []map[string]string{{"id": "F1"}}}
		},
	} {
		c.Handle("/"+method, f.api(method, h))
	}
}

// api answers a call with what h returns: an error of Slack's when that is a
// string.
func (f *fake) api(method string, h func(url.Values) any) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		v := url.Values{}
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/json") {
			body, _ := io.ReadAll(r.Body)
			v.Set("json", string(body))
			var m map[string]any
			_ = json.Unmarshal(body, &m)
			for k, x := range m {
				v.Set(k, fmt.Sprint(x))
			}
		} else {
			_ = r.ParseForm()
			v = r.Form
		}
		f.mu.Lock()
		f.calls[method]++
		refuse := f.refuse
		f.mu.Unlock()
		verdict := ""
		if refuse != nil {
			verdict = refuse(method, v)
		}
		switch verdict {
		case "", "hang up":
		case "429":
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		case "500":
			w.WriteHeader(http.StatusInternalServerError)
			return
		default:
			fmt.Fprintf(w, `{"ok":false,"error":%q}`, verdict)
			return
		}
		f.mu.Lock()
		out := h(v)
		f.mu.Unlock()
		if verdict == "hang up" {
			panic(http.ErrAbortHandler)
		}
		body := map[string]any{"ok": true}
		switch o := out.(type) {
		case string:
			body = map[string]any{"ok": false, "error": o}
		case map[string]any:
			maps.Copy(body, o)
		}
		w.Header().Set("X-OAuth-Scopes", "chat:write, commands")
		_ = json.NewEncoder(w).Encode(body)
	}
}

func (f *fake) nextTS() string {
	f.seq++
	return fmt.Sprintf("18%08d.%06d", f.seq/1000, f.seq%1000)
}

func (f *fake) check(v url.Values) {
	if bad := overLimits(v.Get("text"), v.Get("blocks")); len(bad) > 0 {
		f.bad = append(f.bad, bad...)
	}
	if v.Get("unfurl_links") != "false" && v.Get("user") == "" && v.Get("ts") == "" {
		f.bad = append(f.bad, "links are unfurled")
	}
}

func (f *fake) postMessage(v url.Values) any {
	f.check(v)
	m := &fakeMessage{channel: v.Get("channel"), ts: f.nextTS(), thread: v.Get("thread_ts"), text: v.Get("text"), blocks: v.Get("blocks"), meta: json.RawMessage(v.Get("metadata"))}
	if f.lean {
		m.blocks = ""
	}
	f.messages = append(f.messages, m)
	f.index[m.channel+" "+m.ts] = m
	f.threads[m.channel+" "+m.thread] = append(f.threads[m.channel+" "+m.thread], m)
	return map[string]any{"channel": m.channel, "ts": m.ts}
}

func (f *fake) update(v url.Values) any {
	f.check(v)
	m := f.index[v.Get("channel")+" "+v.Get("ts")]
	if m == nil || m.deleted {
		return "message_not_found"
	}
	if m.text = v.Get("text"); !f.lean {
		m.blocks = v.Get("blocks")
	}
	if v.Get("metadata") != "" {
		m.meta = json.RawMessage(v.Get("metadata"))
	}
	m.edits++
	f.edits[m.channel] = append(f.edits[m.channel], time.Now())
	return map[string]any{"channel": m.channel, "ts": m.ts, "text": m.text}
}

func (f *fake) delete(v url.Values) any {
	m := f.index[v.Get("channel")+" "+v.Get("ts")]
	if m == nil || m.deleted {
		return "message_not_found"
	}
	m.deleted = true
	return map[string]any{"channel": m.channel, "ts": m.ts}
}

func (f *fake) postEphemeral(v url.Values) any {
	f.check(v)
	f.ephemerals = append(f.ephemerals, &fakeMessage{channel: v.Get("channel"), thread: v.Get("thread_ts"), user: v.Get("user"), text: v.Get("text"), blocks: v.Get("blocks")})
	return map[string]any{"message_ts": f.nextTS()}
}

func (f *fake) addReaction(v url.Values) any {
	k := v.Get("channel") + " " + v.Get("timestamp")
	if f.reactions[k][v.Get("name")] {
		return "already_reacted"
	}
	if f.reactions[k] == nil {
		f.reactions[k] = map[string]bool{}
	}
	f.reactions[k][v.Get("name")] = true
	f.history[k] = append(f.history[k], "+"+v.Get("name"))
	return nil
}

func (f *fake) removeReaction(v url.Values) any {
	k := v.Get("channel") + " " + v.Get("timestamp")
	if !f.reactions[k][v.Get("name")] {
		return "no_reaction"
	}
	delete(f.reactions[k], v.Get("name"))
	f.history[k] = append(f.history[k], "-"+v.Get("name"))
	return nil
}

func (f *fake) replies(v url.Values) any {
	var out []map[string]any
	for _, m := range f.threads[v.Get("channel")+" "+v.Get("ts")] {
		if m.deleted || m.ts < v.Get("oldest") {
			continue
		}
		one := map[string]any{"type": "message", "user": fakeBot, "bot_id": "BBOT", "ts": m.ts, "thread_ts": m.thread, "text": m.text}
		if len(m.meta) > 0 {
			one["metadata"] = m.meta
		}
		out = append(out, one)
	}
	return map[string]any{"messages": out}
}

func (f *fake) info(v url.Values) any {
	c, ok := f.channels[v.Get("channel")]
	if !ok {
		return "channel_not_found"
	}
	return map[string]any{"channel": c}
}

func (f *fake) user(v url.Values) any {
	u, ok := f.users[v.Get("user")]
	if !ok {
		return "user_not_found"
	}
	return map[string]any{"user": u}
}

func (f *fake) listGroups(url.Values) any {
	var out []map[string]any
	for _, id := range slices.Sorted(maps.Keys(f.groups)) {
		out = append(out, map[string]any{"id": id, "handle": strings.ToLower(id)})
	}
	return map[string]any{"usergroups": out}
}

func (f *fake) view(v url.Values) any {
	f.views = append(f.views, json.RawMessage(v.Get("json")))
	var req struct {
		View struct {
			Blocks json.RawMessage `json:"blocks"`
		} `json:"view"`
	}
	_ = json.Unmarshal([]byte(v.Get("json")), &req)
	f.bad = append(f.bad, blockFaults(string(req.View.Blocks), 100, 1<<20)...)
	return map[string]any{"view": map[string]any{"id": "V1"}}
}

func (f *fake) respond(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	f.mu.Lock()
	f.responses[r.URL.Path] = append(f.responses[r.URL.Path], string(body))
	f.mu.Unlock()
	fmt.Fprint(w, "ok")
}

// socket is one Socket Mode connection.
func (f *fake) socket(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	c, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	fc := &fakeConn{c: c}
	_ = c.WriteMessage(websocket.TextMessage, []byte(`{"type":"hello","num_connections":1}`))
	f.mu.Lock()
	f.conns = append(f.conns, fc)
	f.mu.Unlock()
	stop := make(chan struct{})
	go func() { // Slack pings, and a client that is not pinged reconnects
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Second):
				_ = c.WriteControl(websocket.PingMessage, []byte("x"), time.Now().Add(time.Second))
			}
		}
	}()
	defer close(stop)
	for {
		var ack struct {
			EnvelopeID string          `json:"envelope_id"`
			Payload    json.RawMessage `json:"payload"`
		}
		if err := c.ReadJSON(&ack); err != nil {
			break
		}
		f.mu.Lock()
		if ch := f.acks[ack.EnvelopeID]; ch != nil {
			ch <- ack.Payload
			delete(f.acks, ack.EnvelopeID)
		}
		f.mu.Unlock()
	}
	f.drop(fc)
}

func (f *fake) drop(fc *fakeConn) {
	f.mu.Lock()
	f.conns = slices.DeleteFunc(f.conns, func(x *fakeConn) bool { return x == fc })
	f.mu.Unlock()
	fc.c.Close()
}

// deliver sends an envelope over the nth of the open sockets, and returns the
// channel on which its acknowledgement comes; nil when there is no socket.
func (f *fake) deliver(n int, kind string, payload any) chan json.RawMessage {
	f.mu.Lock()
	if len(f.conns) == 0 {
		f.mu.Unlock()
		return nil
	}
	fc := f.conns[n%len(f.conns)]
	f.seq++
	id := "E" + strconv.Itoa(f.seq)
	ch := make(chan json.RawMessage, 1)
	f.acks[id] = ch
	f.mu.Unlock()
	b, _ := json.Marshal(map[string]any{"type": kind, "envelope_id": id, "payload": payload, "accepts_response_payload": true})
	fc.mu.Lock()
	defer fc.mu.Unlock()
	_ = fc.c.WriteMessage(websocket.TextMessage, b)
	return ch
}

// send delivers and waits for the acknowledgement.
func (f *fake) send(t testing.TB, kind string, payload any) json.RawMessage {
	t.Helper()
	var ch chan json.RawMessage
	eventually(t, "a socket", func() bool { ch = f.deliver(0, kind, payload); return ch != nil })
	select {
	case p := <-ch:
		return p
	case <-time.After(patience):
		t.Fatalf("no acknowledgement of %s", kind)
		return nil
	}
}

// answersTo are the messages that answer a message, by their metadata.
func (f *fake) answersTo(channel, ts string) (out []fakeMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, m := range f.messages {
		if m.channel == channel && !m.deleted && questionOf(m.meta) == ts {
			out = append(out, *m)
		}
	}
	return out
}

func questionOf(meta json.RawMessage) string {
	var m struct {
		Payload struct {
			Question string `json:"question"`
		} `json:"event_payload"`
	}
	_ = json.Unmarshal(meta, &m)
	return m.Payload.Question
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.calls[method]
}

func (f *fake) whispers() []fakeMessage {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []fakeMessage
	for _, m := range f.ephemerals {
		out = append(out, *m)
	}
	return out
}

func (f *fake) opened() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []string
	for _, v := range f.views {
		out = append(out, string(v))
	}
	return out
}

func (f *fake) respondedTo(path string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.responses[path])
}

func (f *fake) faults() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.bad)
}

// patience is how long a test waits for what must come; it only ends a test
// that fails.
const patience = 2 * time.Minute

func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("in vain: %s", what)
}
