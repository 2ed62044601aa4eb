package bot_test

import (
	"context"
	"math/rand/v2"
	"net/http"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/internal/eval"
	"zhengda/internal/zh"
	"zhengda/seeds"
)

// TestRealModel runs the seeds' questions through the service at E2E_MODEL_URL
// and compares the answers with the built-in ones, type by type: none may fall
// by more than .02, and the service must have answered all. E2E_MODEL_CASES
// takes that many of the questions, evenly, and E2E_MODEL_TIME those that are
// answered within a duration.
func TestRealModel(t *testing.T) {
	url := os.Getenv("E2E_MODEL_URL")
	if url == "" {
		t.Skip("E2E_MODEL_URL is not set")
	}
	n, _ := strconv.Atoi(os.Getenv("E2E_MODEL_CASES"))
	if d, err := time.ParseDuration(os.Getenv("E2E_MODEL_TIME")); err == nil {
		limit = d
	}
	c := small(url)
	c.Timeout = 10 * time.Minute
	got := compare(t, c, n)
	t.Logf("\n%s", got)
	if n := unanswered(got); n > 0 || got.Asked == 0 {
		t.Fatalf("%d of %d questions asked were not answered by the service", n, got.Asked)
	}
	if name := os.Getenv("E2E_MODEL_TABLE"); name != "" {
		if err := os.WriteFile(name, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// unanswered counts the questions that the service did not answer, well or badly.
func unanswered(c eval.Comparison) int {
	n := 0
	for why, times := range c.Outcomes {
		if !strings.HasPrefix(why, "not used") {
			n += times
		}
	}
	return n
}

// TestDeadModel shows that a comparison with a service that does not answer, or
// lets nobody in, is none.
func TestDeadModel(t *testing.T) {
	for name, status := range map[string]int{"down": http.StatusInternalServerError, "denied": http.StatusUnauthorized, "lost": 0} {
		dead := transport(func(r *http.Request) (*http.Response, error) {
			if status == 0 {
				return nil, context.DeadlineExceeded
			}
			return &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {"0"}}, Body: http.NoBody, Request: r}, nil
		})
		got := compare(t, bot.ModelConfig{BaseURL: "http://service/v1", Name: "dead", HTTPClient: &http.Client{Transport: dead}}, 4)
		if got.Asked == 0 || unanswered(got) != got.Asked {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestFaithfulModel shows that a model that says the material as it is costs no
// answer anything.
func TestFaithfulModel(t *testing.T) {
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { say(w, strings.Join(faithful(q), "\n")) })
	if got := compare(t, bot.ModelConfig{BaseURL: s.URL, Name: "scripted"}, 0); got.Used < 20 || got.Asked < got.Used || unanswered(got) > 0 {
		t.Errorf("%s", got)
	}
}

// TestCarelessModel shows that a model that picks any sentence of any clause costs
// no kind of question more than .02.
func TestCarelessModel(t *testing.T) {
	material := regexp.MustCompile(`(?m)^\[(\d+)\][★☆]? [^:]*:(.*)$`)
	r := rand.New(rand.NewPCG(1, 2))
	var turn sync.Mutex
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		turn.Lock()
		defer turn.Unlock()
		clauses := material.FindAllStringSubmatch(q.text(), -1)
		m := clauses[r.IntN(len(clauses))]
		text, list := []rune(m[2]), zh.Sentences(m[2])
		p := list[r.IntN(len(list))]
		say(w, string(text[p.Start:p.End])+"["+m[1]+"]")
	})
	if got := compare(t, bot.ModelConfig{BaseURL: s.URL, Name: "scripted"}, 0); got.Used == 0 {
		t.Errorf("%s", got)
	}
}

// limit is how long compare asks on.
var limit = 24 * time.Hour

// small is for a small model on a slow machine: little to read, and short
// replies.
func small(url string) bot.ModelConfig {
	return bot.ModelConfig{BaseURL: url, Name: "smollm2", Given: 1, Reply: 96}
}

// compare scores the answers to some of the questions, all for 0, with a model
// and without.
func compare(t *testing.T, c bot.ModelConfig, some int) eval.Comparison {
	t.Helper()
	f, err := seeds.FS().Open(seeds.QuestionSets[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := eval.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	const stride = 37 // has no factor of 96, so that the first of them are an even sample
	all, until := cases, time.Now().Add(limit)
	cases = nil
	m, err := bot.NewModel(c)
	if err != nil {
		t.Fatal(err)
	}
	b := botWith(t, m, corpus)
	builtin := botWith(t, nil, corpus)
	var one, two []eval.Reply
	for i := range all {
		if some > 0 && i == some || time.Now().After(until) {
			break
		}
		c := all[i*stride%len(all)]
		cases = append(cases, c)
		bot.Wake(m)
		start := time.Now()
		x := ask(t, builtin, c.Ask())
		x.Timing.Total = time.Since(start).Milliseconds() // the bot's own clock stands still
		start = time.Now()
		y := ask(t, b, c.Ask())
		y.Timing.Total = time.Since(start).Milliseconds()
		x.ID, y.ID = c.ID, c.ID
		checkShown(t, y)
		one, two = append(one, eval.Reply{Answer: x}), append(two, eval.Reply{Answer: y})
	}
	is := eval.Compare(cases, one, two, &eval.Corpus{Paper: eval.PaperOf(corpus().Documents()[0])})
	if worse := is.Worse(.02); len(worse) > 0 {
		t.Errorf("worse by more than .02 with the model: %v", worse)
	}
	return is
}
