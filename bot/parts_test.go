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

// glossary are documents made for the tests of questions about a document as a
// whole, its words, its codes and its tables.
var glossary = []string{
	`甲国渔具管理条例

第一条 为了规范渔具管理，保护渔业资源，制定本条例。

第二条 本条例所称渔具，是指捕捞水生动物的工具。包括渔网、钓具和鱼笼。

第三条 本条例下列用语的含义：
（一）小型渔网，是指展开面积不超过20平方米的渔网。
（二）批量，是指渔网50kg及以上。

第四条 渔具生产者应当登记。渔网、钓具的登记号各不相同。

第五条 遇有下列情形之一的，渔政机关可以决定渔网禁用：
（一）鱼群产卵的；
（二）渔网禁用的建议由专家提出的；
（三）水位过低的。

第六条 本条例自2021年9月1日起施行。
`,
	`乙湖船号编排规则

1 范围
本规则规定船号。

2 船种号
船号的第1位表示船种，含义如下：1表示渔船；2表示货船；3表示客船。

3 长度
船号共8位。
`,
	`丙区码头建设计划

为加快码头建设，现就有关事项通知如下：

一、总体目标
到2026年底，建成码头60个。

二、重点任务
（一）修缮旧码头
1.修缮东河区的旧码头。
2.清理旧码头的淤泥。
（二）兴建新码头
1.兴建西河区的新码头。
2.在新码头安装路灯。

三、申报事项
申报码头建设资金的，应当提交下列材料：
（1）申请表；
（2）码头图纸。

四、联系方式
政策咨询：规划科　林工　0599-1234567
监督电话：纪委　0599-7654321

附件
码头建设任务表
序号
区
2024年新增
2025年新增
1
东河区
2600
2
2
西河区
3900
4
3
南山区
3300
4
4
北山区
4200
6
`,
}

func paperBot(t *testing.T) *bot.Bot { return botOf(t, papers) }

func botOf(t *testing.T, papers []string) *bot.Bot {
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

// TestWholeAndWords: what a document is for, what its words and codes mean, and
// the row of a table.
func TestWholeAndWords(t *testing.T) {
	b := botOf(t, glossary)
	for _, c := range []struct{ question, has, lacks string }{
		{"《甲国渔具管理条例》的立法目的是什么？", "保护渔业资源", ""},
		{"什么是渔具管理条例？", "保护渔业资源", ""},
		{"《甲国渔具管理条例》从什么时候开始施行？", "2021年9月1日", ""},
		{"什么是渔具？", "捕捞水生动物的工具", "小型渔网"},
		{"条例里说的渔具一共包括哪几种？", "钓具和鱼笼", "小型渔网"},
		{"小型渔网具体指哪种渔网？", "不超过20平方米", "捕捞水生动物"},
		{"渔具条例说的“批量”要到多少公斤？", "50kg及以上", ""},
		{"出现什么情况，渔政机关可以决定渔网禁用？", "水位过低", ""},
		{"船号第1位如果填的是3，代表什么？", "3表示客船", ""},
		{"丙区码头建设计划的“重点任务”分成哪几块？", "“重点任务”分为2部分:（一）修缮旧码头;（二）兴建新码头", ""},
		{"丙区申报码头建设资金，要交哪几样材料？", "码头图纸", "通知如下"},
		{"丙区码头建设有政策问题，打什么电话？", "0599-1234567", "0599-7654321"},
		{"到2026年底，丙区码头要建多少万个？", "60个", ""},
		{"条例里“用语”和“登记号”各怎么说？", "登记号各不相同", ""},
		{"码头建设任务表里，南山区2025年要新增多少个？", "3 南山区 3300 4", "西河区"},
	} {
		a := ask(t, b, bot.Ask{Question: c.question})
		text := strings.ReplaceAll(a.Text, "\t", " ")
		if a.Status != bot.Answered || !strings.Contains(text, c.has) || c.lacks != "" && strings.Contains(text, c.lacks) {
			t.Errorf("%s: %s\n%s", c.question, a.Status, a.Text)
		}
		if bad := b.Verify(bot.Ask{Question: c.question}, a); len(bad) > 0 {
			t.Errorf("%s: %v", c.question, bad)
		}
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
