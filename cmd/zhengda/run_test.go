package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/rag/embed"
)

// buffer is a bytes.Buffer that several goroutines may use.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// process is a run of the program inside the test.
type process struct {
	*app
	out, err buffer
	end      context.CancelFunc
	code     chan int
}

// start runs a command line on a data folder until it ends or the test does.
// Arguments that begin with ZHENGDA_ or SLACK_ are variables.
func start(t *testing.T, dir string, in io.Reader, args ...string) *process {
	t.Helper()
	p := &process{code: make(chan int, 1)}
	env := map[string]string{"ZHENGDA_DATA": dir, "LC_ALL": "zh_CN.UTF-8", "USER": "test"}
	for len(args) > 0 && (strings.HasPrefix(args[0], "ZHENGDA_") || strings.HasPrefix(args[0], "SLACK_")) {
		name, value, _ := strings.Cut(args[0], "=")
		env[name] = value
		args = args[1:]
	}
	p.app = &app{in: in, out: &p.out, err: &p.err, getenv: func(name string) string { return env[name] }, now: time.Now}
	ctx, cancel := context.WithCancel(context.Background())
	p.end = cancel
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.code <- p.run(ctx, args)
	}()
	t.Cleanup(func() { cancel(); <-done })
	return p
}

// zhengda runs a command line and returns its output; it must end with 0.
func zhengda(t *testing.T, dir string, args ...string) string {
	t.Helper()
	p := start(t, dir, strings.NewReader(""), args...)
	if code := <-p.code; code != 0 {
		t.Fatalf("zhengda %q: exit code %d: %s", args, code, p.err.String())
	}
	return p.out.String()
}

// await waits for something to be so.
func await(t *testing.T, limit time.Duration, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !so(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", limit, what)
		}
	}
}

const patience = 2 * time.Minute

