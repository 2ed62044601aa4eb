package ingest

import (
	"fmt"
	"strings"
	"testing"

	"zhengda/rag"
)

// docOf makes a document of clauses written label=text.
func docOf(clauses ...string) *rag.Document {
	d := &rag.Document{ID: "d", Title: "测试办法"}
	for i, s := range clauses {
		label, text, _ := strings.Cut(s, "=")
		d.Clauses = append(d.Clauses, rag.Clause{ID: "d#" + label, Label: label, Number: i + 1, Text: text})
	}
	return d
}

// show writes changes one a line: label, classes, words.
func show(changes []Change) string {
	var b strings.Builder
	for _, c := range changes {
		fmt.Fprint(&b, c.Label, " ", c.Classes)
		for _, w := range c.Words {
			if w.Op != "=" {
				fmt.Fprint(&b, " ", w.Op, w.Text)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func TestCompare(t *testing.T) {
	old := docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励20万元。",
		"第四条=申报期限为30日。", "第五条=由市科技局负责解释。", "第六条=加强宣传。")
	cases := []struct {
		name, want string
		with       *rag.Document
	}{
		{"nothing", "", old},
		{"a number", "第三条 [number] -20 +50\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励50万元。", "第四条=申报期限为30日。", "第五条=由市科技局负责解释。", "第六条=加强宣传。")},
		{"a deadline", "第四条 [deadline] -30 +60\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励20万元。", "第四条=申报期限为60日。", "第五条=由市科技局负责解释。", "第六条=加强宣传。")},
		{"a scope", "第二条 [scope] +、高等学校\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业、高等学校。", "第三条=每家奖励20万元。", "第四条=申报期限为30日。", "第五条=由市科技局负责解释。", "第六条=加强宣传。")},
		{"wording", "第六条 [wording] -加强 +做好\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励20万元。", "第四条=申报期限为30日。", "第五条=由市科技局负责解释。", "第六条=做好宣传。")},
		{"a new clause moves those after it", "第三条 [new]\n第四条 [moved]\n第五条 [moved]\n第六条 [moved]\n第七条 [moved]\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=另设专项。", "第四条=每家奖励20万元。", "第五条=申报期限为30日。", "第六条=由市科技局负责解释。", "第七条=加强宣传。")},
		{"one is gone", "第六条 [gone]\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励20万元。", "第四条=申报期限为30日。", "第五条=由市科技局负责解释。")},
		{"changed and moved", "第五条 [moved]\n第六条 [wording moved] -市 +区\n第四条 [gone]\n第六条 [gone]\n",
			docOf("第一条=为了支持创新，制定本办法。", "第二条=支持本市科技型中小企业。", "第三条=每家奖励20万元。", "第五条=申报期限为30日。", "第六条=由区科技局负责解释。")},
	}
	cases[7].want = "第五条 [moved]\n第六条 [wording moved] -市 +区\n第六条 [gone]\n"
	for _, c := range cases {
		if got := show(Compare(old, c.with)); got != c.want {
			t.Errorf("%s:\n%swant:\n%s", c.name, got, c.want)
		}
	}
}

// FuzzWords: what stayed and went makes the old text, what stayed and came
// the new one.
func FuzzWords(f *testing.F) {
	f.Add("国家高新技术企业达到13000家", "国家级高新技术企业突破13500家，其中")
	f.Add("", "甲")
	f.Add("一二三四五", "五四三二一")
	f.Fuzz(func(t *testing.T, a, b string) {
		a, b = strings.ToValidUTF8(a, ""), strings.ToValidUTF8(b, "")
		var before, after strings.Builder
		for _, e := range markWords(a, b) {
			if e.Op != "+" {
				before.WriteString(e.Text)
			}
			if e.Op != "-" {
				after.WriteString(e.Text)
			}
		}
		if before.String() != a || after.String() != b {
			t.Errorf("%q → %q gives %q → %q", a, b, before.String(), after.String())
		}
	})
}

func BenchmarkCompare(b *testing.B) {
	var x, y []string
	for i := range 200 {
		text := strings.Repeat(fmt.Sprintf("第%d项规定适用于本市行政区域内的科技型中小企业。", i), 8)
		x = append(x, fmt.Sprintf("第%d条=%s", i+1, text))
		y = append(y, fmt.Sprintf("第%d条=%s", i+2, strings.Replace(text, "本市", "全省", 1)))
	}
	old, now := docOf(x...), docOf(y...)
	for b.Loop() {
		Compare(old, now)
	}
}
