package kpi

import (
	"bufio"
	"encoding/json"
	"os"
	"strings"
	"testing"
)

func TestResolve(t *testing.T) {
	c := NewCatalog(seeds(t))
	for text, want := range map[string]string{
		"高企还差多少?":                                       "gaoqi_total",
		"科小入库离目标还有多远?":                                  "sme_pool",
		"技术合同额现在进度":                                     "tech_contract_value",
		"就地转化项目还差几项":                                    "local_conversion_projects",
		"市级重点实验室认定到第几家了":                                "city_key_labs",
		"全国重点实验室的指标":                                    "state_key_labs",
		"重点实验室进度":                                       "city_key_labs state_key_labs",
		"省级重点实验室有几家":                                    "",
		"科技特派员目标":                                       "tech_envoys",
		"“揭榜挂帅”项目达标了吗":                                  "jiebang_projects",
		"应用场景示范差几项":                                     "application_scenarios",
		"R & D intensity target?":                       "rd_intensity",
		"What is the target for High-Tech Enterprises?": "gaoqi_total",
		"高企和科小分别完成多少":                                   "gaoqi_total sme_pool",
		"ＲＤ":                                            "",
		"集群项目多少项":                                       "chain_cluster_projects",
		"国家高新技术企业、规上科技型企业":                              "above_scale_tech_firms_new gaoqi_total",
		"今天天气怎么样":                                       "",
		"办公电话是多少":                                       "",
		"社会发展领域科技创新示范":                                  "social_demo_projects",
	} {
		ms := c.Resolve(text)
		codes := map[string]bool{}
		var got []string
		for _, m := range ms {
			codes[m.Indicator.Code] = true
			r := []rune(text)
			if m.Start < 0 || m.End > len(r) || m.Start >= m.End {
				t.Errorf("%s: %s at %d–%d", text, m.Indicator.Code, m.Start, m.End)
			}
		}
		for _, i := range c.All() {
			if codes[i.Code] {
				got = append(got, i.Code)
			}
		}
		if g, w := sortedFields(strings.Join(got, " ")), sortedFields(want); g != w {
			t.Errorf("%s: %s; want %s", text, g, w)
		}
	}
}

func sortedFields(s string) string {
	f := strings.Fields(s)
	for i := range f {
		for j := i; j > 0 && f[j] < f[j-1]; j-- {
			f[j], f[j-1] = f[j-1], f[j]
		}
	}
	return strings.Join(f, " ")
}

// TestResolveQuestions looks that every question about a target finds an
// indicator that one of its gold clauses states.
func TestResolveQuestions(t *testing.T) {
	f, err := os.Open(shared(t, "qa/dev.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := NewCatalog(seeds(t))
	s := bufio.NewScanner(f)
	s.Buffer(nil, 1<<20)
	for n, miss := 0, 0; ; {
		if !s.Scan() {
			if t.Logf("%d of %d found", n-miss, n); miss > 0 {
				t.Errorf("%d of %d missed", miss, n)
			}
			break
		}
		var q struct {
			Type, Question string
			Gold           []int `json:"gold_clauses"`
		}
		if err := json.Unmarshal(s.Bytes(), &q); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(q.Type, "kpi") && q.Type != "contradiction" {
			continue
		}
		n++
		found := false
		for _, m := range c.Resolve(q.Question) {
			for _, k := range m.Indicator.Clauses() {
				found = found || k == q.Gold[0]
			}
		}
		if !found {
			miss++
			t.Errorf("%s: %v", q.Question, c.Resolve(q.Question))
		}
	}
}

func FuzzResolve(f *testing.F) {
	c := NewCatalog([]Indicator{{Code: "a", Name: "国家高新技术企业总数", Aliases: []string{"高企", "R&D"}}, {Code: "b", Name: "科技特派员"}})
	f.Add("“高 企”与Ｒ＆Ｄ,科技特派")
	f.Fuzz(func(t *testing.T, s string) {
		n := len([]rune(s))
		for _, m := range c.Resolve(s) {
			if m.Start < 0 || m.Start >= m.End || m.End > n || m.Score <= 0 || m.Score > 1 {
				t.Fatalf("%q: %+v", s, m)
			}
		}
	})
}
