package bot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
)

// exchange is one recorded answer of a service. Headers, and with them keys,
// are never recorded; what looks like a key in the bodies is taken out.
type exchange struct {
	Request  json.RawMessage `json:"request"`
	Status   int             `json:"status"`
	Response json.RawMessage `json:"response"`
}

// tape is a transport that records exchanges, or plays them in their order
// where next is nil.
type tape struct {
	next http.RoundTripper
	list []exchange
	at   int
}

var keyRE = regexp.MustCompile(`(?i)(sk-[a-z0-9_-]{8,}|xox[a-z]-[a-z0-9-]+|bearer\s+[a-z0-9._-]{8,}|"api[_-]?key"\s*:\s*"[^"]*")`)

// pathRE is where a server names the file that its model is in.
var pathRE = regexp.MustCompile(`"model":"/[^"]*"`)

func scrub(b []byte) json.RawMessage {
	return pathRE.ReplaceAll(keyRE.ReplaceAll(b, []byte("KEY")), []byte(`"model":"smollm2"`))
}

func (p *tape) RoundTrip(r *http.Request) (*http.Response, error) {
	sent, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	if p.next == nil {
		if p.at == len(p.list) {
			return nil, fmt.Errorf("the recording ends after %d exchanges", p.at)
		}
		p.at++
		x := p.list[p.at-1]
		return &http.Response{StatusCode: x.Status, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader(x.Response)), Request: r}, nil
	}
	r.Body = io.NopCloser(bytes.NewReader(sent))
	res, err := p.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	got, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	p.list = append(p.list, exchange{scrub(sent), res.StatusCode, scrub(got)})
	res.Body = io.NopCloser(bytes.NewReader(got))
	return res, nil
}

const recording = "testdata/model/smollm2.json"

// TestReplay plays what a real small model said to three questions; with
// E2E_MODEL_RECORD set it records that anew. Whatever the model said, what is
// shown verifies.
func TestReplay(t *testing.T) {
	p, url := &tape{}, "http://127.0.0.1/v1"
	if to := os.Getenv("E2E_MODEL_RECORD"); to != "" {
		p.next, url = http.DefaultTransport, to
	} else {
		b, err := os.ReadFile(recording)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(b, &p.list); err != nil {
			t.Fatal(err)
		}
	}
	c := small(url)
	c.Key, c.Timeout, c.HTTPClient = "sk-secret-of-the-test", 10*time.Minute, &http.Client{Transport: p}
	m, err := bot.NewModel(c)
	if err != nil {
		t.Fatal(err)
	}
	b := botWith(t, m, corpus)
	for _, q := range []string{"「先投后股」写在哪一条?原话怎么说?", "2024年高新技术企业的目标是多少?", "Which clause mentions the 先投后股 pilot?"} {
		a := ask(t, b, bot.Ask{Question: q})
		checkShown(t, a)
		if a.Status != bot.Answered || a.Receipt == nil || a.Receipt.Steps == 0 {
			t.Errorf("%s: %s, %+v", q, a.Status, a.Receipt)
		}
	}
	if p.next == nil {
		return
	}
	out, err := json.MarshalIndent(p.list, "", " ")
	if err == nil {
		err = os.WriteFile(recording, out, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestNoKeysRecorded looks for keys in everything recorded.
func TestNoKeysRecorded(t *testing.T) {
	files, err := filepath.Glob("testdata/model/*")
	if err != nil || len(files) == 0 {
		t.Fatal("nothing recorded", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if k := keyRE.Find(b); k != nil || pathRE.Match(b) || strings.Contains(string(b), "secret-of-the-test") {
			t.Errorf("%s holds %q", f, k)
		}
	}
	if got := string(scrub([]byte(`{"api_key":"abc","x":"sk-abcdefgh12345678"}`))); strings.Contains(got, "abc") {
		t.Error(got)
	}
}
