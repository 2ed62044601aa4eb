package eval

import (
	"encoding/json"
	"strings"
	"testing"

	"zhengda/bot"
	"zhengda/rag"
)

func TestHit(t *testing.T) {
	for _, c := range []struct {
		entry, answer string
		want          bool
	}{
		{"13000家", "目标是１３，０００ 家", true},
		{"13000家", "目标是12,34家", false},
		{"《条例》修订", "推进“条例”修订", true},
		{"re:(?<!\\d)45(个)?(日|天)", "145日", false},
		{"re:(?<!\\d)45(个)?(日|天)", "应在 45 个\n天内", true},
		{"re:\\bR&D\\b", "the r&d intensity", true}, // the border is there only where spaces stay
		{"re:(", "(", false},
		{"", "什么都行", true},
	} {
		if got := Hit(c.entry, c.answer); got != c.want {
			t.Errorf("Hit(%q, %q) = %t", c.entry, c.answer, got)
		}
	}
}

func TestLength(t *testing.T) {
	for text, want := range map[string]int{
		"支持一批项目。[1]":              7,
		"支持 一批\n项目 R&D total[12]": 13,
		"答案\n来源:\n[1] 第17条":       2,
		"答案\n- [1] 第17条\n又":       3,
		"":                        0,
	} {
		if got := Length(text); got != want {
			t.Errorf("Length(%q) = %d; want %d", text, got, want)
		}
	}
}

var plan = rag.Document{
	Title:    "某市2024年工作要点",
	Chapters: []rag.Chapter{{Label: "一", Title: "总的要求"}},
	Clauses: []rag.Clause{
		{Label: "前言第1段", Text: "新的一年要开好头。"},
		{Label: "总体目标", Text: "企业达到100家。"},
		{Label: "第1条", Number: 1, Text: "支持试点。支持人才。"},
	},
}

func TestJudge(t *testing.T) {
	k := &Corpus{Paper: PaperOf(&plan)}
	k.AddSource("第一条 支持 试点。\n第二条 支持人才。")
	good := bot.Answer{ID: "a", Status: bot.Answered, Text: "支持试点。[1]",
		Citations: []bot.Citation{{Document: plan.Title, Label: "第1条", Clause: 1, Quote: "支持试点。"}}}
	lookup := Case{ID: "a", Type: "lookup", Clauses: []int{1}, Include: []string{"试点"}, Exclude: []string{"人才"}}
	with := func(f func(*Case, *bot.Answer)) (Case, *Reply) {
		c, r := lookup, &Reply{Answer: good}
		f(&c, &r.Answer)
		return c, r
	}
	for name, x := range map[string]struct {
		change func(*Case, *bot.Answer)
		want   bool
	}{
		"right":         {func(*Case, *bot.Answer) {}, true},
		"word missing":  {func(_ *Case, a *bot.Answer) { a.Text = "支持。[1]" }, false},
		"word too many": {func(_ *Case, a *bot.Answer) { a.Text += "人才" }, false},
		"refused":       {func(_ *Case, a *bot.Answer) { a.Status = bot.Refused }, false},
		"should refuse": {func(c *Case, _ *bot.Answer) { c.Refuse = true }, false},
		"too long":      {func(_ *Case, a *bot.Answer) { a.Text += strings.Repeat("长", 300) }, false},
		"a list may be": {func(c *Case, a *bot.Answer) { c.Type = "list"; a.Text += strings.Repeat("长", 300) }, true},
		"other clause":  {func(c *Case, _ *bot.Answer) { c.Clauses = []int{0} }, false},
		"not verbatim":  {func(_ *Case, a *bot.Answer) { a.Citations = []bot.Citation{{Clause: 1, Quote: "支持试验。"}} }, false},
		"no quote":      {func(_ *Case, a *bot.Answer) { a.Citations = []bot.Citation{{Clause: 1}} }, false},
		"other document": {func(_ *Case, a *bot.Answer) {
			a.Citations = []bot.Citation{{Document: "别的", Clause: 1, Quote: "支持试点。"}}
		}, false},
		"no citation":     {func(_ *Case, a *bot.Answer) { a.Citations = nil }, false},
		"gold text":       {func(c *Case, _ *bot.Answer) { c.Gold = []Gold{{Text: "第一条 支持试点。"}} }, true},
		"other gold text": {func(c *Case, _ *bot.Answer) { c.Gold = []Gold{{Text: "第二条 支持人才。"}} }, false},
	} {
		c, r := with(x.change)
		if v := k.Judge(c, r); v.OK != x.want {
			t.Errorf("%s: %+v", name, v)
		}
	}
	if c, r := with(func(c *Case, _ *bot.Answer) { c.Gold = []Gold{{Text: "支持试点。"}} }); new(Corpus).Judge(c, r).OK {
		t.Error("a quote that stands in no document passes")
	}
	if v := k.Judge(lookup, nil); v.OK || v.Quotes || len(v.Why) == 0 {
		t.Errorf("without a reply: %+v", v)
	}
	if v := k.Judge(lookup, &Reply{Error: "timeout"}); v.OK || v.Concise || !v.Scored {
		t.Errorf("an error: %+v", v)
	}
}

