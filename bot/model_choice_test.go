package bot_test

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/rag"
)

// TestModelChooses shows that a model may answer from another clause where the
// words of the question settle none, may not where they do, and turns no
// refusal into an answer.
func TestModelChooses(t *testing.T) {
	doc := rag.Document{ID: "d", Title: "南山市机关工作规则", Version: "1"}
	for i, text := range []string{
		"南山市机关工作人员离市外出,须事先报告办公厅,并向分管领导说明事由。",
		"市长出国访问期间,由负责常务工作的副市长代行市长职务。",
		"机关会议室由办公厅统一安排,会议经费每年不超过30万元。",
		"公文须在三日内办结。",
	} {
		doc.Clauses = append(doc.Clauses, rag.Clause{ID: "d#" + string(rune('1'+i)), Document: "d", Label: "第" + string(rune('1'+i)) + "条", Number: i + 1, Text: text})
	}
	x, err := rag.Build(t.Context(), []rag.Document{doc}, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	const open = "一把手离市跑去海外一趟,没人坐镇的那些日子里,位子上的活儿归谁顶?"
	const acting = "市长出国访问期间,由负责常务工作的副市长代行市长职务。"
	for _, c := range []struct{ name, question, from, says, want string }{
		{"another clause", open, "代行", acting, "第2条:" + acting + "[1]\n第1条:南山市机关工作人员离市外出,须事先报告办公厅,并向分管领导说明事由。[2]"},
		{"another amount", open, "会议经费", "会议经费每年不超过300万元。", ""},
		{"settled", "公文须在几日内办结?", "代行", acting, ""},
		{"refused", "市长出国访问的经费是多少万元?", "会议经费", "会议经费每年不超过30万元。", ""},
		{"another year", "2019年市长出国访问期间谁代行职务?", "代行", acting, ""},
	} {
		s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
			n := regexp.MustCompile(`(?m)^\[(\d+)\].*` + c.from).FindStringSubmatch(q.text())
			if n == nil {
				call(w, "search_policy", `{"query":"`+c.from+`"}`)
				return
			}
			say(w, "<think>从"+c.from+"找起。</think>"+c.says+"["+n[1]+"]")
		})
		b, _ := modelBot(t, s.URL, time.Minute, func() *rag.Index { return x })
		a := ask(t, b, bot.Ask{Question: c.question})
		if used := a.Model != "builtin"; used != (c.want != "") || used && a.Text != c.want {
			t.Errorf("%s: %s %s: %s %+v", c.name, a.Model, a.Status, a.Text, a.Receipt)
		}
	}
}

// TestModelKeepsList shows that a long list of the built-in answer stays whole,
// whatever of it a model picks.
func TestModelKeepsList(t *testing.T) {
	doc := rag.Document{ID: "d", Title: "南山市补贴办法", Version: "1"}
	lead := strings.Repeat("在本市登记纳税并从事商贸流通服务的", 10) + "申请补贴的企业应当符合下列条件:"
	text := lead
	for i, n := range []string{"一", "二", "三", "四", "五", "六"} {
		text += "\n(" + n + ")" + strings.Repeat("依法登记并持续经营满", 6) + strconv.Itoa(i+1) + "年;"
	}
	doc.Clauses = []rag.Clause{{ID: "d#1", Document: "d", Label: "第1条", Number: 1, Text: text}, {ID: "d#2", Document: "d", Label: "第2条", Number: 2, Text: "补贴由市商务局发放。"}}
	x, err := rag.Build(t.Context(), []rag.Document{doc}, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	s := service(t, func(w http.ResponseWriter, _ *http.Request, q chatRequest) {
		say(w, lead+"[1]")
	})
	b, _ := modelBot(t, s.URL, time.Minute, func() *rag.Index { return x })
	q := bot.Ask{Question: "申请补贴的企业要符合哪些条件?"}
	want, got := ask(t, b.Builtin(), q), ask(t, b, q)
	if got.Model != "scripted" || got.Text != want.Text || len([]rune(want.Text)) < 400 {
		t.Errorf("%s %+v\n%s\nwant\n%s", got.Model, got.Receipt, got.Text, want.Text)
	}
}
