package kpi

import (
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// TestQueryActuals asks for the figures of the question set.
func TestQueryActuals(t *testing.T) {
	s := newStore(t)
	const csv = head + "gaoqi_total,12100,家,2024-09-30,夹具\nsme_pool,15230,家,2024-09-30,夹具\ntech_contract_value,3860.5,亿元,2024-09-30,夹具\n" +
		"local_conversion_projects,412,项,2024-09-30,夹具\ntech_transfer_talent,3520,名,2024-09-30,夹具\ncity_key_labs,21,家,2024-09-30,夹具\njiebang_projects,11,项,2024-09-30,夹具\n"
	if _, _, err := s.Import(t.Context(), strings.NewReader(csv), "测试"); err != nil {
		t.Fatal(err)
	}
	tool := NewTool(s, s, clock)
	for name, want := range map[string]string{
		"高企":      "short 12100/13000 gap 900 need 900 93.1% of 74.9% 300/month behind=false [0 12]",
		"科小":      "short 15230/16000 gap 770 need 771 95.2% of 74.9% 257/month behind=false [0 12]",
		"技术合同额":   "short 3860.5/5000 gap 1139.5 need 1139.5 77.2% of 74.9% 379.84/month behind=false [0]",
		"就地转化项目":  "short 412/600 gap 188 need 188 68.7% of 74.9% 63/month behind=true [0 14]",
		"技术转移人才":  "short 3520/3800 gap 280 need 280 92.6% of 74.9% 94/month behind=false [0 16]",
		"市级重点实验室": "short 21/30 gap 9 need 9 70% of 74.9% 3/month behind=true [6]",
		"揭榜挂帅":    "met 11/10 gap 0 need  110% of 74.9% /month behind=false [11]",
		"研发投入强度":  "no_actual /5 gap  need   of  /month behind=false [0]",
	} {
		r := ask(t, tool, name)
		if got := fmt.Sprintf("%s %s/%s gap %s need %s %s of %s %s/month behind=%v %v", r.Status, r.Actual, r.Target, r.Gap, r.Needed, r.Progress, r.Elapsed, r.Monthly, r.Behind, r.Indicator.Clauses()); got != want {
			t.Errorf("%s\n got %s\nwant %s", name, got, want)
		}
	}
	r := ask(t, tool, "高企")
	if len(r.Warnings) != 1 || r.Warnings[0].Kind != "contradiction" || !strings.Contains(r.Warnings[0].Text, "13000万家") || fmt.Sprint(r.Warnings[0].Clauses) != "[0 12]" {
		t.Errorf("warnings %+v", r.Warnings)
	}
	rs, err := tool.List(t.Context(), 0, "")
	if err != nil || len(rs) != 21 {
		t.Fatalf("%d results, %v", len(rs), err)
	}
	var behind []string
	for _, r := range Behind(rs) {
		behind = append(behind, r.Indicator.Code)
	}
	if g := strings.Join(behind, " "); g != "local_conversion_projects city_key_labs" {
		t.Errorf("behind: %s", g)
	}
	if r := Rank(rs, false); r[0].Indicator.Code != "jiebang_projects" || r[1].Indicator.Code != "sme_pool" || r[7].Progress != "" {
		t.Errorf("ranking begins with %s, %s", r[0].Indicator.Code, r[1].Indicator.Code)
	}
	for _, r := range must(tool.Public().List(t.Context(), 2024, "")) {
		if b, _ := json.Marshal(r); r.Status != Withheld || strings.Contains(string(b), "夹具") || r.Actual+r.Gap+r.Progress+r.Monthly != "" {
			t.Errorf("public result tells %s", b)
		}
	}
	if _, err := tool.List(t.Context(), 2023, ""); err == nil {
		t.Error("a year without targets was listed")
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func TestStrict(t *testing.T) {
	i := Indicator{Name: "甲", Unit: "家", Target: decimal.NewFromInt(16000), Comparator: zh.GT, Year: 2024}
	for v, want := range map[int64]string{15999: "false 1 2 99.9", 16000: "false 0 1 100", 16001: "true 0 0 100", 16100: "true 0 0 100.6"} {
		d := decimal.NewFromInt(v)
		p, _ := i.Progress(d)
		if got := fmt.Sprintf("%v %s %s %s", i.Met(d), i.Gap(d), i.Needed(d), Format(p)); got != want {
			t.Errorf("%d: %s; want %s", v, got, want)
		}
	}
	i.Comparator, i.Unit, i.Target = zh.LE, "%", decimal.RequireFromString("5.5")
	for v, want := range map[string]string{"5.5": "true 0 0", "5.6": "false 0.1 0.1", "3": "true 0 0"} {
		d := decimal.RequireFromString(v)
		_, ok := i.Progress(d)
		if got := fmt.Sprintf("%v %s %s", i.Met(d), i.Gap(d), i.Needed(d)); got != want || ok {
			t.Errorf("ceiling %s: %s; want %s", v, got, want)
		}
	}
}

func TestConvert(t *testing.T) {
	for in, want := range map[string]string{
		"1.21 万家 家": "12100", "12100 家 万家": "1.21", "5000 亿元 元": "500000000000", "1 亿元 万元": "10000", "38605000 万元 亿元": "3860.5",
		"5 人 名": "5", "5 % ％": "5", "3 万人 名": "30000", "1 家 元": "", "1 % 家": "", "1 万 家": "", "2 万亿元 亿元": "20000",
	} {
		f := strings.Fields(in)
		got, err := Convert(decimal.RequireFromString(f[0]), f[1], f[2])
		if want == "" && err == nil || want != "" && (err != nil || Format(got) != want) {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
}

func TestForecast(t *testing.T) {
	i := Indicator{Unit: "项", Target: decimal.NewFromInt(600), Comparator: zh.EQ, Basis: Annual, Year: 2024}
	pts := func(s string) (out []Point) {
		for _, f := range strings.Fields(s) {
			d, v, _ := strings.Cut(f, "=")
			out = append(out, Point{Date("2024-" + d), decimal.RequireFromString(v)})
		}
		return out
	}
	for _, c := range []struct {
		basis          Basis
		unit, in, want string
	}{
		{Annual, "项", "09-30=412", "550 false 0 0 2025-02-03"},              // 412 + 412/274·92 = 550.3
		{Annual, "项", "06-30=182 09-30=412", "550 true 504 642 2025-02-03"}, // slowest 182/182, quickest 230/92
		{Annual, "亿元", "09-30=3860.5", "5156.73 false 0 0 "},
		{Cumulative, "项", "09-30=412", "none"},
		{Cumulative, "项", "06-30=400 09-30=446", "492 false 0 0 2025-08-04"},
		{Annual, "%", "09-30=5", "none"},
		{Annual, "项", "12-31=412", "none"},
		{Annual, "项", "", "none"},
	} {
		i.Basis, i.Unit = c.basis, c.unit
		got := "none"
		if f, ok := i.Forecast(pts(c.in)); ok {
			got = fmt.Sprintf("%s %v %s %s %s", f.Value, f.Band, f.Low, f.High, f.Reaches)
		}
		if got != c.want {
			t.Errorf("%s %s: %s; want %s", c.basis, c.in, got, c.want)
		}
	}
}

// TestSchema looks that the schema of the tool and Request name the same
// parameters.
func TestSchema(t *testing.T) {
	var s struct {
		Name       string
		Parameters struct {
			Properties map[string]struct{ Type string }
			Required   []string
		}
	}
	if err := json.Unmarshal(Schema(), &s); err != nil || s.Name != "query_kpi" {
		t.Fatal(s.Name, err)
	}
	typ := reflect.TypeFor[Request]()
	for k := range typ.NumField() {
		name, opt, _ := strings.Cut(typ.Field(k).Tag.Get("json"), ",")
		want := map[reflect.Kind]string{reflect.String: "string", reflect.Int: "integer"}[typ.Field(k).Type.Kind()]
		if s.Parameters.Properties[name].Type != want || slices.Contains(s.Parameters.Required, name) == (opt == "omitempty") {
			t.Errorf("%s is not in the schema as it should be", name)
		}
		delete(s.Parameters.Properties, name)
	}
	if len(s.Parameters.Properties) != 0 {
		t.Errorf("the schema has more: %v", s.Parameters.Properties)
	}
}

// TestResultsExact records random figures in random units and compares every
// number of the results with rational arithmetic.
func TestResultsExact(t *testing.T) {
	s := newStore(t)
	tool := NewTool(s, s, clock)
	rnd := rand.New(rand.NewPCG(1, 2))
	c := NewCatalog(seeds(t))
	seen := 0
	for n := range 600 {
		i := c.All()[rnd.IntN(len(c.All()))]
		base, _ := splitUnit(i.Unit)
		v, unit := decimal.New(rnd.Int64N(2*i.Target.IntPart()*100+200), -2), i.Unit
		if countable(i.Unit) {
			v = v.Truncate(0)
		}
		if flows(i.Unit) && rnd.IntN(2) == 0 { // the same amount in another scale
			unit = []string{"", "万", "亿"}[rnd.IntN(3)] + base
			v = must(Convert(v, i.Unit, unit))
		}
		day := DateOf(noon.AddDate(0, 0, -rnd.IntN(270)))
		f := Figure{Code: i.Code, Value: v, Unit: unit, AsOf: day, Source: fmt.Sprintf("来源%d", n), RecordedBy: "x"}
		if _, err := s.Record(t.Context(), f); err != nil {
			t.Fatalf("%+v: %v", f, err)
		}
		r := must(tool.Query(t.Context(), Request{Indicator: i.Code, AsOf: day}))
		if r.Source != f.Source || r.AsOf != day || r.AgeDays != 0 || r.Indicator.Unit != i.Unit {
			t.Fatalf("%+v gives %+v", f, r)
		}
		seen++
		exact(t, r, i, f)
	}
	t.Logf("%d results", seen)
}

// exact recomputes r from f and i with math/big.
func exact(t *testing.T, r Result, i Indicator, f Figure) {
	t.Helper()
	pow := func(unit string) *big.Rat {
		p := new(big.Rat).SetInt64(1)
		for strings.ContainsAny(unit, "万亿") {
			_, size := firstRune(unit)
			p.Mul(p, new(big.Rat).SetInt64(map[string]int64{"万": 1e4, "亿": 1e8}[unit[:size]]))
			unit = unit[size:]
		}
		return p
	}
	v := new(big.Rat).Quo(new(big.Rat).Mul(f.Value.Rat(), pow(f.Unit)), pow(i.Unit))
	target := i.Target.Rat()
	eq := func(name, got string, want *big.Rat) {
		if g, ok := new(big.Rat).SetString(strings.TrimSuffix(got, "%")); !ok || g.Cmp(want) != 0 {
			t.Errorf("%s of %s, actual %s%s: %q; want %s", name, i.Code, f.Value, f.Unit, got, want.FloatString(6))
		}
	}
	eq("actual", r.Actual, v)
	eq("target", r.Target, target)
	gap := new(big.Rat).Sub(target, v)
	met := gap.Sign() < 0 || gap.Sign() == 0 && i.Comparator != zh.GT
	if met != (r.Status == Met) {
		t.Errorf("%s: %s of %s is %s", i.Code, v, target, r.Status)
	}
	if gap.Sign() < 0 {
		eq("over", r.Over, new(big.Rat).Neg(gap))
		gap.SetInt64(0)
	}
	eq("gap", r.Gap, gap)
	p := new(big.Rat).Mul(new(big.Rat).Quo(v, target), big.NewRat(100, 1))
	want, _ := new(big.Rat).SetString(p.FloatString(1)) // rounds half away from zero
	if v.Cmp(target) < 0 && want.Cmp(big.NewRat(100, 1)) >= 0 {
		want = big.NewRat(999, 10)
	}
	eq("progress", r.Progress, want)
	if r.Monthly != "" { // the least amount, in steps the unit allows, that suffices
		num, den := i.monthsLeft(f.AsOf)
		step := big.NewRat(1, 1)
		if !countable(i.Unit) {
			step = big.NewRat(1, 100)
		}
		m, _ := new(big.Rat).SetString(r.Monthly)
		need, _ := new(big.Rat).SetString(r.Needed)
		months := big.NewRat(num, den)
		if new(big.Rat).Mul(m, months).Cmp(need) < 0 || new(big.Rat).Mul(new(big.Rat).Sub(m, step), months).Cmp(need) >= 0 {
			t.Errorf("monthly of %s: %s for %s months, %s needed", i.Code, r.Monthly, months.FloatString(3), r.Needed)
		}
	} else if !met && flows(i.Unit) {
		t.Errorf("%s is short without a monthly amount", i.Code)
	}
}

func firstRune(s string) (rune, int) {
	for i, r := range s {
		if i == 0 {
			return r, len(string(r))
		}
	}
	return 0, 0
}

// BenchmarkQuery asks for one of 10,000 indicators with 100 figures each.
func BenchmarkQuery(b *testing.B) {
	s := openStore(b, filepath.Join(b.TempDir(), "x.db"))
	var inds []Indicator
	for n := range 10000 {
		inds = append(inds, Indicator{Code: fmt.Sprintf("k%05d", n), Name: fmt.Sprintf("指标%05d号总数", n), Unit: "家", Target: decimal.NewFromInt(int64(n + 1)), Comparator: zh.GE, Basis: Cumulative, Year: 2024, Aliases: []string{fmt.Sprintf("简称%05d", n)}})
	}
	if err := s.Put(b.Context(), inds...); err != nil {
		b.Fatal(err)
	}
	if _, err := s.d.Exec(`WITH RECURSIVE i(x) AS (SELECT 0 UNION ALL SELECT x+1 FROM i WHERE x < 9999), j(y) AS (SELECT 1 UNION ALL SELECT y+1 FROM j WHERE y < 100)
		INSERT INTO kpi_figures SELECT printf('k%05d', x), y, CAST(x*y AS TEXT), '家', date('2024-01-01', '+' || y || ' days'), '月报', 'x', '2024-09-30T00:00:00Z' FROM i, j`); err != nil {
		b.Fatal(err)
	}
	tool := NewTool(s, s, clock)
	if _, err := tool.Catalog(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, by := range []struct{ name, format string }{{"code", "k%05d"}, {"alias", "简称%05d"}} {
		b.Run(by.name, func(b *testing.B) {
			var took []int64
			n := 0
			for b.Loop() {
				n = (n + 7919) % 10000
				begin := time.Now()
				if r, err := tool.Query(b.Context(), Request{Indicator: fmt.Sprintf(by.format, n)}); err != nil || r.Actual == "" {
					b.Fatal(r, err)
				}
				took = append(took, time.Since(begin).Nanoseconds())
			}
			slices.Sort(took)
			b.ReportMetric(float64(took[len(took)/2])/1000, "p50-µs")
			b.ReportMetric(float64(took[len(took)*99/100])/1000, "p99-µs")
		})
	}
}
