package bot_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"zhengda/bot"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// letters are what a text says without spaces and punctuation.
func letters(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("%‰+", r) {
			return r
		}
		return -1
	}, zh.Fold(s))
}

// parts cuts a sentence behind its commas.
func parts(s string) []string {
	var out []string
	for {
		i := strings.IndexAny(s, ",,;;::")
		if i < 0 {
			break
		}
		_, n := firstRune(s[i:])
		out, s = append(out, s[:i+n]), s[i+n:]
	}
	if s != "" {
		out = append(out, s)
	}
	return out
}

func firstRune(s string) (r rune, n int) {
	for i, c := range s {
		if i > 0 {
			return r, i
		}
		r = c
	}
	return r, len(s)
}

// each replaces every match of a pattern, one at a time, by each of the words.
func each(pattern string, words ...string) func(string) []string {
	re := regexp.MustCompile(pattern)
	return func(s string) []string {
		var out []string
		for _, m := range re.FindAllStringSubmatchIndex(s, -1) {
			for _, w := range words {
				t := s[:m[0]] + string(re.ExpandString(nil, w, s, m)) + s[m[1]:]
				if t != s {
					out = append(out, t)
				}
			}
		}
		return out
	}
}

// changes are systematic changes of one sentence.
var changes = map[string]func(string) []string{
	"digit": func(s string) []string {
		var out []string
		for i, c := range s {
			if c >= '0' && c <= '9' {
				out = append(out, s[:i]+string('0'+(c-'0'+1)%10)+s[i+1:], s[:i]+"1"+s[i:], s[:i]+s[i+1:], s[:i+1]+"0"+s[i+1:])
			}
		}
		return out
	},
	"numeral":    each(`[一二两三四五六七八九十百千](批|项|家|个|年|种|类|级)`, "三十$1", "九$1"),
	"unit":       each(`(\d)(万家|家|亿元|万元|项目|项|名|个|场|%|年)`, "${1}户", "${1}亿元", "${1}万元", "${1}个百分点", "${1}%", "${1}人次", "${1}项"),
	"comparator": each(`达到|超过|突破|以上|以内|不少于|不低于|不超过|保持在|累计|力争|分别`, "不超过", "不少于", "低于", "以下", "超过", "达到", "约", "减少", ""),
	"bound":      each(`(\d+(?:万家|家|亿元|万元|项|名|个|场|%))`, "不超过$1", "超过$1", "$1以上", "$1以下", "$1以内", "至少$1", "约$1", "近$1"),
	"denial":     each(`支持|鼓励|推动|开展|建设|实施|加强|培育|完善|推进|达到|建立|出台|组织|落实`, "不$0", "不再$0", "禁止$0", "不得$0", "未$0", "停止$0", "可以不$0", "无需$0", "暂缓$0", "取消$0"),
	"permission": each(`不得|不予|不能|严禁|坚决遏制|不断|杜绝|防止`, "可以", "应当", "允许", "不", ""),
	"modality":   each(`支持|鼓励|推动|探索|力争|争取|引导`, "要求", "必须", "应当", "已", "强制"),
	"done":       each(`支持|推动|开展|建设|实施|培育|建立|出台|建成|转化|举办`, "${0}了", "已$0", "已经$0", "完成$0"),
	"doer":       each(`企业|高校|院所|人才|机构|基地|平台`, "由$0", "向$0", "为$0", "对$0", "被$0", "或$0", "除$0外", "非$0"),
	"year":       each(`20\d\d年`, "2023年", "2025年", "2021年", "2035年", ""),
	"add year":   func(s string) []string { return []string{"2023年" + s, "到2025年," + s, "2035年前" + s} },
	"invent": func(s string) []string {
		return []string{strings.TrimSuffix(s, "。") + ",每家奖励100万元。", "市财政局" + s, s + "截止日期为12月31日。"}
	},
	"limit": each(`国家|科技型|高新技术|全国|市级|省级|重点|规模以上|青年|初创期|海外|涉农|核心|关键|全市|新认定`, ""),
	"reverse": func(s string) []string {
		ps := parts(strings.TrimSuffix(s, "。"))
		if len(ps) < 2 {
			return nil
		}
		var out []string
		for i := 1; i < len(ps); i++ {
			x := slices.Clone(ps)
			x[i-1], x[i] = x[i], x[i-1]
			out = append(out, strings.Join(x, ","))
		}
		return out
	},
	"exchange figures": func(s string) []string {
		re := regexp.MustCompile(`\d+(?:万家|家|亿元|万元|项|名|个|场|%)`)
		at := re.FindAllStringIndex(s, -1)
		var out []string
		for i := 1; i < len(at); i++ {
			a, b := at[i-1], at[i]
			out = append(out, s[:a[0]]+s[b[0]:b[1]]+s[a[1]:b[0]]+s[a[0]:a[1]]+s[b[1]:])
		}
		return out
	},
	"skip": func(s string) []string {
		ps := parts(s)
		var out []string
		for i := range ps {
			for k := i + 1; k < len(ps); k++ {
				x := append(slices.Clone(ps[:i+1]), ps[k:]...)
				if i > 0 || k > i+1 {
					out = append(out, strings.Join(x, ""))
				}
				a, b := []rune(ps[i]), []rune(ps[k])
				out = append(out, string(a[:len(a)/2])+string(b[len(b)/2:]), string(a[:min(2, len(a))])+string(b[min(2, len(b)):]))
			}
		}
		return out
	},
}

