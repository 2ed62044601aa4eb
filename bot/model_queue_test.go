package bot_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"zhengda/bot"
	"zhengda/rag"
)

// transport is a service in the process, which synctest can wait for.
type transport func(r *http.Request) (*http.Response, error)

func (f transport) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// vouchers is an index of one small document.
func vouchers(t testing.TB) *rag.Index {
	t.Helper()
	doc := rag.Document{ID: "d", Title: "南山市科技创新券管理办法", Version: "1"}
	for i, text := range []string{"科技创新券每张面额为2万元。", "科技创新券由市科技局管理。"} {
		doc.Clauses = append(doc.Clauses, rag.Clause{ID: fmt.Sprintf("d#%d", i+1), Document: "d", Label: fmt.Sprintf("第%d条", i+1), Number: i + 1, Text: text})
	}
	x, err := rag.Build(t.Context(), []rag.Document{doc}, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return x
}

const voucherReply = `{"choices":[{"message":{"role":"assistant","content":"科技创新券每张面额为2万元。[1]"},"finish_reason":"stop"}],"usage":{"prompt_tokens":%s,"completion_tokens":%s}}`

// voucherBot asks the service about vouchers, within two seconds.
func voucherBot(t testing.TB, service transport) *bot.Bot {
	t.Helper()
	m, err := bot.NewModel(bot.ModelConfig{BaseURL: "http://service/v1", Name: "scripted", Timeout: 2 * time.Second, HTTPClient: &http.Client{Transport: service}})
	if err != nil {
		t.Fatal(err)
	}
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	x := vouchers(t)
	return bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, Model: m})
}

// TestQueue asks far more at once than a well service can answer in time: what
// is too late gets the built-in answer, no call is made for it, and the next
// question is answered. A service that hangs is left alone.
func TestQueue(t *testing.T) {
	for name, c := range map[string]struct {
		takes time.Duration
		last  string // outcome of the last question
	}{"well": {500 * time.Millisecond, bot.Used}, "hangs": {time.Hour, "resting"}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				calls := 0
				b := voucherBot(t, func(r *http.Request) (*http.Response, error) {
					mu.Lock()
					calls++
					mu.Unlock()
					select {
					case <-time.After(c.takes):
					case <-r.Context().Done():
						return nil, r.Context().Err()
					}
					return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(voucherReply, "900", "60"))), Request: r}, nil
				})
				q := bot.Ask{Question: "科技创新券每张面额多少?"}
				outcomes := map[string]int{}
				var all sync.WaitGroup
				for range 60 {
					all.Go(func() {
						a := ask(t, b, q)
						mu.Lock()
						defer mu.Unlock()
						outcomes[a.Receipt.Outcome]++
					})
				}
				all.Wait()
				if n := outcomes[bot.ErrModelFull.Error()]; calls > 16 || n < 60-calls || c.last == bot.Used && outcomes[bot.Used] < 12 {
					t.Errorf("%d calls, outcomes %v", calls, outcomes)
				}
				if a := ask(t, b, q); a.Receipt.Outcome != c.last {
					t.Errorf("after them %s, want %s", a.Receipt.Outcome, c.last)
				}
			})
		})
	}
}

// TestCounts shows that counts of tokens that cannot be are estimated.
func TestCounts(t *testing.T) {
	for _, c := range []struct {
		in, out string
		counted bool
	}{{"900", "60", true}, {"900", "0", true}, {"-900000", "60", false}, {"900", "-60", false}, {"9223372036854775807", "60", false}, {"900", "9223372036854775807", false}, {"null", "null", false}} {
		b := voucherBot(t, func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(fmt.Sprintf(voucherReply, c.in, c.out))), Request: r}, nil
		})
		r := ask(t, b, bot.Ask{Question: "科技创新券每张面额多少?"}).Receipt
		in, out := fmt.Sprint(r.TokensIn), fmt.Sprint(r.TokensOut)
		if counted := in == c.in && out == c.out; counted != c.counted || r.TokensIn < 100 || r.TokensIn > 5000 || r.TokensOut < 0 || r.TokensOut > 100 || r.Outcome != bot.Used {
			t.Errorf("%s and %s: %+v", c.in, c.out, r)
		}
	}
}
