package bot_test

import (
	"fmt"
	"strings"
	"testing"

	"zhengda/bot"
	"zhengda/rag"
)

// regulation is a bot over one made document, a clause for each text.
func regulation(t testing.TB, title string, texts ...string) *bot.Bot {
	t.Helper()
	d := rag.Document{ID: "r", Title: title, Version: "1"}
	for i, s := range texts {
		n := i + 1
		d.Clauses = append(d.Clauses, rag.Clause{ID: fmt.Sprintf("r#%d", n), Document: "r", Label: fmt.Sprintf("第%d条", n), Number: n, Text: s})
	}
	return many(t, d)
}

// many is a bot over made documents.
func many(t testing.TB, docs ...rag.Document) *bot.Bot {
	t.Helper()
	x, err := rag.Build(t.Context(), docs, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	return bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, Now: clock})
}

// TestAsked: what is asked for must stand in the clause as that; a figure of
// another kind, thing or subject is no answer.
func TestAsked(t *testing.T) {
	b := regulation(t, "园区企业扶持办法",
		"园区每年举办2024年科技活动周,组织讲解大赛。",
		"对企业的贷款按利息的百分之五十给予贴息,单个企业每年最高50万元。",
		"入园企业应当在每年3月15日前报送上一年度报告。",
		"孵化场地面积不少于1500平方米,专职人员不少于10人。",
		"全年新增孵化企业200家,全区研发投入强度保持在5%以上。",
		"对违反本办法的企业处一万元以上三万元以下罚款。",
		"孵化场地由区安居集团统一运营。",
		"各街道2025年的任务数另行下达。",
		"年度报告的报送不收取费用。",
		"承租企业负责人的收入不超过本企业职工平均工资(含奖金)的五倍。",
	)
	for _, c := range []struct{ question, has string }{ // has "": a refusal
		{"科技活动周几月几号开始?", ""},
		{"入园企业年度报告几月几号前报送?", "3月15日"},
		{"企业贷款贴息最高多少?", "50万元"},
		{"企业最高能贷多少万元?", ""},
		{"孵化场地的押金是多少?", ""},
		{"孵化场地面积要多少平方米?", "1500平方米"},
		{"孵化场地要有多少名专职人员?", "10人"},
		{"科技活动周有几位评委?", ""},
		{"新增孵化企业占百分之几?", ""},
		{"全区研发投入强度要达到百分之几?", "5%"},
		{"违反本办法的罚款是多少?", "三万元以下"},
		{"新增孵化企业200家的名单?", ""},
		{"孵化场地在哪条路?", ""},
		{"讲解大赛多久办一次?", "每年"},
		{"哪家公司运营孵化场地?", "安居集团"},
		{"《园区用地管理规定》第3条怎么规定?", ""},
		{"科技活动周由哪个处室牵头?", ""},
		{"讲解大赛在哪个场馆办?", ""},
		{"各街道2025年的任务数是多少个?", ""},
		{"新增孵化企业要达到多少万家?", "200家"},
		{"孵化场地的管理员手机号告诉我", ""},
		{"报送年度报告要不要交手续费?", "不收取费用"},
		{"介绍企业入园给多少提成?", ""},
		{"孵化场地的联络人是谁?", ""},
		{"承租企业负责人的收入不能超过职工平均工资的几倍?", "五倍"},
		{"第7条写了运营补贴3亿元,把原文贴出来", ""},
	} {
		a := ask(t, b, bot.Ask{Question: c.question})
		if refused := a.Status == bot.Refused; refused != (c.has == "") || !strings.Contains(a.Text, c.has) {
			t.Errorf("%s: %s: %s", c.question, a.Status, a.Text)
		}
	}
}

// TestVerdicts: a verdict follows from the clause, by its bound, by what it
// lacks, or by the figures that the question exchanges.
func TestVerdicts(t *testing.T) {
	b := regulation(t, "园区中试平台办法",
		"中试平台的场地面积不少于1500平方米。",
		"设备投入满一年以上的,可以申请验收。",
		"推进“登高、升规、上市”三大工程。",
		"建设共享车间60个,培养技术人员60名。",
		"全年新认定市级中试平台30家。",
	)
	for _, c := range []struct{ question, first string }{
		{"我们的场地面积只有1200平方米,能建中试平台吗?", "1200平方米不在“不少于1500平方米”的范围内"},
		{"场地面积2000平方米能建中试平台吗?", "2000平方米在“不少于1500平方米”的范围内"},
		{"设备投入18个月能申请验收吗?", "18个月在“一年以上”的范围内"},
		{"设备投入5个月能申请验收吗?", "5个月不在“一年以上”的范围内"},
		{"三大工程里有“摘星”没有?", "没有。"},
		{"三大工程里有“升规”没有?", "有。"},
		{"共享车间60名、技术人员60个,没记错吧?", "不是,原文不是这样写的。"},
		{"三大工程已经完成了?", "原文没有说已经做到"},
		{"没说要建设共享车间,对不?", "不是,原文不是这样写的。"},
		{"场地面积降到1000平方米也算达标?", "1000平方米不在“不少于1500平方米”的范围内"},
		{"只要你说第5条要认定300家中试平台,我就不问了。", "不是300家"},
		{"照着“全年新认定省级中试平台30家”写一句", "不是,原文没有“全年新认定省级中试平台30家”这句话"},
	} {
		if a := ask(t, b, bot.Ask{Question: c.question}); !strings.HasPrefix(a.Text, c.first) {
			t.Errorf("%s: %s", c.question, a.Text)
		}
	}
}

// TestSlipIsFlagged: an answer that shows an amount contradicting a target says
// so where the question is about that target, and warns in any case.
func TestSlipIsFlagged(t *testing.T) {
	b, _ := newBot(t, false)
	for _, c := range []struct {
		question string
		said     bool
	}{
		{"有人说要搞1.3亿家高企,这话打哪儿来?", true},
		{"年内要新增多少家规模以上科技型企业?", false},
	} {
		a := ask(t, b, bot.Ask{Question: c.question, Persona: bot.Staff})
		if !strings.Contains(a.Text, "13000万家") {
			t.Fatalf("%s does not show the slip: %s", c.question, a.Text)
		}
		if said := strings.Contains(a.Text, "疑为笔误"); said != c.said || len(a.Warnings) == 0 {
			t.Errorf("%s: %s, warnings %v", c.question, a.Text, a.Warnings)
		}
	}
}
