package main

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"zhengda/bot"
)

// chatService is a chat service that calls a tool where one is named, and then
// says the sentences about 先投后股 and 修订 of the clauses that must be used.
type chatService struct {
	*httptest.Server
	mu         sync.Mutex
	tool, args string
	results    []string // of the tool
	keys       []string
	asked      string // all that came
}

var starred = regexp.MustCompile(`(\[\d+\])★ [^:]*:(?:[^★]*?。)?([^。★]*(?:先投后股|修订)[^。]*。)`)

func newChatService(t *testing.T) *chatService {
	s := &chatService{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Messages []struct {
				Role    string
				Content any
			}
		}
		body, _ := io.ReadAll(r.Body)
		if err := json.Unmarshal(body, &in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.keys = append(s.keys, r.Header.Get("Authorization"))
		s.asked += string(body)
		type m map[string]any
		said, reason := m{"role": "assistant"}, "stop"
		last := in.Messages[len(in.Messages)-1]
		if text, _ := last.Content.(string); last.Role == "tool" {
			s.results = append(s.results, text)
		} else if s.tool != "" {
			reason = "tool_calls"
			said["tool_calls"] = []m{{"id": "1", "type": "function", "function": m{"name": s.tool, "arguments": s.args}}}
		}
		if reason == "stop" {
			text := ""
			for _, x := range starred.FindAllStringSubmatch(string(body), -1) {
				text += x[2] + x[1] + "\n"
			}
			said["content"] = strings.NewReplacer(`\"`, `"`).Replace(text)
		}
		json.NewEncoder(w).Encode(m{"choices": []m{{"message": said, "finish_reason": reason}}, "usage": m{"prompt_tokens": 1000, "completion_tokens": 50}})
	}))
	t.Cleanup(s.Close)
	return s
}

func (s *chatService) vars(more ...string) []string {
	return append([]string{"ZHENGDA_LLM_BASE_URL=" + s.URL + "/v1", "ZHENGDA_LLM_MODEL=scripted", "ZHENGDA_LLM_API_KEY=sk-of-the-test"}, more...)
}

// TestModelAnswer shows the receipt of an answer whose sentences a model picked, the
// question of a conversation as it stands alone, and that the key goes to the
// service alone.
func TestModelAnswer(t *testing.T) {
	s, dir := newChatService(t), t.TempDir()
	in := `{"id":"1","question":"原话怎么说?","history":[{"role":"user","content":"先投后股写在哪一条?"},{"role":"assistant","content":"第17条"}]}
{"id":"2","question":"《西安市科学技术进步条例》修订有什么安排?"}`
	p := start(t, dir, strings.NewReader(in), append(s.vars("ZHENGDA_LLM_PRICE_IN=2", "ZHENGDA_LLM_PRICE_OUT=8"), "ask", "--batch")...)
	if code := <-p.code; code != 0 {
		t.Fatalf("exit code %d: %s", code, p.err.String())
	}
	used := 0
	for line := range strings.Lines(p.out.String()) {
		var a bot.Answer
		if err := json.Unmarshal([]byte(line), &a); err != nil {
			t.Fatal(err)
		}
		r := a.Receipt
		if r == nil || r.Model != "scripted" || len(r.Prompt) != 64 || len(r.Evidence) == 0 || len(r.Verdicts) == 0 || r.TokensIn < 1000 || r.Cost < .0024 {
			t.Errorf("%s: receipt %+v", a.ID, r)
			continue
		}
		if a.ID == "1" && !strings.Contains(r.Standalone, "先投后股") {
			t.Errorf("standalone question %q", r.Standalone)
		}
		if r.Outcome == bot.Used {
			used++
		}
		if (a.Model == "scripted") != (r.Outcome == bot.Used) {
			t.Errorf("model %s, outcome %s", a.Model, r.Outcome)
		}
	}
	if used == 0 {
		t.Error("no choice of the model was used:", p.out.String())
	}
	if strings.Contains(p.out.String()+p.err.String(), "sk-of-the-test") || s.keys[0] != "Bearer sk-of-the-test" {
		t.Error("the key is not where it belongs")
	}
}

