package bot_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"zhengda/bot"
	"zhengda/ingest"
	"zhengda/rag"
)

// papers are documents made for the tests of questions that need more than
// one sentence.
var papers = []string{
	`甲县集市管理办法

第一条 为规范集市管理，制定本办法。

第二条 摊主应当履行以下职责：
（一）每日清扫摊位；
（二）亮证经营。证件遗失的，应当立即补办；
（三）公平计量。

第三条 摊主有下列行为之一的，处二百元以下的罚款；情节严重的，处二百元以上一千元以下的罚款：
（一）占用通道的；
（二）转租摊位的。

第四条 鱼摊押金为500元，菜摊押金为300元。押金自退租之日起十五日内退还。
`,
	`乙县夜市管理规定

第一条 为繁荣夜市，制定本规定。

第二条 夜市摊位押金为800元，自撤摊之日起三十日内退还。
`,
	`丙市青年租房问答

一、问：租房补贴期间换单位怎么办？
答：应当在30日内办理变更，补贴连续计算。

二、问：购房补贴怎么算？
答：购买新房的，博士补贴20万元、硕士补贴8万元。购买二手房的，按上述标准的50%执行。
`,
	`丁市支持酒坊发展若干措施

一、加大奖励

（一）奖励新酒。首次酿出新酒的，奖励3万元。

（二）支持老窖。
1.修缮老窖的，补助5万元。
2.开放老窖参观的，补助1万元。

二、申报材料

（三）酒坊登记证。

（四）窖池照片。
`,
	`戊物品编号规范

1 范围
本规范规定物品编号。

2 编码规则

2.1 第一位种类编号
表示物品的种类。

2.2 第二位产地编号
表示物品的产地。
`,
}

func paperBot(t *testing.T) *bot.Bot {
	t.Helper()
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	var docs []rag.Document
	for i, p := range papers {
		docs = append(docs, ingest.Parse(p).Document(fmt.Sprintf("p%d", i)))
	}
	x, err := rag.Build(t.Context(), docs, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, Now: clock})
}

// TestMoreThanOneSentence: lists are whole and told once, what is asked of
// several things is told of each, figures are reckoned, and what a document is
// made of is counted.
func TestMoreThanOneSentence(t *testing.T) {
	b := paperBot(t)
	for _, c := range []struct {
		name, question string
		history        []bot.Turn
		has            []string
		lacks          string
	}{
		{name: "an item to the end of its line", question: "甲县集市摊主有哪些职责？", has: []string{"清扫摊位", "应当立即补办", "公平计量"}},
		{name: "a line that opens a list", question: "甲县集市摊主转租摊位的，怎么处罚？", has: []string{"二百元以下", "一千元以下", "转租摊位的"}},
		{name: "the answer of a pair", question: "丙市租房补贴期间换单位怎么办？", has: []string{"30日内"}, lacks: "问："},
		{name: "two documents", question: "甲县集市的鱼摊和乙县夜市的摊位，押金各是多少？", has: []string{"鱼摊押金为500元", "夜市摊位押金为800元"}},
		{name: "how much and how long", question: "甲县集市的菜摊，押金多少，多久退还？", has: []string{"300元", "十五日"}},
		{name: "a sum", question: "甲县集市鱼摊和菜摊的押金加起来多少元？", has: []string{"合计800元(500元+300元)"}},
		{name: "a difference", question: "甲县集市鱼摊的押金比菜摊多多少元？", has: []string{"相差200元(500元-300元)"}},
		{name: "a share of an amount above", question: "丙市硕士买二手房，购房补贴能拿多少？", has: []string{"8万元×50%=4万元", "按上述标准的50%"}},
		{name: "items of an outline", question: "丁市支持酒坊发展若干措施一共几个部分、多少条？", has: []string{"共2章、4条"}},
		{name: "what a heading names", question: "丁市酒坊的申报材料有哪些？", has: []string{"酒坊登记证", "窖池照片"}},
		{name: "part and count", question: "丁市支持酒坊发展若干措施一共几个部分？第二部分讲什么？", has: []string{"共2章", "“申报材料”有2条"}},
		{name: "pairs counted", question: "丙市青年租房问答一共回答了多少个问题？", has: []string{"共有2个问题"}},
		{name: "a numbered clause of a standard", question: "戊物品编号规范2.2规定了什么？", has: []string{"产地编号"}, lacks: "种类编号"},
		{name: "several clauses in one breath", question: "甲县集市管理办法第二、四条各说了什么？", has: []string{"第二条", "第四条"}},
		{name: "a follow-up on a clause", question: "多久退？", history: []bot.Turn{{Role: "user", Content: "甲县集市管理办法第四条说了什么？"}, {Role: "assistant", Content: "鱼摊、菜摊的押金。"}}, has: []string{"十五日内"}, lacks: "三十日"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q := bot.Ask{Question: c.question, History: c.history}
			a := ask(t, b, q)
			for _, w := range c.has {
				if n := strings.Count(a.Text, w); n == 0 {
					t.Errorf("%q is not told:\n%s", w, a.Text)
				}
			}
			if c.lacks != "" && strings.Contains(a.Text, c.lacks) {
				t.Errorf("%q is told:\n%s", c.lacks, a.Text)
			}
			lines := strings.Split(a.Text, "\n")
			for i, l := range lines {
				if slices.Contains(lines[:i], l) {
					t.Errorf("told twice: %s", l)
				}
			}
			if bad := b.Verify(q, a); len(bad) > 0 {
				t.Errorf("%v\n%s", bad, a.Text)
			}
		})
	}
}

