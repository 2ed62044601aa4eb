package bot_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/rag"
)

// rules are small regulations about one thing, each with one clause.
func rules(meta ...rag.Document) *rag.Index {
	for i := range meta {
		d := &meta[i]
		d.Version = "1"
		d.Clauses = []rag.Clause{{ID: d.ID + "#1", Document: d.ID, Label: "第一条", Number: 1, Text: d.Clauses[0].Text}}
	}
	x, err := rag.Build(context.Background(), meta, rag.Options{})
	if err != nil {
		panic(err)
	}
	return x
}

func rule(id, title, text string, m rag.Meta) rag.Document {
	return rag.Document{ID: id, Title: title, Meta: m, Clauses: []rag.Clause{{Text: text}}}
}

func day(s string) time.Time {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return t
}

// TestView: what is in force on the day asked about answers; what is repealed
// answers only when it is named, and is labelled; staff documents are for
// staff; a question restricted to documents is answered from these alone.
func TestView(t *testing.T) {
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	x := rules(
		rule("old", "甲市创新奖励暂行办法", "认定孵化器的,奖励二十万元。", rag.Meta{Effective: day("2015-01-01"), Repealed: day("2022-01-01")}),
		rule("new", "甲市创新奖励实施办法", "认定孵化器的,奖励五十万元。", rag.Meta{Effective: day("2022-01-01")}),
		rule("in", "内部工作规程", "保密柜钥匙由值班室保管。", rag.Meta{Audience: "staff"}),
	)
	b := bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, Now: clock})
	for _, c := range []struct {
		ask       bot.Ask
		has, lack string
	}{
		{bot.Ask{Question: "认定孵化器奖励多少钱?"}, "五十万元", "二十万元"},
		{bot.Ask{Question: "认定孵化器奖励多少钱?", AsOf: "2018-06-01"}, "二十万元", "五十万元"},
		{bot.Ask{Question: "《甲市创新奖励暂行办法》认定孵化器奖励多少钱?"}, "(2022-01-01起废止)", "五十万元"},
		{bot.Ask{Question: "保密柜钥匙由谁保管?", Persona: bot.Staff}, "值班室", ""},
		{bot.Ask{Question: "保密柜钥匙由谁保管?"}, "", "值班室"},
		{bot.Ask{Question: "认定孵化器奖励多少钱?", Documents: []string{"new"}}, "五十万元", "二十万元"},
		{bot.Ask{Question: "认定孵化器奖励多少钱?", Documents: []string{"in"}, Persona: bot.Staff}, "", "万元"},
		{bot.Ask{Question: "认定孵化器奖励多少钱?", Documents: []string{"gone"}}, "", "万元"},
	} {
		a := ask(t, b, c.ask)
		if c.has != "" && !strings.Contains(a.Text, c.has) || c.lack != "" && strings.Contains(a.Text, c.lack) {
			t.Errorf("%s (%s, as of %q): %s", c.ask.Question, c.ask.Persona, c.ask.AsOf, a.Text)
		}
	}
}