// TestServeModel shows that a server says at its end what the model cost.
func TestServeModel(t *testing.T) {
	s := newChatService(t)
	p, url := serve(t, t.TempDir(), s.vars("ZHENGDA_LLM_PRICE_IN=2", "ZHENGDA_LLM_PRICE_OUT=8")...)
	if code, body := post(t, url+"/api/ask", `{"question":"先投后股写在哪一条?"}`); code != 200 || !strings.Contains(body, `"model":"scripted"`) {
		t.Errorf("%d %s", code, body)
	}
	p.end()
	const want = `msg="model used" answers=1 tokens_in=1000 tokens_out=50 cost=0.0024`
	if code := <-p.code; code != 0 || !strings.Contains(p.err.String(), want) {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// TestEvalModel compares without and with the model.
func TestEvalModel(t *testing.T) {
	s, dir := newChatService(t), t.TempDir()
	set := filepath.Join(dir, "set.jsonl")
	lines := `{"id":"a","type":"lookup","question":"先投后股写在哪一条?","gold_clauses":[17],"must_include":["先投后股"]}
{"id":"b","type":"unanswerable","question":"西安市科技局的办公电话是多少?","refuse":true}`
	if err := os.WriteFile(set, []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
	args := append(s.vars("ZHENGDA_LLM_PRICE_IN=2", "ZHENGDA_LLM_PRICE_OUT=8", "ZHENGDA_LLM_POOL=1"), "eval", "--model", "--json", set)
	var raw struct {
		Outcomes map[string]int
		Times    struct{ Model struct{ P50, P95 *int64 } } `json:"answer_ms"`
	}
	out := zhengda(t, filepath.Join(dir, "data"), args...)
	if err := json.Unmarshal([]byte(out), &raw); err != nil || raw.Times.Model.P95 == nil || raw.Outcomes == nil {
		t.Errorf("%v in %s", err, out)
	}
	for _, want := range []string{`"used":1`, `"builtin":{"cases":2,"ok":1,`, `"model":{"cases":2,"ok":1,`, `"asked":1`, `"tokens_in":`, `"cost":`} {
		if !strings.Contains(out, want) {
			t.Errorf("%s lacks %s", out, want)
		}
	}
	out = zhengda(t, filepath.Join(dir, "data"), append(s.vars(), "eval", "--model", set)...)
	for _, want := range []string{"lookup ", "ALL ", "model asked 1 of 2", "cost 0.0000", "p95"} {
		if !strings.Contains(out, want) {
			t.Errorf("%s lacks %s", out, want)
		}
	}
	data, prompt := t.TempDir(), "只用材料作答,一句一行。"
	if err := os.Mkdir(filepath.Join(data, "prompts"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "prompts", "system_zh.md"), []byte(prompt), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"--fresh", set}, {}} {
		s.asked = ""
		zhengda(t, data, append(s.vars(), append([]string{"eval", "--model"}, args...)...)...)
		if !strings.Contains(s.asked, prompt) {
			t.Errorf("eval --model %v does not ask with the prompts of the data folder", args)
		}
	}
	if p := start(t, dir, strings.NewReader(""), "eval", "--model", set); <-p.code != exitUsage || !strings.Contains(p.err.String(), "ZHENGDA_LLM_BASE_URL") {
		t.Errorf("without a model: %s", p.err.String())
	}
}

// TestModelSettings refuses what cannot be meant, before any question, and
// says which setting or file it is.
func TestModelSettings(t *testing.T) {
	s := newChatService(t)
	for _, c := range []struct{ set, file, text, want string }{
		{set: "ZHENGDA_LLM_PRICE_IN=-1", want: "ZHENGDA_LLM_PRICE_IN"},
		{set: "ZHENGDA_LLM_PRICE_OUT=dear", want: "ZHENGDA_LLM_PRICE_OUT"},
		{set: "ZHENGDA_LLM_POOL=0", want: "ZHENGDA_LLM_POOL"},
		{set: "ZHENGDA_LLM_MAX_TOKENS=many", want: "ZHENGDA_LLM_MAX_TOKENS"},
		{set: "ZHENGDA_LLM_BASE_URL=ftp://x", want: "ZHENGDA_LLM_BASE_URL"},
		{set: "ZHENGDA_LLM_BASE_URL=" + s.URL + "/v1?version=1", want: "query"},
		{set: "ZHENGDA_LLM_BASE_URL=" + s.URL + "/v1#part", want: "fragment"},
		{set: "ZHENGDA_LLM_BASE_URL=" + strings.Replace(s.URL, "//", "//name:word@", 1), want: "user"},
		{set: "ZHENGDA_LLM_MODEL=", want: "ZHENGDA_LLM_MODEL"},
		{set: "ZHENGDA_LLM_API_KEY= \tsk-of-the-test\r\n", want: ""},
		{set: "ZHENGDA_LLM_API_KEY=sk-of\n-the-test", want: "ZHENGDA_LLM_API_KEY"},
		{set: "ZHENGDA_LLM_API_KEY=", want: ""},
		{file: "user_zh.md", text: "问题:{{.Question}}", want: "user_zh.md"},
		{file: "retry_en.md", text: "{{.Problems", want: "retry_en.md"},
		{file: "system_zh.md", text: " ", want: "system_zh.md"},
		{file: "tools.json", text: "[]x", want: "tools.json"},
		{file: "system_zh.md", text: "只用材料作答。", want: ""},
	} {
		dir := t.TempDir()
		if c.file != "" {
			if err := os.MkdirAll(filepath.Join(dir, "prompts"), 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "prompts", c.file), []byte(c.text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		vars := s.vars()
		if c.set != "" {
			vars = append(vars, c.set)
		}
		p := start(t, dir, strings.NewReader(""), append(vars, "ask", "先投后股写在哪一条?")...)
		code := <-p.code
		if c.want == "" && code != 0 || c.want != "" && (code != exitUsage || !strings.Contains(p.err.String(), c.want) || strings.Contains(p.out.String(), "第17条")) {
			t.Errorf("%+v: exit code %d: %s", c, code, p.err.String())
		}
		if strings.Contains(p.err.String(), "sk-of") {
			t.Errorf("%+v: the key is shown: %s", c, p.err.String())
		}
		if c.file != "" && c.want == "" && !strings.Contains(s.asked, c.text) {
			t.Errorf("%+v: the model was not asked with it", c)
		}
	}
	for _, k := range s.keys {
		if k != "" && k != "Bearer sk-of-the-test" {
			t.Errorf("key %q", k)
		}
	}
}

// TestCompareTool compares versions for a model as far as the persona may know.
func TestCompareTool(t *testing.T) {
	s, dir, files := newChatService(t), t.TempDir(), t.TempDir()
	publish := func(name, text string, flags ...string) {
		file := filepath.Join(files, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		zhengda(t, dir, append([]string{"ingest", "--title", strings.TrimSuffix(name, ".txt"), file}, flags...)...)
	}
	const once, twice = "第一条 为支持企业,制定本办法。\n第二条 每张面额为2万元。\n", "第一条 为支持企业,制定本办法。\n第二条 每张面额为3万元。\n"
	publish("公开办法.txt", once)
	publish("公开办法.txt", twice)
	publish("内部办法.txt", once, "--audience", "staff")
	publish("内部办法.txt", twice, "--audience", "staff")
	publish("曾经内部办法.txt", once, "--audience", "staff")
	publish("曾经内部办法.txt", twice, "--audience", "public")
	ask := func(persona, args string) string {
		t.Helper()
		s.tool, s.args, s.results = "compare_versions", args, nil
		zhengda(t, dir, append(s.vars(), "ask", "--json", "--persona", persona, "先投后股写在哪一条?")...)
		if len(s.results) == 0 {
			t.Fatal("no tool was called")
		}
		return s.results[0]
	}
	const changed = "[-2-]{+3+}"
	for _, c := range []struct {
		persona, args string
		want          string
	}{
		{"enterprise", `{"document":"公开办法"}`, changed},
		{"enterprise", `{"document":"公开办法","from":"1","to":"2"}`, changed},
		{"enterprise", `{"document":"公开办法","from":"2","to":"2"}`, "没有不同"},
		{"enterprise", `{"document":"公开办法","from":"7"}`, "错误:没有这个版本"},
		{"enterprise", `{"document":"西安市科学技术局2024年度科技创新工作要点"}`, "错误:只有一个版本"},
		{"enterprise", `{"document":"内部办法"}`, "错误:没有这个版本"}, // of 曾经内部办法
		{"staff", `{"document":"内部办法"}`, changed},
		{"enterprise", `{"document":"曾经内部办法"}`, "错误:没有这个版本"},
		{"staff", `{"document":"曾经内部办法"}`, changed},
		{"enterprise", `{"document":""}`, "错误:"},
		{"enterprise", `{"document":"公开办法","persona":"admin"}`, "错误:"},
	} {
		got := ask(c.persona, c.args)
		if !strings.Contains(got, c.want) || c.want != changed && strings.Contains(got, "万元") {
			t.Errorf("%s %s: %s", c.persona, c.args, got)
		}
	}
}