// TestReckoningIsChecked: a sum, a difference or a share that does not come
// out, or of figures that are not quoted, does not verify.
func TestReckoningIsChecked(t *testing.T) {
	b := paperBot(t)
	for _, c := range []struct{ question, from, to string }{
		{"甲县集市鱼摊和菜摊的押金加起来多少元？", "合计800元", "合计900元"},
		{"甲县集市鱼摊和菜摊的押金加起来多少元？", "800元(500元+300元)", "700元(400元+300元)"},
		{"甲县集市鱼摊的押金比菜摊多多少元？", "相差200元", "相差800元"},
		{"丙市硕士买二手房，购房补贴能拿多少？", "=4万元", "=5万元"},
		{"丙市硕士买二手房，购房补贴能拿多少？", "8万元×50%=4万元", "9万元×50%=4.5万元"},
	} {
		q := bot.Ask{Question: c.question}
		a := ask(t, b, q)
		changed := strings.Replace(a.Text, c.from, c.to, 1)
		if changed == a.Text {
			t.Errorf("%s: no %q in\n%s", c.question, c.from, a.Text)
		}
		if a.Text = changed; len(b.Verify(q, a)) == 0 {
			t.Errorf("verifies: %s", a.Text)
		}
	}
}

// TestEach: a question that asks the same of several things is one question
// for each of them.
func TestEach(t *testing.T) {
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		question string
		want     []string
	}{
		{"鱼摊和菜摊分别交多少押金", []string{"鱼摊交多少押金", "菜摊交多少押金"}},
		{"在夜市卖鱼,和在集市卖菜,押金各是多少", []string{"在夜市卖鱼,押金是多少", "在集市卖菜,押金是多少"}},
		{"关于押金,甲县、乙县和丙县各怎么规定", []string{"关于押金,甲县怎么规定", "关于押金,乙县怎么规定", "关于押金,丙县怎么规定"}},
		{"甲县和乙县两地的办法规定的押金各是多少", []string{"甲县的办法规定的押金是多少", "乙县的办法规定的押金是多少"}},
		{"集市的鱼摊和菜摊各要交多少", []string{"集市的鱼摊要交多少", "集市的菜摊要交多少"}},
		{"中华人民共和国公民各有什么义务", nil},
		{"各区县和各单位怎么报名", nil},
		{"鱼摊和菜摊要交押金吗", nil},
	} {
		if got := lex.Each(c.question); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", c.question, got, c.want)
		}
	}
}
