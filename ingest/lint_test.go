package ingest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhengda/rag"
)

// lintText reads text as a document and lints it: one line a finding, kind
// and the quotes.
func lintText(text string) string {
	d := Parse(text).Document("d")
	d.ID = "d"
	return findings(Lint([]rag.Document{d}))
}

func findings(fs []Finding) string {
	var b strings.Builder
	for _, f := range fs {
		fmt.Fprint(&b, f.Kind)
		for _, q := range f.Quotes {
			fmt.Fprintf(&b, " %s「%s」", q.Label, q.Text)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// The first document: the two figures of clause 12 and the undefined 双链,
// nothing else.
func TestLintSeed(t *testing.T) {
	const want = `contradiction 第12条「年内全市国家高新技术企业、科技型中小企业分别突破13000万家」 总体奋斗目标「国家高新技术企业总数达到13000家」
contradiction 第12条「年内全市国家高新技术企业、科技型中小企业分别突破13000万家、16000万家」 总体奋斗目标「科技型中小企业评价入库超过16000家」
undefined_term 四、突出产业创新引领,推动“双链”深度融合「四、突出产业创新引领,推动“双链”深度融合」
`
	d := Parse(firstDocument(t)).Document("seed")
	if got := findings(Lint([]rag.Document{d})); got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
}

// Each case is a sentence or two in a document, and what is found in it.
func TestLint(t *testing.T) {
	const rule = "测试市办法\n\n第一条 %s\n\n第二条 %s\n\n第三条 本办法适用于本市。\n\n第四条 市科技局负责解释。\n\n第五条 本办法自2024年1月1日起施行。\n"
	cases := []struct{ name, one, two, want string }{
		{"one thing, two values", "全市孵化载体达到500家。", "年内全市孵化载体达到600家。", "contradiction 第二条「年内全市孵化载体达到600家」 第一条「全市孵化载体达到500家」\n"},
		{"newly counted is not counted in all", "全市孵化载体达到500家。", "新增孵化载体60家。", ""},
		{"another year", "2024年，全市孵化载体达到500家。", "2025年，全市孵化载体达到600家。", ""},
		{"cases of a rule", "违法所得五万元以上的，处违法所得二倍以上五倍以下罚款。", "违法所得十万元以上的，处违法所得五倍以上十倍以下罚款。", ""},
		{"parts exceed the total", "安排项目30项，其中重点项目20项、一般项目15项。", "完。", "total 第一条「30项」 第一条「其中重点项目20项、一般项目15项」\n"},
		{"parts make the total", "安排项目30项，其中重点项目20项、一般项目10项。", "完。", ""},
		{"an announced list", "申请应当符合下列三个条件：（一）注册；（二）纳税。", "完。", "total 第一条「下列三个条件」 第一条「：（一）注册；（二）」\n"},
		{"an article that is not there", "依照本办法第八条办理。", "依照本办法第三条办理。", "reference 第一条「本办法第八条」\n"},
		{"a day that is not there", "于2024年2月30日前报送。", "于2024年2月29日前报送。", "date 第一条「2024年2月30日」\n"},
		{"the wrong weekday", "2024年9月13日（星期四）开会。", "2024年9月13日（星期五）开会。", "date 第一条「2024年9月13日（星期四」\n"},
		{"a span that ends before it begins", "受理时间为2024年6月1日至2024年5月30日。", "完。", "date 第一条「2024年6月1日至2024年5月30日」\n"},
		{"repeated characters", "认为需要规定的的其他事项。", "目的的实现，为了了解情况。", "typo 第一条「认为需要规定的的其他事项。」\n"},
		{"repeated words", "科技企业科技企业应当申报。", "质量管理管理人员。", "typo 第一条「科技企业科技企业应当申报。」\n"},
		{"a misspelling", "做好工作布署。", "做好工作部署。", "typo 第一条「做好工作布署。」\n"},
		{"two marks", "支持企业，，鼓励创新。", "等等……，完。", "typo 第一条「支持企业，，鼓励创新。」\n"},
		{"a mark without its partner", "依据《条例制定。", "依据《条例》制定。", "typo 第一条「依据《条例制定。」\n"},
	}
	for _, c := range cases {
		if got := lintText(fmt.Sprintf(rule, c.one, c.two)); got != c.want {
			t.Errorf("%s:\n%swant:\n%s", c.name, got, c.want)
		}
	}
}

// Two plans of one office and one year that differ are told; of two years,
// not.
func TestLintAcross(t *testing.T) {
	plan := func(id string, year, n int) rag.Document {
		d := docOf(fmt.Sprintf("第1条=全市高新技术企业总数达到%d家。", n))
		d.ID, d.Title, d.Meta = id, id, rag.Meta{Issuer: "测试市科技局", Year: year}
		return *d
	}
	if got := Lint([]rag.Document{plan("a", 2024, 100), plan("b", 2024, 200)}); len(got) != 1 || len(got[0].Quotes) != 2 {
		t.Errorf("one year: %+v", got)
	}
	if got := Lint([]rag.Document{plan("a", 2023, 100), plan("b", 2024, 200)}); len(got) != 0 {
		t.Errorf("two years: %+v", got)
	}
}

// The published documents of every shape: all are ingested, no visible
// character is lost, and nothing is found in them that a careful reader would
// call false: they contradict themselves nowhere.
func TestPolicies(t *testing.T) {
	dir := sharedData(t, "policies")
	l := open(t, t.TempDir())
	r, err := l.Ingest(context.Background(), []string{dir}, IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if r.Added != len(files) || r.Failed != 0 {
		t.Fatalf("%d of %d added: %+v", r.Added, len(files), r.Documents)
	}
	warnings := 0
	for _, d := range r.Documents {
		warnings += len(d.Warnings)
		v, err := l.Show(context.Background(), d.ID, "")
		if err != nil {
			t.Fatal(err)
		}
		if n := lostRunes(Parse(v.Source), v.Source); n > 0 {
			t.Errorf("%s: %d characters lost", filepath.Base(d.File), n)
		}
	}
	t.Logf("%d documents, %d warnings", r.Added, warnings)
	var got []string
	for _, f := range Lint(active(t, l)) {
		got = append(got, f.Quotes[0].Document+" "+f.Kind+" "+f.Quotes[0].Text)
	}
	if len(got) > 0 {
		t.Errorf("found:\n%s", strings.Join(got, "\n"))
	}
}