func TestChatInterrupted(t *testing.T) {
	in, lines := io.Pipe()
	defer lines.Close()
	p := start(t, t.TempDir(), in, "chat")
	fmt.Fprintln(lines, "先投后股写在哪一条?")
	await(t, patience, "an answer", func() bool { return strings.Contains(p.out.String(), "第17条") })
	p.end()
	if code := <-p.code; code != 0 || strings.Contains(p.err.String(), "goroutine") {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// post asks a running server.
func post(t *testing.T, url, body string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequest("POST", url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	r, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	b, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return r.StatusCode, string(b)
}

// serve starts a server on a data folder and returns it with its address.
func serve(t *testing.T, dir string, vars ...string) (*process, string) {
	t.Helper()
	p := start(t, dir, strings.NewReader(""), append(vars, "serve", "--addr", "127.0.0.1:0")...)
	var url string
	await(t, patience, "the server's address", func() bool {
		url = regexp.MustCompile(`http://\S+`).FindString(p.err.String())
		return url != ""
	})
	return p, url
}

func TestServe(t *testing.T) {
	dir := t.TempDir()
	zhengda(t, dir, "kpi", "record", "gaoqi_total", "12100", "--as-of", "2024-09-30", "--source", "测试")
	p, url := serve(t, dir)
	r, err := http.Get(url + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	var health struct {
		Status    string
		Documents int
	}
	if err := json.NewDecoder(r.Body).Decode(&health); err != nil || r.StatusCode != 200 || health.Status != "ok" || health.Documents != 1 {
		t.Errorf("health %d %+v %v", r.StatusCode, health, err)
	}
	r.Body.Close()

	code, body := post(t, url+"/api/ask", `{"id":"a","question":"先投后股写在哪一条?"}`)
	var answer bot.Answer
	if err := json.Unmarshal([]byte(body), &answer); err != nil || code != 200 || answer.ID != "a" || len(answer.Citations) == 0 || answer.Citations[0].Clause != 17 {
		t.Errorf("%d %s", code, body)
	}
	for _, persona := range []string{"staff", "admin", "king", ""} {
		code, body := post(t, url+"/api/ask", `{"question":"高企现在多少家?","persona":"`+persona+`"}`)
		if code != 200 || strings.Contains(body, "12100") {
			t.Errorf("persona %q: %d %s", persona, code, body)
		}
	}
	for _, c := range []struct {
		body string
		code int
		want string
	}{
		{`{`, 400, "JSON"},
		{`{"question":" "}`, 400, "问题是空的"},
		{`{"question":"x","as_of":"2024-02-30"}`, 400, "2024-02-30"},
		{`{"question":"` + strings.Repeat("先", 1<<20) + `"}`, 413, "字节"},
	} {
		if code, body := post(t, url+"/api/ask", c.body); code != c.code || !strings.Contains(body, c.want) {
			t.Errorf("%.40s: %d %s; want %d and %s", c.body, code, body, c.code, c.want)
		}
	}
	if code, body := post(t, url+"/api/ask", `{"question":"x"}`, "Origin", "https://elsewhere.example"); code != 403 {
		t.Errorf("from another site: %d %s", code, body)
	}
	if r, err := http.Get(url + "/api/ask"); err != nil || r.StatusCode != 405 {
		t.Errorf("GET: %v %v", r, err)
	}
	p.end()
	if code := <-p.code; code != 0 {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
}

// TestServeSwitches publishes, removes and goes back beside a running server,
// which answers from each new state within a second, and never fails.
func TestServeSwitches(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	_, url := serve(t, dir)
	name := filepath.Join(files, "办法.txt")
	write := func(amount string) {
		text := "南山市科技创新券管理办法\n\n第一条 为了支持企业,制定本办法。\n第二条 科技创新券每张面额为" + amount + "。\n"
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			default:
			}
			if code, body := post(t, url+"/api/ask", `{"question":"先投后股写在哪一条?"}`); code != 200 || !strings.Contains(body, `"clause":17`) {
				t.Errorf("beside a publication: %d %s", code, body)
				return
			}
		}
	}()
	says := func(want string) func() bool {
		return func() bool {
			_, body := post(t, url+"/api/ask", `{"question":"南山市科技创新券每张面额多少?"}`)
			return strings.Contains(body, want)
		}
	}
	for _, amount := range []string{"2万元", "3万元"} {
		write(amount)
		zhengda(t, dir, "ingest", name)
		await(t, patience, amount, says(amount))
	}
	zhengda(t, dir, "docs", "rollback", "南山市科技创新券管理办法")
	await(t, patience, "rollback", says("2万元"))
	zhengda(t, dir, "docs", "remove", "南山市科技创新券管理办法")
	await(t, patience, "removal", func() bool { return !says("2万元")() })
	close(stop)
	<-stopped
}

// TestEmbeddingService changes the embedder of a folder, which makes the index
// anew; while the service is down, questions are answered by words, with a
// warning, and its vectors stay.
func TestEmbeddingService(t *testing.T) {
	var texts atomic.Int64
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct{ Input []string }
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		texts.Add(int64(len(in.Input)))
		vectors, _ := embed.NewHashed(64).Embed(r.Context(), in.Input)
		type item struct {
			Index     int       `json:"index"`
			Embedding []float32 `json:"embedding"`
		}
		var out struct {
			Data []item `json:"data"`
		}
		for i, v := range vectors {
			out.Data = append(out.Data, item{i, v})
		}
		json.NewEncoder(w).Encode(out)
	}))
	defer service.Close()
	dir := t.TempDir()
	ask := func(vars ...string) (string, string) {
		t.Helper()
		p := start(t, dir, strings.NewReader(""), append(vars, "ask", "先投后股写在哪一条?")...)
		if code := <-p.code; code != 0 || !strings.Contains(p.out.String(), "第17条") {
			t.Fatalf("exit code %d: %s%s", code, p.out.String(), p.err.String())
		}
		return p.out.String(), p.err.String()
	}
	ask()
	vars := []string{"ZHENGDA_EMBED_BASE_URL=" + service.URL + "/v1", "ZHENGDA_EMBED_MODEL=hashed", "ZHENGDA_EMBED_API_KEY=secret"}
	if _, said := ask(vars...); !strings.Contains(said, "嵌入模型有变") {
		t.Errorf("another embedder: %q", said)
	}
	all := texts.Swap(0)
	if _, said := ask(vars...); said != "" || texts.Load() > 3 || all < 30 {
		t.Errorf("%d texts embedded, then %d: %q", all, texts.Load(), said)
	}
	service.Close()
	if _, said := ask(vars...); !strings.Contains(said, "只按字词检索") || strings.Contains(said, "索引") {
		t.Errorf("service down: %q", said)
	}
	if p := start(t, dir, strings.NewReader(""), append(vars, "docs", "list")...); <-p.code != 0 {
		t.Errorf("docs list needs the service: %s", p.err.String())
	}
}
