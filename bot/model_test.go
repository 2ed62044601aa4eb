package bot_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// chatRequest is what the scripted service reads of a request.
type chatRequest struct {
	Model    string `json:"model"`
	Messages []struct {
		Role    string          `json:"role"`
		Content json.RawMessage `json:"content"`
	} `json:"messages"`
	Tools     []json.RawMessage `json:"tools"`
	MaxTokens int               `json:"max_tokens"`
	raw       string
}

// text is all that the messages say.
func (r chatRequest) text() string {
	var b strings.Builder
	for _, m := range r.Messages {
		var s string
		if json.Unmarshal(m.Content, &s) != nil {
			var parts []struct{ Text string }
			json.Unmarshal(m.Content, &parts)
			for _, p := range parts {
				s += p.Text
			}
		}
		b.WriteString(s + "\n")
	}
	return b.String()
}

// service is a scripted OpenAI-compatible chat service.
func service(t testing.TB, behave func(w http.ResponseWriter, r *http.Request, q chatRequest)) *httptest.Server {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		var q chatRequest
		if err := json.Unmarshal(body, &q); err != nil {
			http.Error(w, "bad", http.StatusBadRequest)
			return
		}
		q.raw = string(body)
		behave(w, r, q)
	}))
	t.Cleanup(s.Close)
	return s
}

func say(w http.ResponseWriter, text string) {
	json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": text}, "finish_reason": "stop"}},
		"usage": map[string]int{"prompt_tokens": 900, "completion_tokens": 60}})
}

// call answers with tool calls, given as name and arguments in turn.
func call(w http.ResponseWriter, calls ...string) {
	var out []any
	for i := 0; i+1 < len(calls); i += 2 {
		out = append(out, map[string]any{"id": fmt.Sprint("c", i), "type": "function", "function": map[string]string{"name": calls[i], "arguments": calls[i+1]}})
	}
	json.NewEncoder(w).Encode(map[string]any{"choices": []any{map[string]any{"message": map[string]any{"role": "assistant", "content": "", "tool_calls": out}, "finish_reason": "tool_calls"}}})
}

var starredRE = regexp.MustCompile(`(?m)^\[(\d+)\][★☆] [^:]*:(.*)$`)

// faithful is the draft of a model that keeps to the built-in answer: sentences
// of the starred clauses, with their markers.
func faithful(q chatRequest) []string {
	var out []string
	text := q.text()
	_, asked, _ := strings.Cut(text, "问题:")
	for _, m := range starredRE.FindAllStringSubmatch(text, -1) {
		var lines []string
		r := []rune(m[2])
		for _, s := range zh.Sentences(m[2]) {
			if t := string(r[s.Start:s.End]); !strings.HasSuffix(t, "……") {
				lines = append(lines, t+"["+m[1]+"]")
			}
		}
		slices.SortStableFunc(lines, func(a, b string) int { return shared(b, asked) - shared(a, asked) })
		out = append(out, lines[:min(len(lines), 2)]...)
	}
	return out
}

// shared counts the pairs of characters of asked that s has.
func shared(s, asked string) int {
	n := 0
	for r := []rune(asked); len(r) > 1; r = r[1:] {
		if strings.Contains(s, string(r[:2])) {
			n++
		}
	}
	return n
}

func modelBot(t testing.TB, url string, timeout time.Duration, index func() *rag.Index) (*bot.Bot, *bot.Model) {
	t.Helper()
	m, err := bot.NewModel(bot.ModelConfig{BaseURL: url, Name: "scripted", Key: "sk-test-key", Timeout: timeout, PriceIn: 1, PriceOut: 2})
	if err != nil {
		t.Fatal(err)
	}
	return botWith(t, m, index), m
}

// TestModelPicks shows that a faithful draft is used, with verbatim quotes
// found by the program.
func TestModelPicks(t *testing.T) {
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { say(w, strings.Join(faithful(q), "\n")) })
	b, m := modelBot(t, s.URL, time.Minute, corpus)
	used := 0
	for _, q := range questions(t) {
		a := ask(t, b, q)
		if a.Model == "builtin" {
			continue
		}
		used++
		checkShown(t, a)
		if bad := b.Verify(q, a); len(bad) > 0 {
			t.Errorf("%s: %v\n%s", q.Question, bad, a.Text)
		}
	}
	if used < 20 {
		t.Errorf("%d choices used, want at least 20", used)
	}
	u := m.Usage()
	if u.TokensIn == 0 || u.Cost == 0 {
		t.Errorf("usage %+v", u)
	}
	t.Logf("%d of %d choices used; %+v", used, len(questions(t)), u)
}