// joined are false wholes of two sentences.
func joined(a, b string) []string {
	var out []string
	pa, pb := parts(a), parts(b)
	for i := 1; i <= len(pa); i++ {
		for k := range pb {
			if i < len(pa) || k > 0 {
				out = append(out, strings.TrimRight(strings.Join(pa[:i], ""), "。;；,，")+","+strings.Join(pb[k:], ""))
			}
		}
	}
	ra, rb := []rune(a), []rune(b)
	out = append(out, string(ra[:len(ra)/2])+string(rb[len(rb)/2:]))
	for n := 2; n <= 6 && n < len(ra) && n < len(rb); n += 2 { // the subject of one before the rest of the other
		out = append(out, string(ra[:n])+string(rb[n:]))
	}
	return out
}

// TestPickMutations changes the sentences of the seed in every way that would
// tell a reader something else. What is picked is a sentence of the clause, to
// the letter, and none where a figure was changed; unchanged ones are found.
func TestPickMutations(t *testing.T) {
	b, _ := modelBot(t, "http://127.0.0.1/v1", time.Second, corpus)
	tried, picked, whole := map[string]int{}, map[string]int{}, 0
	for i := range corpus().Documents()[0].Clauses {
		k := &corpus().Documents()[0].Clauses[i]
		var list []string
		r := []rune(k.Text)
		for _, s := range zh.Sentences(k.Text) {
			list = append(list, string(r[s.Start:s.End]))
		}
		try := func(kind, said string, changed bool) {
			tried[kind]++
			got, why := bot.Pick(b, said, k)
			if why != "" {
				return
			}
			picked[kind]++
			if !slices.Contains(list, got) {
				t.Errorf("%s: %s is no sentence of %s", kind, got, k.Label)
			}
			have := zh.Quantities(got)
			if bad := slices.ContainsFunc(zh.Quantities(said), func(f zh.Quantity) bool {
				return !f.Ordinal && !(f.Date && f.Value.String() == "2024") && !slices.ContainsFunc(have, f.Same)
			}); bad && changed {
				t.Errorf("%s: %s picks %s", kind, said, got)
			}
		}
		for _, s := range list {
			whole++
			if got, why := bot.Pick(b, s, k); got != s && len([]rune(s)) >= 4 {
				t.Errorf("%s: %s %s", s, got, why)
			}
			for kind, f := range changes {
				for _, m := range f(s) {
					try(kind, m, true)
				}
			}
			for _, o := range list {
				if o != s {
					for _, m := range joined(s, o) {
						try("join", m, true)
					}
				}
			}
		}
	}
	for kind, n := range tried {
		if n == 0 {
			t.Errorf("%s was not tried", kind)
		}
	}
	t.Logf("%d sentences; changed ones %v, of which these pick the sentence that was changed %v", whole, tried, picked)
	if whole < 50 {
		t.Errorf("only %d sentences", whole)
	}
}