func TestPaper(t *testing.T) {
	p := PaperOf(&plan)
	for _, c := range []struct {
		cite bot.Citation
		n    int
		ok   bool
	}{
		{bot.Citation{Label: "总体目标", Quote: "达到100家"}, 0, true},
		{bot.Citation{Label: "前言第1段", Quote: "新的一年"}, -1, true},
		{bot.Citation{Label: "一", Quote: "一、总的要求"}, -1, true},
		{bot.Citation{Document: "2024年工作要点", Clause: 1, Quote: "1.支持 试点"}, 1, true},
		{bot.Citation{Document: "别市办法", Clause: 1, Quote: "支持试点"}, foreign, false},
	} {
		if n, ok := p.clause(c.cite), p.quotes(c.cite); n != c.n || ok != c.ok {
			t.Errorf("%+v: clause %d, verbatim %t; want %d, %t", c.cite, n, ok, c.n, c.ok)
		}
	}
}

func TestScore(t *testing.T) {
	k := &Corpus{Paper: PaperOf(&plan)}
	list := []Case{
		{ID: "a", Type: "lookup", Question: "?", Clauses: []int{1, 0}},
		{ID: "b", Type: "unanswerable", Question: "?", Refuse: true},
		{ID: "c", Type: "lookup", Question: "?", Clauses: []int{1}},
	}
	r := Score(list, []Reply{
		{Answer: bot.Answer{ID: "b", Status: bot.Refused, Text: "没有规定"}},
		{Answer: bot.Answer{ID: "a", Status: bot.Answered, Text: "支持试点", Citations: []bot.Citation{{Clause: 1, Quote: "支持试点"}}}},
	}, k)
	if r.Cases != 3 || r.OK != .667 || len(r.Failed) != 1 || r.Failed[0].ID != "c" {
		t.Errorf("%+v", r)
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	const types = `"types":{"lookup":{"n":2,"ok":0.5,"text":0.5,"refuse":0.5,"quotes":0.5,"concise":0.5,"cite_recall":0.25,"cite_prec":0.5,"chars":2},"unanswerable":{"n":1,`
	if !strings.Contains(string(b), types) {
		t.Errorf("%s lacks %s", b, types)
	}
	if s := r.String(); !strings.Contains(s, "unanswerable") || !strings.Contains(s, "refused when due 1, answered when due 0.5") {
		t.Errorf("table:\n%s", s)
	}
	if empty := Score(nil, nil, k); empty.Cases != 0 || empty.All.OK != nil {
		t.Errorf("no cases: %+v", empty)
	}
}

func TestRead(t *testing.T) {
	list, err := Read(strings.NewReader("\ufeff{\"id\":\"a\",\"question\":\"x\",\"gold_clauses\":[-1]}\n\n{\"id\":\"b\",\"question\":\"y\"}"))
	if err != nil || len(list) != 2 || list[0].Clauses[0] != -1 {
		t.Errorf("%+v, %v", list, err)
	}
	for in, want := range map[string]string{
		"{\"id\":\"a\",\"question\":\"x\"}\n{":                      "line 2",
		`{"id":"a"}`:                                                "line 1",
		`{"id":"a","question":"x","must_include":["re:("]}`:         `pattern "re:("`,
		`{"id":"a","question":"x","must_not_include":["re:[b-a]"]}`: "a:",
	} {
		if _, err := Read(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", in, err, want)
		}
	}
}
