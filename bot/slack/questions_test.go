package slack

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/ingest"
	"zhengda/internal/db"
	"zhengda/rag"
	"zhengda/rag/embed"
	"zhengda/seeds"
)

// realBot answers from the built-in document, with invented actual values.
func realBot(t *testing.T) *bot.Bot {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	files, err := fs.Glob(seeds.Documents(), "*.txt")
	must(err)
	raw, err := fs.ReadFile(seeds.Documents(), files[0])
	must(err)
	text, err := ingest.Decode(raw)
	must(err)
	doc := ingest.Parse(text).Document("d")
	model, err := embed.Builtin()
	must(err)
	vectors := rag.OpenVectors(t.TempDir(), seeds.Vectors())
	t.Cleanup(func() { vectors.Close() })
	x, err := rag.Build(t.Context(), []rag.Document{doc}, rag.Options{Embedder: model, Cache: vectors})
	must(err)
	d, err := db.Open(filepath.Join(t.TempDir(), "kpi.db"))
	must(err)
	t.Cleanup(func() { d.Close() })
	now := func() time.Time { return time.Date(2024, 10, 15, 9, 0, 0, 0, time.UTC) }
	store, err := kpi.NewStore(t.Context(), d, now)
	must(err)
	inds, err := seeds.Indicators()
	must(err)
	inds, _ = kpi.Bind(doc, inds)
	must(store.Put(t.Context(), inds...))
	f, err := seeds.FS().Open(seeds.Actuals)
	must(err)
	defer f.Close()
	_, _, err = store.Import(t.Context(), f, "test")
	must(err)
	lexicon, err := bot.NewLexicon(nil)
	must(err)
	return bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lexicon, KPI: kpi.NewTool(store, store, now), Stage: Stage, Now: now})
}

// questionSet are the questions of the seeds.
func questionSet(t *testing.T) (asks []bot.Ask) {
	t.Helper()
	for _, name := range seeds.QuestionSets {
		f, err := seeds.FS().Open(name)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		for s := bufio.NewScanner(f); s.Scan(); {
			var a bot.Ask
			if err := json.Unmarshal(s.Bytes(), &a); err != nil {
				t.Fatal(err)
			}
			asks = append(asks, a)
		}
	}
	return asks
}

// TestQuestionSet asks every question of the seeds in public channels, as an
// enterprise and as staff: every citation of every answer is shown, nothing is
// beyond Slack's limits, and no actual value is seen by all.
func TestQuestionSet(t *testing.T) {
	b, asks := realBot(t), questionSet(t)
	r := newRig(t, nil)
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		var i int
		if _, err := fmt.Sscanf(q.Question, "问题 %d", &i); err != nil {
			return bot.Answer{}, err
		}
		as := asks[i]
		as.Persona = q.Persona
		return b.Ask(ctx, as)
	}
	ts := func(i int) string { return fmt.Sprintf("17%08d.000001", i) }
	users := map[string]string{"C": "U1", "P": "USTAFF"} // channels by who asks in them
	for i := range asks {
		for prefix, user := range users {
			channel := fmt.Sprint(prefix, i)
			r.say(t, mention(channel, ts(i), "", user, fmt.Sprintf("问题 %d?", i)))
			r.answered(t, channel, ts(i))
		}
	}
	whispers := map[string][]string{}
	for _, w := range r.whispers() {
		whispers[w.channel] = append(whispers[w.channel], w.text+w.blocks)
	}
	var citations, private, withActual int
	for i := range asks {
		for prefix := range users {
			channel := fmt.Sprint(prefix, i)
			s, err := r.app.stored(t.Context(), answerID(key{fakeTeam, channel, ts(i)}, ""))
			if err != nil {
				t.Fatal(err)
			}
			var texts []string
			for _, m := range r.answersTo(channel, ts(i)) {
				texts = append(texts, m.text+m.blocks)
			}
			public := strings.Join(texts, "\n")
			for _, f := range s.answer.Figures {
				if f.Actual == "" {
					continue
				}
				withActual++
				if number(f.Actual).MatchString(public) {
					t.Errorf("question %s, asked by %s: the actual value %s is seen by all", asks[i].ID, s.persona, f.Actual)
				}
			}
			seen := public
			if s.private {
				private++
				seen = strings.Join(whispers[channel], "\n")
			}
			for n, c := range s.answer.Citations {
				citations++
				if !strings.Contains(seen, footnote(c.N)) || !strings.Contains(seen, fmt.Sprintf(`"%s:%d"`, s.id, n)) {
					t.Errorf("question %s, asked by %s: citation %d is lost", asks[i].ID, s.persona, c.N)
				}
			}
			checkRendered(t, s.answer, look{id: s.id, share: true})
		}
	}
	for _, value := range []string{"12100", "15230"} {
		if slices.ContainsFunc(r.messages, func(m *fakeMessage) bool { return number(value).MatchString(m.text + m.blocks) }) {
			t.Errorf("the actual value %s is seen by all", value)
		}
	}
	if withActual == 0 || private == 0 {
		t.Error("no answer holds an actual value: nothing was tested")
	}
	t.Logf("%d answers, %d private, with %d citations", 2*len(asks), private, citations)
}

// number matches a number that stands alone.
func number(s string) *regexp.Regexp {
	return regexp.MustCompile(`(^|[^0-9.])` + regexp.QuoteMeta(s) + `([^0-9]|$)`)
}
