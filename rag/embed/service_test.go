package embed_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"zhengda/rag/embed"
	"zhengda/rag/embed/embedtest"
)

const secret = "sk-very-secret"

// request is what the service reads of an embedding request.
type request struct {
	Model     string   `json:"model"`
	Input     []string `json:"input"`
	InputType string   `json:"input_type"`
}

// server is an embedding service of hashed n-grams; its requests go to fault
// first, which answers them itself if it returns true.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	fault    func(n int, w http.ResponseWriter, r *http.Request) bool
	requests []request
	keys     []string
}

func newServer(t *testing.T) *server {
	s := new(server)
	e := embed.NewHashed(32)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q request
		if err := json.NewDecoder(r.Body).Decode(&q); err != nil || r.URL.Path != "/v1/embeddings" {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		s.mu.Lock()
		s.requests, s.keys = append(s.requests, q), append(s.keys, r.Header.Get("Authorization"))
		n, fault := len(s.requests)-2, s.fault // request -1 is the first check
		s.mu.Unlock()
		if fault != nil && fault(n, w, r) {
			return
		}
		texts := slices.Clone(q.Input)
		for i := range texts {
			texts[i] = q.InputType + texts[i]
		}
		vectors, _ := e.Embed(r.Context(), texts)
		reply(w, vectors)
	}))
	t.Cleanup(s.Close)
	return s
}

// reply answers with the last vector first.
func reply(w io.Writer, vectors [][]float32) {
	type datum struct {
		Index     int       `json:"index"`
		Embedding []float32 `json:"embedding"`
	}
	var data []datum
	for i, v := range vectors {
		for j := range v {
			v[j] *= 3 // not every service normalises
		}
		data = append(data, datum{i, v})
	}
	slices.Reverse(data)
	_ = json.NewEncoder(w).Encode(map[string]any{"object": "list", "data": data})
}

// config is for s, with a clock that records pauses instead of waiting.
func (s *server) config(pauses *[]time.Duration) embed.ServiceConfig {
	return embed.ServiceConfig{
		BaseURL: s.URL + "/v1/", Model: "m", Key: secret,
		HTTPClient: s.Client(),
		Now:        func() time.Time { return time.Date(2024, 11, 30, 8, 0, 0, 0, time.UTC) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			if pauses != nil {
				*pauses = append(*pauses, d)
			}
			return ctx.Err()
		},
	}
}

func TestService(t *testing.T) {
	s := newServer(t)
	e, err := embed.NewService(s.config(nil))
	if err != nil {
		t.Fatal(err)
	}
	if want := "m@" + strings.TrimPrefix(s.URL, "http://") + "/v1"; e.Name() != want || e.Dim() != 32 {
		t.Errorf("service %s of dimension %d, want %s of 32", e.Name(), e.Dim(), want)
	}
	embedtest.Run(t, e)
	if s.keys[0] != "Bearer "+secret || s.requests[0].Model != "m" || s.requests[0].InputType != "" {
		t.Errorf("the service was sent %+v with key %q", s.requests[0], s.keys[0])
	}
}

func TestServiceBatchesAndTypes(t *testing.T) {
	s := newServer(t)
	c := s.config(nil)
	c.Key, c.BatchSize, c.QueryType, c.PassageType = "", 2, "query", "passage"
	e, err := embed.NewService(c)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(e.Name(), "?query/passage") {
		t.Errorf("the name %s lacks the input types", e.Name())
	}
	if _, err := e.Embed(t.Context(), []string{"甲\n", "乙", "丙"}); err != nil {
		t.Fatal(err)
	}
	if _, err := e.EmbedQuery(t.Context(), "丁"); err != nil {
		t.Fatal(err)
	}
	want := []request{{"m", []string{"甲\n", "乙"}, "passage"}, {"m", []string{"丙"}, "passage"}, {"m", []string{"丁"}, "query"}}
	if got := s.requests[1:]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("requests %v, want %v", got, want)
	}
	if s.keys[0] != "" {
		t.Errorf("without a key the service was sent %q", s.keys[0])
	}
}

