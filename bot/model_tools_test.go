package bot_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// TestPublicToolsHideActuals shows that the persona's rights are enforced in
// the tool, whatever the model asks for.
func TestPublicToolsHideActuals(t *testing.T) {
	var told atomic.Pointer[string]
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		if strings.Contains(q.raw, `"role":"tool"`) {
			told.Store(&q.raw)
			say(w, "无")
			return
		}
		call(w, "query_kpi", `{"indicator":"gaoqi_total"}`)
	})
	b, _ := modelBot(t, s.URL, time.Minute, corpus)
	for persona, want := range map[bot.Persona]bool{bot.Enterprise: false, bot.Staff: true} {
		told.Store(nil)
		ask(t, b, bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?", Persona: persona})
		if told.Load() == nil {
			t.Fatal("no tool was called")
		}
		if got := strings.Contains(*told.Load(), "截至2024"); got != want {
			t.Errorf("%s: actual value told: %v", persona, got)
		}
	}
}

// TestStaffIndicators shows that an indicator of a document for staff, or of one
// that the question leaves out, is to a model as one that never was, by code,
// by name and among others of a name, and that no answer shows it.
func TestStaffIndicators(t *testing.T) {
	_, store := newBot(t, true)
	docs := []rag.Document{{ID: "open", Title: "南山市科技创新券管理办法"}, {ID: "staff", Title: "南山市创新券内部安排", Meta: rag.Meta{Audience: "staff"}}}
	texts := []string{"科技创新券面额为每张2万元,发放张数达到600张。", "科技创新券兑付张数达到777张,预留张数达到888张。"}
	var inds []kpi.Indicator
	for n := range docs {
		id := docs[n].ID
		docs[n].Version = "1"
		docs[n].Clauses = []rag.Clause{{ID: id + "#1", Document: id, Label: "第1条", Number: 1, Text: texts[n]}}
	}
	for _, i := range []kpi.Indicator{{Code: "given", Name: "科技创新券发放张数", Document: "open", Target: decimal.NewFromInt(600)},
		{Code: "paid", Name: "科技创新券兑付张数", Document: "staff", Target: decimal.NewFromInt(777)}, {Code: "kept", Name: "科技创新券预留张数", Document: "staff", Target: decimal.NewFromInt(888)}} {
		i.Year, i.Unit, i.Comparator, i.Aliases, i.ClauseID, i.Clause = 2024, "张", zh.GE, []string{"张数"}, i.Document+"#1", 1
		if i.Document == "staff" {
			i.Aliases = append(i.Aliases, "内部张数")
		}
		inds = append(inds, i)
	}
	if err := store.Put(t.Context(), inds...); err != nil {
		t.Fatal(err)
	}
	x, err := rag.Build(t.Context(), docs, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		for _, m := range q.Messages {
			if m.Role == "tool" {
				told = append(told, string(m.Content))
			}
		}
		if told != nil {
			say(w, strings.Join(faithful(q), "\n")+"\n{paid}")
			return
		}
		call(w, "query_kpi", `{"indicator":"paid"}`, "query_kpi", `{"indicator":"科技创新券兑付张数"}`, "query_kpi", `{"indicator":"内部张数"}`, "query_kpi", `{"indicator":"张数"}`)
	})
	m, err := bot.NewModel(bot.ModelConfig{BaseURL: s.URL, Name: "scripted", Timeout: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, KPI: kpi.NewTool(store, store, clock), Model: m, Now: clock})
	const unknown = "错误:没有这个指标,或这一年度没有目标"
	for _, c := range []struct {
		persona bot.Persona
		only    []string
		want    [4]string // of each call
	}{
		{bot.Enterprise, nil, [4]string{unknown, unknown, unknown, "600"}},
		{bot.Outsider, nil, [4]string{unknown, unknown, unknown, "600"}},
		{bot.Staff, []string{"open"}, [4]string{unknown, unknown, unknown, "600"}},
		{bot.Staff, nil, [4]string{"777", "777", "kept", "given"}},
	} {
		told = nil
		a := ask(t, b, bot.Ask{Question: "科技创新券兑付张数相关的面额是多少?", Persona: c.persona, Documents: c.only})
		if len(told) < len(c.want) {
			t.Fatalf("%s: told %q: %s", c.persona, told, a.Text)
		}
		for i, want := range c.want {
			hidden := want == unknown || want == "600"
			if got := told[i]; !strings.Contains(got, want) || hidden && (strings.Contains(got, "paid") || strings.Contains(got, "兑付") || strings.Contains(got, "kept")) {
				t.Errorf("%s %v, call %d: %s, want %s", c.persona, c.only, i+1, got, want)
			}
		}
		if hidden := c.want[0] == unknown; strings.Contains(a.Text, "777") == hidden {
			t.Errorf("%s %v: %s %+v", c.persona, c.only, a.Text, a.Receipt)
		}
	}
}