// TestPick shows which sentence a statement of a model points at.
func TestPick(t *testing.T) {
	doc := rag.Document{ID: "d", Title: "南山市2024年科技创新券管理办法", Version: "1", Meta: rag.Meta{Year: 2024}, Clauses: []rag.Clause{
		{ID: "d#7", Document: "d", Label: "第七条", Number: 7, Text: "首次认定的,给予10万元奖励,同一企业每年不超过3次。探索开展“先投后股”试点工作,支持一批科技成果转化企业。"},
		{ID: "d#8", Document: "d", Label: "第八条", Number: 8, Text: "企业可以登录www.innocom.gov.cn申请创新券,但已享受同类资助的除外。由市科技局审核企业材料。"},
	}}
	x, err := rag.Build(t.Context(), []rag.Document{doc}, rag.Options{})
	if err != nil {
		t.Fatal(err)
	}
	b, _ := modelBot(t, "http://127.0.0.1/v1", time.Second, func() *rag.Index { return x })
	const prize, pilot, ticket, check = "首次认定的,给予10万元奖励,同一企业每年不超过3次。", "探索开展“先投后股”试点工作,支持一批科技成果转化企业。",
		"企业可以登录www.innocom.gov.cn申请创新券,但已享受同类资助的除外。", "由市科技局审核企业材料。"
	for _, c := range []struct {
		clause     int
		said, want string
	}{
		{0, pilot, pilot},
		{0, "探索开展先投后股试点工作", pilot},
		{0, "根据第七条,探索开展「先投后股」试点工作。", pilot},
		{0, "2024年,探索开展“先投后股”试点工作。", pilot},
		{0, "2025年,探索开展“先投后股”试点工作。", ""},
		{0, "给予10万元奖励,同一企业每年不超过3次", prize},
		{0, "首次认定的,给予20万元奖励,同一企业每年不超过3次。", ""},
		{0, "开展试点。", ""},
		{0, "市里支持很多企业,也支持很多人才,支持一批科技成果。", ""},
		{1, "企业可以登录www.innocom.gov.cn申请创新券。", ticket}, // with its exception
		{1, "已享受同类资助的除外", ticket},
		{1, check, check},
		{1, pilot, ""},
		{1, "", ""},
	} {
		got, why := bot.Pick(b, c.said, &x.Documents()[0].Clauses[c.clause])
		if got != c.want || (why == "") != (c.want != "") {
			t.Errorf("%s: %q %s, want %q", c.said, got, why, c.want)
		}
	}
}

// TestStatements shows how a draft is read, whatever its form.
func TestStatements(t *testing.T) {
	for draft, want := range map[string][]string{
		"探索试点[1]\n\n支持企业。[2][3]":       {"探索试点 1", "支持企业。 2 3"},
		"1. **探索试点**【1】\n- 支持企业[2,3]":  {"探索试点 1", "支持企业 2 3"},
		"探索试点[1]。支持企业[2]":              {"探索试点 1", "支持企业 2"},
		"[2]★ 第17条:探索试点":               {"★ 第17条:探索试点 2"},
		"没有出处":                         {"没有出处"},
		"[1]":                          {" 1"},
		"":                             nil,
		strings.Repeat("一句话[1]\n", 40): slices.Repeat([]string{"一句话 1"}, 12),
	} {
		if got := bot.Statements(draft); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", draft, got, want)
		}
	}
}
