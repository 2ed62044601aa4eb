package kpi

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhengda/rag"
)

// statements are the candidates as clause|comparator|value|unit.
func statements(cands []Candidate) (out []string) {
	for _, k := range cands {
		out = append(out, statement(k.Clause, Format(k.Target), k.Unit, string(k.Comparator)))
	}
	return out
}

// score compares two bags of statements.
func score(got, want []string) (recall, precision float64, diff []string) {
	left := map[string]int{}
	for _, s := range want {
		left[s]++
	}
	hits := 0
	for _, s := range got {
		if left[s] > 0 {
			left[s]--
			hits++
		} else {
			diff = append(diff, "not a target: "+s)
		}
	}
	for s, n := range left {
		if n > 0 {
			diff = append(diff, "missed: "+s)
		}
	}
	return float64(hits) / float64(max(1, len(want))), float64(hits) / float64(max(1, len(got))), diff
}

// TestExtractPlan scores the extraction of the first document on value, unit,
// comparator and clause: against the curated indicators, and against the gold
// mentions where they are at hand.
func TestExtractPlan(t *testing.T) {
	doc := plan2024(t)
	cands := Extract(doc)
	for _, gold := range []string{filepath.Join(root(t), "seeds", "kpis.csv"), filepath.Join(root(t), "..", "shared", "data", "qa", "kpis.csv")} {
		if _, err := os.Stat(gold); err != nil {
			continue
		}
		inds := readSeed(t, gold)
		var want []string
		for _, i := range inds {
			want = append(want, statement(i.Clause, Format(i.Target), i.Unit, string(i.Comparator)))
			for _, m := range i.Mentions {
				want = append(want, statement(m.Clause, Format(m.Target), m.Unit, string(m.Comparator)))
			}
		}
		r, p, diff := score(statements(cands), want)
		t.Logf("%s: %d targets, recall %.3f, precision %.3f", filepath.Base(filepath.Dir(gold)), len(want), r, p)
		if r < 0.95 || p < 0.95 {
			t.Error(strings.Join(diff, "\n"))
		}
		if d := Compare(cands, inds); len(d) != len(diff) {
			t.Errorf("Compare finds %d differences, the score %d", len(d), len(diff))
		}
	}
	for _, k := range cands {
		for _, c := range doc.Clauses {
			if c.ID != k.ClauseID {
				continue
			}
			fig := string([]rune(c.Text)[k.Start:k.End])
			if !strings.Contains(c.Text, k.Words) || !strings.Contains(k.Words, fig) || !k.Derived && fig != Format(k.Target)+k.Unit {
				t.Errorf("%s: %q is not verbatim in %s", k.Name, fig, c.Label)
			}
		}
	}
}

func TestPropose(t *testing.T) {
	doc := plan2024(t)
	inds := Propose(doc, Extract(doc), seeds(t))
	if len(inds) != 21 {
		t.Errorf("%d indicators; want 21", len(inds))
	}
	byCode := map[string]Indicator{}
	for _, i := range inds {
		byCode[i.Code] = i
	}
	for _, want := range seeds(t) {
		got, ok := byCode[want.Code]
		if !ok {
			t.Errorf("%s was not recognised", want.Code)
			continue
		}
		if !got.Target.Equal(want.Target) || got.Unit != want.Unit || got.Clause != want.Clause || fmt.Sprint(got.Clauses()) != fmt.Sprint(want.Clauses()) ||
			len(got.Conflicts()) != len(want.Conflicts()) || got.Derived != want.Derived {
			t.Errorf("%s: proposed %+v; curated %+v", want.Code, got, want)
		}
	}
	for title, want := range map[string]string{"2022年西安市科技工作要点": "gaoqi_total 2022", "2024年某区科技工作要点": "gaoqi_total_2 2024"} {
		other := rag.Document{Title: title, Clauses: []rag.Clause{{Text: "高新技术企业总数达到8700家。"}}}
		if i := Propose(other, Extract(other), seeds(t))[0]; fmt.Sprint(i.Code, " ", i.Year) != want {
			t.Errorf("%s: %s %d; want %s", title, i.Code, i.Year, want)
		}
	}
	fresh := Propose(doc, Extract(doc), nil)
	if fresh[0].Code != "gjgxjsqyzs" || fresh[0].Name != "国家高新技术企业总数" {
		t.Errorf("without known indicators the first is %s %s", fresh[0].Code, fresh[0].Name)
	}
}

