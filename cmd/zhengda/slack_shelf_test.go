package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhengda/bot"
	"zhengda/bot/slack"
)

// opened is what answers from a data folder.
func opened(t *testing.T, dir string) *answerer {
	t.Helper()
	p := start(t, dir, strings.NewReader(""), "version") // an app with its surroundings
	<-p.code
	s, err := p.answerer(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.close)
	return s
}

// TestSlackShelf: clauses come in the version that is cited, also when it is
// not the active one; what is for staff is not found by others.
func TestSlackShelf(t *testing.T) {
	dir, files := t.TempDir(), t.TempDir()
	name := filepath.Join(files, "办法.txt")
	publish := func(amount string, more ...string) {
		t.Helper()
		text := "南山市科技创新券管理办法\n\n第一条 为了支持企业,制定本办法。\n第二条 科技创新券每张面额为" + amount + "。\n"
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		zhengda(t, dir, append([]string{"ingest", name}, more...)...)
	}
	publish("2万元")
	publish("3万元")
	s := opened(t, dir)
	ask := func(persona bot.Persona, titles ...string) bot.Answer {
		t.Helper()
		q := bot.Ask{Question: "科技创新券每张面额多少?", Persona: persona}
		a, err := s.ask(t.Context(), q)
		if len(titles) > 0 {
			a, err = s.askIn(t.Context(), q, titles)
		}
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	a := ask(bot.Enterprise)
	if len(a.Citations) == 0 || !strings.Contains(a.Text, "3万元") {
		t.Fatalf("answer: %s", a.Text)
	}
	for titles, has := range map[string]bool{"《南山市科技创新券管理办法》": false, "南山市科技创新券管理办法": true, "西安市科学技术局2024年度科技创新工作要点": false, "没有的文件": false} {
		if got := ask(bot.Enterprise, titles); strings.Contains(got.Text, "3万元") != has {
			t.Errorf("in %s: %s", titles, got.Text)
		}
	}

	cited := a.Citations[0]
	clause := func(version string, p bot.Persona) string {
		c := cited
		c.Version = version
		k, err := shelf{s}.Clause(t.Context(), c, p)
		if err != nil && !errors.Is(err, slack.ErrNotFound) {
			t.Fatal(err)
		}
		return k.Text
	}
	for version, want := range map[string]string{"1": "2万元", cited.Version: "3万元", "77": "3万元"} {
		if got := clause(version, bot.Enterprise); !strings.Contains(got, want) {
			t.Errorf("version %s: %q", version, got)
		}
	}

	publish("4万元", "--audience", "staff")
	if err := s.refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{"1", "3"} {
		if got := clause(version, bot.Enterprise); got != "" {
			t.Errorf("an enterprise reads version %s: %s", version, got)
		}
	}
	if got := clause("3", bot.Staff); !strings.Contains(got, "4万元") {
		t.Errorf("staff read %q", got)
	}
	for p, n := range map[bot.Persona]int{bot.Enterprise: 1, bot.Staff: 2} {
		titles, _ := shelf{s}.Documents(t.Context(), p)
		found, _ := shelf{s}.Find(t.Context(), "《科技创新券管理办法》第二条", p)
		if len(titles) != n || len(found) != n-1 {
			t.Errorf("%s: %d documents, %d clauses", p, len(titles), len(found))
		}
	}
}

// TestSlackGauges: others than staff get targets alone, and no indicator of a
// document for staff.
func TestSlackGauges(t *testing.T) {
	dir := t.TempDir()
	zhengda(t, dir, "kpi", "record", "gaoqi_total", "12100", "--as-of", "2024-09-30", "--source", "测试")
	s := opened(t, dir)
	find := func(p bot.Persona) (bot.Figure, bool) {
		t.Helper()
		list, err := gauges{s}.List(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range list {
			if f.Code == "gaoqi_total" {
				return f, true
			}
		}
		return bot.Figure{}, false
	}
	if f, _ := find(bot.Staff); f.Actual != "12100" || f.Gap != "900" {
		t.Errorf("to staff: %+v", f)
	}
	if f, _ := find(bot.Enterprise); f.Target != "13000" || f.Actual+f.Gap+f.Progress != "" {
		t.Errorf("to an enterprise: %+v", f)
	}
	for _, p := range []bot.Persona{bot.Staff, bot.Enterprise} {
		if png, err := (gauges{s}).Chart(t.Context(), []string{"gaoqi_total"}, p); err != nil || !strings.HasPrefix(string(png), "\x89PNG") {
			t.Errorf("chart for %s: %v", p, err)
		}
	}
	doc := s.index().Documents()[0]
	doc.Meta.Audience = "staff"
	if _, ok := find(bot.Enterprise); ok {
		t.Error("an indicator of a document for staff is told")
	}
	if _, err := (gauges{s}).Chart(t.Context(), []string{"gaoqi_total"}, bot.Enterprise); !errors.Is(err, slack.ErrNotFound) {
		t.Errorf("a chart of it is drawn: %v", err)
	}
	a, err := s.ask(t.Context(), bot.Ask{Question: "国家高新技术企业总数的目标是多少?"})
	if err != nil || len(a.Figures) > 0 || strings.Contains(a.Text, "13000") {
		t.Errorf("answer: %s, %v", a.Text, err)
	}
}
