package bot_test

import (
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/internal/eval"
	"zhengda/seeds"
)

// TestRealModel runs the seeds' questions through the service at E2E_MODEL_URL
// and compares the answers with the built-in ones, type by type: none may fall
// by more than .02. E2E_MODEL_CASES takes that many of the questions, evenly.
func TestRealModel(t *testing.T) {
	url := os.Getenv("E2E_MODEL_URL")
	if url == "" {
		t.Skip("E2E_MODEL_URL is not set")
	}
	n, _ := strconv.Atoi(os.Getenv("E2E_MODEL_CASES"))
	compare(t, url, n)
}

// TestFaithfulModel shows that a model that says the material as it is costs no
// answer anything.
func TestFaithfulModel(t *testing.T) {
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { say(w, strings.Join(faithful(q), "\n")) })
	compare(t, s.URL, 0)
}

// compare scores the answers to some of the questions, all for 0, with the
// model at url and without.
func compare(t *testing.T, url string, some int) {
	f, err := seeds.FS().Open(seeds.QuestionSets[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cases, err := eval.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(cases); some > 0 && some < n {
		all := cases
		cases = nil
		for i := range some {
			cases = append(cases, all[i*n/some])
		}
	}
	b, m := modelBot(t, url, 3*time.Minute, corpus)
	for _, finding := range m.Doctor(t.Context()) {
		t.Logf("%+v", finding)
	}
	builtin := botWith(t, nil, corpus)
	var one, two []eval.Reply
	outcomes := map[string]int{}
	for _, c := range cases {
		bot.Wake(m)
		x, y := ask(t, builtin, c.Ask()), ask(t, b, c.Ask())
		x.ID, y.ID = c.ID, c.ID
		checkReworded(t, y)
		switch {
		case y.Receipt == nil:
			outcomes["not asked"]++
		default:
			outcomes[y.Receipt.Outcome]++
		}
		one, two = append(one, eval.Reply{Answer: x}), append(two, eval.Reply{Answer: y})
	}
	k := &eval.Corpus{Paper: eval.PaperOf(corpus().Documents()[0])}
	was, is := eval.Score(cases, one, k), eval.Score(cases, two, k)
	t.Logf("built-in\n%s\nmodel\n%s\noutcomes %v, %+v", was, is, outcomes, m.Usage())
	for i := range was.Types {
		if x, y := was.Types[i], is.Types[i]; x.OK != nil && y.OK != nil && float64(*y.OK) < float64(*x.OK)-.02 {
			t.Errorf("%s: %s with the model, %s without", x.Type, y.OK, x.OK)
		}
	}
}