// TestExtractWords tells targets from what only looks like one. The result is
// name, comparator, value and unit of each.
func TestExtractWords(t *testing.T) {
	for text, want := range map[string]string{
		"2024年是中华人民共和国成立75周年,是“十四五”关键一年。":     "",
		"坚持“第一议题”抓学习,落实三年行动计划,建设“四强”党支部。":     "",
		"全面贯彻党的二十大精神,深化“三项改革”,落实“十条措施”。":      "",
		"A类企业、B类企业分别突破100家、200家。":             "A类企业>100家 B类企业>200家",
		"新增200家规模以上科技型企业。":                    "新增规模以上科技型企业=200家",
		"截至目前,全市高新技术企业达到12000家。":              "",
		"已建成10个中试平台,力争再建成5个中试基地。":             "中试基地=5个",
		"对认定的企业给予最高200万元奖励。":                  "",
		"处二万元以上十万元以下的罚款。":                     "",
		"申报单位应当具备下列条件:科技人员不少于10人。":            "",
		"年销售收入5000万元以上的企业优先入库。":               "",
		"每个县至少建设1所实训基地。":                      "",
		"单位GDP能耗下降到0.5吨以下,PM2.5浓度控制在40以内。":    "单位GDP能耗<=0.5吨",
		"到2025年,研发经费投入强度达到3.2%以上,到2030年达到4%。": "研发经费投入强度>=3.2% 加强>=4%",
		"举办产学研活动一百场。":                         "产学研活动=100场",
		"培育三千八百名技术转移人才。":                      "技术转移人才=3800名",
		"实现行政村全覆盖。":                           "行政村覆盖率=100%",
		"建立健全覆盖城乡的服务体系。":                      "",
		"专任教师中双师型教师占比超过一半。":                   "专任教师中双师型教师占比>50%",
		"技术合同成交额同比增长12%。":                     "技术合同成交额同比=12%",
		"引进高层次人才1,200人以上。":                    "高层次人才>=1200人",
		"完成投资３００亿元。":                          "投资=300亿元",
		"北京、上海、广东等8个区域开展试点。":                  "",
		"在10个重点领域开展攻关。":                       "",
		"公示时间不得少于15日。":                        "",
		"建设50所高水平学校和150个骨干专业(群)。":             "高水平学校=50所 骨干专业(群)=150个",
	} {
		doc := rag.Document{Title: "2024年工作要点", Clauses: []rag.Clause{{Text: text, Title: "加强"}}}
		var got []string
		for _, k := range Extract(doc) {
			got = append(got, k.Name+string(k.Comparator)+Format(k.Target)+k.Unit)
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s\n got %s\nwant %s", text, g, want)
		}
	}
}

// TestExtractPolicies checks five published documents against what a person
// counted in them, line by line, as comparator, value and unit.
func TestExtractPolicies(t *testing.T) {
	for file, want := range map[string]string{
		"part_西安市2022年科技工作要点_节选.txt": ">=8700家 >1万家 >=5% >=1.5% >2200亿元 =500项 =200家",
		"gov_07_无废城市试点方案.txt":        "=10个 >=95% >=75% >=85% >=80%",
		"gov_03_职业教育改革实施方案.txt":      "=50所 =150个 =300个 >=50% >50% =100个 =300个",
		"gov_01_双随机一公开监管意见.txt":      "=100% =100%",
		"gov_37_真抓实干激励_30条.txt":      "",
	} {
		cands := Extract(lines(t, shared(t, "policies/"+file)))
		var got []string
		for _, k := range cands {
			got = append(got, string(k.Comparator)+Format(k.Target)+k.Unit)
		}
		r, p, diff := score(got, strings.Fields(want))
		t.Logf("%s: %d found, recall %.2f, precision %.2f", file, len(got), r, p)
		if diff != nil {
			t.Errorf("%s:\n%s", file, strings.Join(diff, "\n"))
		}
	}
}

// TestExtractRules looks that regulations, which set limits and no targets,
// give next to nothing.
func TestExtractRules(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(filepath.Dir(shared(t, "policies/gov_01_双随机一公开监管意见.txt")), "reg_*.txt"))
	if err != nil || len(files) == 0 {
		t.Fatal(err)
	}
	n := 0
	for _, f := range files {
		n += len(Extract(lines(t, f)))
	}
	if n > 1 {
		t.Errorf("%d targets in %d regulations", n, len(files))
	}
}

// lines makes a document of a text file, a clause a line.
func lines(t testing.TB, path string) rag.Document {
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	doc := rag.Document{Title: strings.TrimSuffix(filepath.Base(path), ".txt")}
	for i, l := range strings.Split(string(b), "\n") {
		doc.Clauses = append(doc.Clauses, rag.Clause{Number: i + 1, Text: strings.TrimSpace(l)})
	}
	return doc
}

func FuzzExtract(f *testing.F) {
	f.Add("到2025年,A、B分别突破1.2万家、３%以上(各局牵头),实现全覆盖,过半“五个”。")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "�") // as every parsed document is
		n := len([]rune(s))
		for _, k := range Extract(rag.Document{Title: "2024年要点", Clauses: []rag.Clause{{Text: s}}}) {
			if k.Start < 0 || k.Start >= k.End || k.End > n || !strings.Contains(s, k.Words) || k.Unit == "" {
				t.Fatalf("%q: %+v", s, k)
			}
		}
	})
}