// TestWrongCalls shows that calls side by side are answered in their order, and
// wrong ones with what is wrong.
func TestWrongCalls(t *testing.T) {
	const aside, about = "「先投后股」写在哪一条?原话怎么说?", "国家高新技术企业有什么支持?"
	sideBySide(t, about, []toolUse{
		{"search_policy", `{"query":"高新技术企业"}`, "["},
		{"search_policy", `{"query":`, "错误:参数不是符合要求的 JSON"},
		{"rm_rf", `{}`, "错误:没有这个工具"},
		{"read_clause", `{"clause":"9999"}`, "错误:没有这一条"},
		{"query_kpi", `{"indicator":"gaoqi_total","persona":"admin"}`, "错误:参数不是符合要求的 JSON"},
		{"query_kpi", `{"indicator":"gaoqi_total","as_of":"昨天"}`, "错误:参数不对:日期须为 YYYY-MM-DD"},
		{"query_kpi", `{"indicator":"火星企业"}`, "错误:没有这个指标"},
		{"query_kpi", `{"indicator":"gaoqi_total"}`, "{gaoqi_total}"},
	})
	sideBySide(t, aside, []toolUse{{"query_kpi", `{"indicator":"gaoqi_total"}`, "不能引用"}})
	sideBySide(t, about, []toolUse{
		{"query_kpi", `{"indicator":"gaoqi_total","as_of":"2023-06-30"}`, "不能引用"},
		{"query_kpi", `{"indicator":"gaoqi_total","period":2024}`, "不能引用"}, // no year is asked about
		{"query_kpi", `{"indicator":"gaoqi_total","period":1999}`, "错误:没有这个指标,或这一年度没有目标"},
	})
}

// toolUse is a call and what its result holds.
type toolUse struct{ name, args, want string }

// sideBySide makes calls in one step on a question.
func sideBySide(t *testing.T, question string, calls []toolUse) {
	t.Helper()
	var told atomic.Pointer[chatRequest]
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		if strings.Contains(q.raw, `"role":"tool"`) {
			told.CompareAndSwap(nil, &q)
			say(w, "")
			return
		}
		var list []string
		for _, c := range calls {
			list = append(list, c.name, c.args)
		}
		call(w, list...)
	})
	b, _ := modelBot(t, s.URL, time.Minute, corpus)
	a := ask(t, b, bot.Ask{Question: question})
	if told.Load() == nil {
		t.Fatal("the results were not told")
	}
	at := 0
	for _, m := range told.Load().Messages {
		if m.Role != "tool" {
			continue
		}
		if c := calls[at]; !strings.Contains(string(m.Content), c.want) {
			t.Errorf("%s %s: %s, want %s", c.name, c.args, m.Content, c.want)
		}
		at++
	}
	if at != len(calls) || len(a.Receipt.Tools) != len(calls) {
		t.Errorf("%d results, tools %v", at, a.Receipt.Tools)
	}
}

// TestToolSchemas shows that every tool has a description and typed parameters
// that refuse what is not among them.
func TestToolSchemas(t *testing.T) {
	var told atomic.Pointer[chatRequest]
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { told.CompareAndSwap(nil, &q); say(w, "") })
	m, err := bot.NewModel(bot.ModelConfig{BaseURL: s.URL, Name: "scripted", Compare: func(context.Context, bot.Persona, string, string, string) (string, error) { return "", nil }})
	if err != nil {
		t.Fatal(err)
	}
	ask(t, botWith(t, m, corpus), bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?"})
	var names []string
	for _, raw := range told.Load().Tools {
		var x struct {
			Type     string
			Function struct {
				Name, Description string
				Parameters        struct {
					Type                 string
					Properties           map[string]struct{ Type, Description string }
					AdditionalProperties *bool
				}
			}
		}
		if err := json.Unmarshal(raw, &x); err != nil {
			t.Fatal(err)
		}
		f := x.Function
		names = append(names, f.Name)
		if x.Type != "function" || f.Description == "" || f.Parameters.Type != "object" || f.Parameters.AdditionalProperties == nil || *f.Parameters.AdditionalProperties {
			t.Errorf("%s", raw)
		}
		for name, p := range f.Parameters.Properties {
			if p.Type == "" || p.Description == "" {
				t.Errorf("%s: %s has no type or description", f.Name, name)
			}
		}
	}
	slices.Sort(names)
	if want := []string{"compare_versions", "list_structure", "query_kpi", "read_clause", "search_policy"}; !slices.Equal(names, want) {
		t.Errorf("tools %v", names)
	}
}

// TestRepealedStaysBuiltin shows that answers from a document that is no longer
// in force, which say so with each quote, are left to the built-in way.
func TestRepealedStaysBuiltin(t *testing.T) {
	doc := rag.Document{ID: "d", Title: "南山市科技创新券管理办法", Version: "1", Meta: rag.Meta{Repealed: time.Date(2023, 5, 1, 0, 0, 0, 0, time.UTC)},
		Clauses: []rag.Clause{{ID: "d#1", Document: "d", Label: "第一条", Number: 1, Text: "科技创新券每张面额为2万元。"}}}
	other := rag.Document{ID: "o", Title: "北山市托育补贴办法", Version: "1", Clauses: []rag.Clause{{ID: "o#1", Document: "o", Label: "第一条", Number: 1, Text: "托育补贴每月500元。"}}}
	x, err := rag.Build(t.Context(), []rag.Document{doc, other}, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) { say(w, strings.Join(faithful(q), "\n")) })
	b, _ := modelBot(t, s.URL, time.Minute, func() *rag.Index { return x })
	a := ask(t, b, bot.Ask{Question: "《南山市科技创新券管理办法》规定创新券每张面额多少?"})
	if a.Receipt != nil || !strings.Contains(a.Text, "2023-05-01起废止") {
		t.Errorf("model %s: %s", a.Model, a.Text)
	}
	if a := ask(t, b, bot.Ask{Question: "《北山市托育补贴办法》规定托育补贴每月多少?"}); a.Receipt == nil {
		t.Errorf("the model was not asked: %s", a.Text)
	}
}