var marker = regexp.MustCompile(`\[(\d+)\]`)

// checkShown checks an answer against the index alone: citations verbatim
// and supplied, and every figure of a line in the quotes that it cites.
func checkShown(t testing.TB, a bot.Answer) {
	t.Helper()
	if strings.TrimSpace(a.Text) == "" {
		t.Errorf("%s: empty answer", a.Question)
	}
	for _, c := range a.Citations {
		k, ok := corpus().Clause(c.ClauseID)
		if !ok || string([]rune(k.Text)[c.Start:c.End]) != c.Quote {
			t.Errorf("%s: citation %d is not verbatim", a.Question, c.N)
		}
		if a.Model != "builtin" && !slices.Contains(a.Receipt.Evidence, c.ClauseID) {
			t.Errorf("%s: %s was not supplied", a.Question, c.ClauseID)
		}
	}
	if a.Model == "builtin" {
		return
	}
	for line := range strings.Lines(a.Text) {
		var quotes string
		for _, m := range marker.FindAllStringSubmatch(line, -1) {
			for _, c := range a.Citations {
				if fmt.Sprint(c.N) == m[1] {
					quotes += c.Quote + "\n" + c.Document + "\n" + c.Label + "\n"
				}
			}
		}
		if quotes == "" {
			continue // said by the program
		}
		have := zh.Quantities(quotes)
		for _, f := range zh.Quantities(marker.ReplaceAllString(line, "")) {
			if !slices.ContainsFunc(have, f.Same) {
				t.Errorf("%s: figure %s%s stands in no quote: %s", a.Question, f.Value, f.Unit, line)
			}
		}
	}
}

// TestModelAbsent shows that the built-in answer comes in time, with a
// warning, when the model is down, slow, busy for ever, or denies.
func TestModelAbsent(t *testing.T) {
	release := make(chan struct{})
	t.Cleanup(func() { close(release) })
	down := httptest.NewServer(http.NotFoundHandler())
	down.Close()
	for name, url := range map[string]string{
		"down": down.URL,
		"slow": service(t, func(_ http.ResponseWriter, r *http.Request, _ chatRequest) {
			select {
			case <-time.After(30 * time.Second):
			case <-r.Context().Done():
			case <-release:
			}
		}).URL,
		"busy": service(t, func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { w.WriteHeader(http.StatusTooManyRequests) }).URL,
		"busy with Retry-After": service(t, func(w http.ResponseWriter, _ *http.Request, _ chatRequest) {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		}).URL,
		"denied": service(t, func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { w.WriteHeader(http.StatusUnauthorized) }).URL,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, _ := modelBot(t, url, 2*time.Second, corpus)
			start := time.Now()
			a := ask(t, b, bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?"})
			if took := time.Since(start); took > 20*time.Second { // the limit is 2 s; the slow service takes 30
				t.Errorf("took %s", took)
			}
			if a.Model != "builtin" || a.Status != bot.Answered || !slices.ContainsFunc(a.Warnings, func(w bot.Warning) bool { return w.Kind == "model" }) {
				t.Errorf("model %s, status %s, warnings %v", a.Model, a.Status, a.Warnings)
			}
		})
	}
}

// TestRetryAfter shows that a service that is busy for a moment is asked again.
func TestRetryAfter(t *testing.T) {
	var n atomic.Int32
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		if n.Add(1) <= 2 {
			w.Header().Set("Retry-After", "0")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		say(w, strings.Join(faithful(q), "\n"))
	})
	b, _ := modelBot(t, s.URL, time.Minute, corpus)
	if a := ask(t, b, bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?"}); a.Model != "scripted" {
		t.Errorf("model %s: %+v", a.Model, a.Receipt)
	}
}

// TestPrompts shows what a model is told, to the letter, and that no key is in
// it.
func TestPrompts(t *testing.T) {
	var told atomic.Pointer[chatRequest]
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		told.CompareAndSwap(nil, &q)
		say(w, "")
	})
	b, _ := modelBot(t, s.URL, time.Minute, corpus)
	for name, q := range map[string]string{"zh": "「先投后股」写在哪一条?原话怎么说?", "en": "Which clause mentions the 先投后股 pilot?"} {
		told.Store(nil)
		ask(t, b, bot.Ask{Question: q})
		if told.Load() == nil {
			t.Fatalf("%s: the model was not asked", name)
		}
		golden(t, "testdata/model/prompt_"+name+".txt", withoutOthers(told.Load().text()))
		if strings.Contains(told.Load().raw, "sk-test-key") {
			t.Error("the key is in the request's body")
		}
		if told.Load().MaxTokens == 0 || len(told.Load().Tools) != 4 {
			t.Errorf("max_tokens %d, %d tools", told.Load().MaxTokens, len(told.Load().Tools))
		}
	}
}