// status answers the first n requests with a code.
func status(code, n int, header ...string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(i int, w http.ResponseWriter, _ *http.Request) bool {
		if i < 0 || i >= n {
			return false
		}
		if len(header) == 2 {
			w.Header().Set(header[0], header[1])
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, `{"error":{"message":"no luck with key %s"}}`, secret)
		return true
	}
}

// answer answers all requests but the first with a text.
func answer(text string) func(int, http.ResponseWriter, *http.Request) bool {
	return func(i int, w http.ResponseWriter, _ *http.Request) bool {
		if i >= 0 {
			io.WriteString(w, text)
		}
		return i >= 0
	}
}

// vectors is an answer of the given dimensions to as many texts.
func vectors(dims ...int) string {
	var data []string
	for i, d := range dims {
		data = append(data, fmt.Sprintf(`{"index":%d,"embedding":[1%s]}`, i, strings.Repeat(",0", d-1)))
	}
	return fmt.Sprintf(`{"data":[%s]}`, strings.Join(data, ","))
}

func TestServiceFailures(t *testing.T) {
	hang := func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i >= 0 {
			<-r.Context().Done()
		}
		return i >= 0
	}
	cut := func(i int, w http.ResponseWriter, r *http.Request) bool {
		if i >= 0 {
			w.Header().Set("Content-Length", "1000")
			io.WriteString(w, `{"data":[`)
		}
		return i >= 0
	}
	const ms, s = time.Millisecond, time.Second
	for _, test := range []struct {
		name   string
		fault  func(int, http.ResponseWriter, *http.Request) bool
		err    string // "" if the retries succeed
		later  bool   // the error is ErrUnavailable
		pauses []time.Duration
	}{
		{"429 twice", status(429, 2), "", false, []time.Duration{500 * ms, s}},
		{"429 and Retry-After", status(429, 1, "Retry-After", "7"), "", false, []time.Duration{7 * s}},
		{"503 and a date", status(503, 1, "Retry-After", "Sat, 30 Nov 2024 08:00:09 GMT"), "", false, []time.Duration{9 * s}},
		{"Retry-After tomorrow", status(429, 9, "Retry-After", "86400"), "status 429", true, nil},
		{"500 for ever", status(500, 99), "after 4 attempts: status 500", true, []time.Duration{500 * ms, s, 2 * s}},
		{"401", status(401, 99), "no luck with key ***", false, nil},
		{"cut off", cut, "unexpected EOF", true, []time.Duration{500 * ms, s, 2 * s}},
		{"hang", hang, "deadline", true, nil},
		{"not JSON", answer("<html>Bad gateway</html>"), "invalid character", false, nil},
		{"no vectors", answer(`{"data":[]}`), "", false, nil},
		{"too few", answer(vectors(32)), "unexpected length", false, nil},
		{"too many", answer(vectors(32, 32, 32)), "unexpected length", false, nil},
		{"another dimension", answer(vectors(32, 31)), "dimension 31, want 32", false, nil},
		{"NaN", answer(`{"data":[{"index":0,"embedding":[NaN]}]}`), "invalid character", false, nil},
		{"overflow", answer(strings.ReplaceAll(vectors(32, 32), "[1,", "[1e39,")), "cannot unmarshal", false, nil},
		{"zero vector", answer(strings.ReplaceAll(vectors(32, 32), "[1,", "[0,")), "length 0", false, nil},
		{"index twice", answer(strings.Replace(vectors(32, 32), `"index":1`, `"index":0`, 1)), "not numbered", false, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := newServer(t)
			server.fault = test.fault
			var pauses []time.Duration
			e, err := embed.NewService(server.config(&pauses))
			if err != nil {
				t.Fatal(err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			if test.name == "hang" {
				ctx, cancel = context.WithTimeout(t.Context(), 50*ms)
			}
			defer cancel()
			v, err := e.Embed(ctx, []string{"甲", "乙"})
			succeeds := test.err == "" && test.pauses != nil
			switch {
			case succeeds && (err != nil || embed.Check(v, 2, 32) != nil):
				t.Errorf("%d vectors, error %v", len(v), err)
			case !succeeds && (err == nil || v != nil || !strings.Contains(err.Error(), test.err)):
				t.Errorf("%d vectors, error %v, want %q", len(v), err, test.err)
			}
			if err != nil && strings.Contains(err.Error(), secret) {
				t.Errorf("the error tells the key: %v", err)
			}
			if errors.Is(err, embed.ErrUnavailable) != test.later {
				t.Errorf("ErrUnavailable: %v in %v", !test.later, err)
			}
			if !slices.Equal(pauses, test.pauses) {
				t.Errorf("pauses %v, want %v", pauses, test.pauses)
			}
		})
	}
}