// withoutOthers leaves out the clauses beside those of the built-in answer.
func withoutOthers(s string) string {
	return regexp.MustCompile(`(?m)^\[\d+\] .*\n`).ReplaceAllString(s, "")
}

// TestDoctor shows what is said of a service, good and bad.
func TestDoctor(t *testing.T) {
	status := func(code int) func(http.ResponseWriter, *http.Request, chatRequest) {
		return func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		behave func(http.ResponseWriter, *http.Request, chatRequest)
		want   string // what fails
	}{
		"good":     {func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { call(w, "ping", "{}") }, ""},
		"denied":   {status(http.StatusForbidden), "密钥"},
		"busy":     {status(http.StatusTooManyRequests), "限流"},
		"other":    {status(http.StatusNotFound), "接受请求"},
		"page":     {func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { io.WriteString(w, "<html>") }, "可读"},
		"broken":   {status(http.StatusInternalServerError), "可达"},
		"mute":     {func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { say(w, "pong") }, "工具"},
		"thinking": {func(w http.ResponseWriter, _ *http.Request, _ chatRequest) { say(w, "<think>A tool named ping") }, "空"},
		"toolless": {func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
			if len(q.Tools) > 0 {
				w.WriteHeader(http.StatusBadRequest)
				return
			}
			say(w, "pong")
		}, "工具"},
	} {
		_, m := modelBot(t, service(t, c.behave).URL, time.Minute, corpus)
		failed := ""
		inEnglish := m.Doctor(context.Background(), true)
		for i, f := range m.Doctor(context.Background(), false) {
			if en := inEnglish[i]; f.OK != (f.Do == "") || f.OK != en.OK || strings.ContainsFunc(en.What+en.Do, zh.IsHan) {
				t.Errorf("%s: %+v %+v", name, f, en)
			}
			if !f.OK {
				failed += f.What
			}
		}
		if c.want == "" && failed != "" || !strings.Contains(failed, c.want) {
			t.Errorf("%s: failed %q, want %q", name, failed, c.want)
		}
	}
}

// TestToollessService shows that a service that refuses tools is asked without,
// and is offered them again after a while.
func TestToollessService(t *testing.T) {
	var refused atomic.Int32
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		if len(q.Tools) > 0 {
			refused.Add(1)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		say(w, strings.Join(faithful(q), "\n"))
	})
	b, m := modelBot(t, s.URL, time.Minute, corpus)
	start := time.Now()
	for i, after := range []time.Duration{0, time.Minute, time.Hour} {
		m.Now = func() time.Time { return start.Add(after) }
		if a := ask(t, b, bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?"}); a.Model != "scripted" {
			t.Errorf("model %s: %+v", a.Model, a.Receipt)
		}
		if want := []int32{1, 1, 2}[i]; refused.Load() != want {
			t.Errorf("after %s tools had been offered %d times, want %d", after, refused.Load(), want)
		}
	}
}

// BenchmarkModel measures what adapter and verification add to an answer: the
// service answers at once.
func BenchmarkModel(b *testing.B) {
	s := service(b, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { say(w, strings.Join(faithful(q), "\n")) })
	with, _ := modelBot(b, s.URL, time.Minute, corpus)
	without := botWith(b, nil, corpus)
	asks := questions(b)
	for name, x := range map[string]*bot.Bot{"builtin": without, "model": with} {
		b.Run(name, func(b *testing.B) {
			for i := 0; b.Loop(); i++ {
				x.Ask(b.Context(), asks[i%len(asks)])
			}
		})
	}
}

// golden compares got with a file; with the environment variable UPDATE set it
// writes the file.
func golden(t *testing.T, name, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs:\n%s", name, got)
	}
}

// botWith makes a bot over the seed's indicators and actual values, with a
// model and an index.
func botWith(t testing.TB, m *bot.Model, index func() *rag.Index) *bot.Bot {
	t.Helper()
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	_, store := newBot(t, true)
	return bot.New(bot.Config{Index: index, Lexicon: lex, KPI: kpi.NewTool(store, store, clock), Model: m, Now: clock})
}