func TestNewService(t *testing.T) {
	s := newServer(t)
	down := httptest.NewServer(nil)
	down.Close()
	for _, test := range []struct {
		name   string
		change func(*embed.ServiceConfig)
		err    string
		dim    int
	}{
		{"dimension found", func(c *embed.ServiceConfig) {}, "", 32},
		{"dimension as told", func(c *embed.ServiceConfig) { c.Dim = 32 }, "", 32},
		{"another dimension", func(c *embed.ServiceConfig) { c.Dim = 384 }, "dimension 32, want 384", 0},
		{"down", func(c *embed.ServiceConfig) { c.BaseURL = down.URL }, "unavailable after 4 attempts", 0},
		{"down, dimension known", func(c *embed.ServiceConfig) { c.BaseURL, c.Dim = down.URL, 32 }, "", 32},
		{"wrong path", func(c *embed.ServiceConfig) { c.BaseURL = s.URL }, "400", 0},
		{"no model", func(c *embed.ServiceConfig) { c.Model = "" }, "no model", 0},
		{"no address", func(c *embed.ServiceConfig) { c.BaseURL = "" }, "base URL", 0},
		{"no scheme", func(c *embed.ServiceConfig) { c.BaseURL = "localhost:8080" }, "base URL", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := s.config(nil)
			test.change(&c)
			e, err := embed.NewService(c)
			if test.err == "" {
				if err != nil || e.Dim() != test.dim {
					t.Errorf("service %v, error %v", e, err)
				}
				return
			}
			if err == nil || !strings.Contains(err.Error(), test.err) {
				t.Errorf("error %v, want %q", err, test.err)
			}
		})
	}
}

// TestRealService embeds through the OpenAI-compatible service whose address
// is in ZHENGDA_TEST_EMBED_BASE_URL (make e2e-embed).
func TestRealService(t *testing.T) {
	base := os.Getenv("ZHENGDA_TEST_EMBED_BASE_URL")
	if base == "" {
		t.Skip("ZHENGDA_TEST_EMBED_BASE_URL is not set")
	}
	e, err := embed.NewService(embed.ServiceConfig{
		BaseURL: base, Model: "multilingual-e5-small", QueryType: "query", PassageType: "passage",
	})
	if err != nil {
		t.Fatal(err)
	}
	if e.Dim() != 384 {
		t.Errorf("dimension %d, want 384", e.Dim())
	}
	embedtest.Run(t, e)
	passages, err := e.Embed(t.Context(), []string{
		"推进政务新媒体与政府网站整体协同。",
		"探索开展“先投后股”试点工作，支持一批科技成果转化和科技人才创业企业。",
	})
	if err != nil {
		t.Fatal(err)
	}
	q, err := e.EmbedQuery(t.Context(), "政府能不能先投资、以后再转成股权")
	if err != nil {
		t.Fatal(err)
	}
	if wrong, right := embedtest.Cosine(q, passages[0]), embedtest.Cosine(q, passages[1]); right <= wrong {
		t.Errorf("cosine %.3f to the clause that answers, %.3f to another", right, wrong)
	}
	as, err := e.Embed(t.Context(), []string{"政府能不能先投资、以后再转成股权"})
	if err != nil {
		t.Fatal(err)
	}
	if embedtest.Cosine(q, as[0]) > .9999 {
		t.Error("the service ignores input_type")
	}
	down, err := embed.NewService(embed.ServiceConfig{BaseURL: base + "/nowhere", Model: "m"})
	if err == nil {
		t.Errorf("a wrong path gives the service %s", down.Name())
	}
}
