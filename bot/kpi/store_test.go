package kpi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"zhengda/internal/db"
)

func TestRecord(t *testing.T) {
	s := newStore(t)
	for _, c := range []struct{ code, value, unit, asOf, source, want string }{
		{"gaoqi_total", "12100", "家", "2024-09-30", "月报", ""},
		{"gaoqi_total", "1.21", "万家", "2024-09-30", "月报", ""},
		{"gaoqi_total", "12,100", "家", "2024-10-08", "月报", ""},
		{"tech_contract_value", "38605000", "万元", "2024-09-30", "月报", ""},
		{"tech_contract_value", "386050000000", "元", "2024-09-30", "月报", ""},
		{"tech_transfer_talent", "3520", "人", "2024-09-30", "月报", ""},
		{"rd_intensity", "5.08", "％", "2024-09-30", "月报", ""},
		{"nothing", "1", "家", "2024-09-30", "月报", "没有这个指标"},
		{"gaoqi_total", "12100", "元", "2024-09-30", "月报", "单位"},
		{"gaoqi_total", "12100", "万元", "2024-09-30", "月报", "单位"},
		{"gaoqi_total", "12100", "", "2024-09-30", "月报", "单位"},
		{"gaoqi_total", "12100.5", "家", "2024-09-30", "月报", "整数"},
		{"gaoqi_total", "1.21005", "万家", "2024-09-30", "月报", "整数"},
		{"gaoqi_total", "-1", "家", "2024-09-30", "月报", "负数"},
		{"gaoqi_total", "1e4", "家", "2024-09-30", "月报", "不是数字"},
		{"gaoqi_total", "12,10", "家", "2024-09-30", "月报", "不是数字"},
		{"gaoqi_total", "NaN", "家", "2024-09-30", "月报", "不是数字"},
		{"gaoqi_total", "", "家", "2024-09-30", "月报", "不是数字"},
		{"gaoqi_total", "1", "家", "2024-02-30", "月报", "2024-02-30"},
		{"gaoqi_total", "1", "家", "2024-9-30", "月报", "YYYY-MM-DD"},
		{"gaoqi_total", "1", "家", "2024-10-09", "月报", "之后"},
		{"gaoqi_total", "1", "家", "2024-09-30", " ", "来源"},
	} {
		f, err := ParseFigure(c.code, c.value, c.unit, c.asOf, c.source, "张三")
		if err == nil {
			_, err = s.Record(t.Context(), f)
		}
		if got := fmt.Sprint(err); c.want == "" && err != nil || !strings.Contains(got, c.want) {
			t.Errorf("%s %s%s %s: %v; want %q", c.code, c.value, c.unit, c.asOf, err, c.want)
		}
	}
}

func TestHistory(t *testing.T) {
	s := newStore(t)
	record(t, s, "gaoqi_total", "12000", "家", "2024-09-30")
	record(t, s, "gaoqi_total", "11500", "家", "2024-06-30")
	record(t, s, "gaoqi_total", "1.21", "万家", "2024-09-30") // corrects the first
	i, _ := NewCatalog(seeds(t)).Code("gaoqi_total", 0)
	for asOf, want := range map[Date]string{"2024-10-08": "1.21万家 #3", "2024-09-29": "11500家 #2", "2024-06-29": "", "2030-01-01": "1.21万家 #3"} {
		f, err := s.Latest(t.Context(), i, asOf)
		if want == "" {
			if !errors.Is(err, ErrNoFigure) {
				t.Errorf("%s: %v; want ErrNoFigure", asOf, err)
			}
			continue
		}
		if got := fmt.Sprintf("%s%s #%d", Format(f.Value), f.Unit, f.N); err != nil || got != want {
			t.Errorf("%s: %s, %v; want %s", asOf, got, err, want)
		}
	}
	h, err := s.History(t.Context(), "gaoqi_total")
	if err != nil || len(h) != 3 || h[0].Value.String() != "12000" || h[0].RecordedBy != "张三" || !h[0].RecordedAt.Equal(noon) {
		t.Errorf("history %+v, %v", h, err)
	}
	for _, q := range []string{"UPDATE kpi_figures SET value = '1'", "DELETE FROM kpi_figures"} {
		if _, err := s.d.Exec(q); err == nil {
			t.Errorf("%s was accepted", q)
		}
	}
}

// TestYears looks that each year's plan has its own target and that an annual
// figure of another year does not count.
func TestYears(t *testing.T) {
	s := newStore(t)
	inds := seeds(t)
	for k := range inds {
		inds[k].Year, inds[k].Target = 2022, inds[k].Target.Sub(one)
	}
	if err := s.Put(t.Context(), inds...); err != nil {
		t.Fatal(err)
	}
	record(t, s, "gaoqi_total", "8000", "家", "2022-11-30")
	record(t, s, "city_key_labs", "7", "家", "2022-11-30")
	tool := NewTool(s, s, clock)
	for _, c := range []struct {
		req             Request
		target, actual  string
		unknown, noYear bool
	}{
		{req: Request{Indicator: "高企"}, target: "13000", actual: "8000"},
		{req: Request{Indicator: "高企", Period: 2022}, target: "12999", actual: "8000"},
		{req: Request{Indicator: "高企", AsOf: "2022-06-30"}, target: "12999"},
		{req: Request{Indicator: "city_key_labs"}, target: "30"},
		{req: Request{Indicator: "city_key_labs", Period: 2022}, target: "29", actual: "7"},
		{req: Request{Indicator: "高企", Period: 2023}, noYear: true},
		{req: Request{Indicator: "高企", Period: 2025}, noYear: true},
		{req: Request{Indicator: "食堂"}, unknown: true},
	} {
		r, err := tool.Query(t.Context(), c.req)
		if errors.Is(err, ErrPeriod) != c.noYear || errors.Is(err, ErrUnknown) != c.unknown || r.Target != c.target || r.Actual != c.actual {
			t.Errorf("%+v: %s %s, %v", c.req, r.Target, r.Actual, err)
		}
	}
	var many *AmbiguousError
	if _, err := tool.Query(t.Context(), Request{Indicator: "重点实验室"}); !errors.As(err, &many) || len(many.Among) != 2 {
		t.Errorf("重点实验室: %v", err)
	}
}

const head = "code,actual_value,unit,as_of,source\n"

func TestImport(t *testing.T) {
	s := newStore(t)
	good := "\ufeff" + head + "gaoqi_total,12100,家,2024-09-30,月报\r\ntech_contract_value,\"3,860.5\",亿元,2024-09-30,\"登记,库\"\r\n"
	for k, want := range [][2]int{{2, 0}, {0, 2}} {
		n, old, err := s.Import(t.Context(), strings.NewReader(good), "李四")
		if err != nil || n != want[0] || old != want[1] {
			t.Errorf("import %d: %d new, %d old, %v", k+1, n, old, err)
		}
	}
	for body, want := range map[string]string{
		"gaoqi_total,1,家,2024-09-29,月报\nnone,1,家,2024-09-30,月报\n":              "第3行: 没有这个指标",
		"gaoqi_total,1,家,2024-09-29,月报\ngaoqi_total,1,元,2024-09-30,月报\n":       "第3行: 单位",
		"gaoqi_total,1,家,2024-09-29,月报\n\ngaoqi_total,1,家,2024-02-30,月报\n":     "第4行: 日期",
		"gaoqi_total,1,家,2024-09-29,月报\ngaoqi_total,1,家,2024-12-30,月报\n":       "第3行: 截至日期",
		"gaoqi_total,1,家,2024-09-29,月报\ngaoqi_total,一,家,2024-09-30,月报\n":       "第3行: \"一\" 不是数字",
		"gaoqi_total,1,家,2024-09-29,月报\ngaoqi_total,1,家\n":                     "第3行: 有3列",
		"gaoqi_total,1,家,2024-09-29,月报\ngaoqi_total,2,家,2024-09-29,月报\n":       "第3行: 与第2行",
		"gaoqi_total,1,家,2024-09-29,\"多\n行\"\ngaoqi_total,1,元,2024-09-30,月报\n": "第4行: 单位",
		"gaoqi_total,1,家,2024-09-29,\"月\"报\n":                                  "第2行: 引号",
		"gaoqi_total,1,\xbc\xd2,2024-09-29,月报\n":                               "第2行: 不是 UTF-8",
		"none,x,家,2024-02-30,月报\ngaoqi_total,1,元,2024-09-30,月报\n":              "2 行有误",
	} {
		n, old, err := s.Import(t.Context(), strings.NewReader(head+body), "李四")
		if err == nil || !strings.Contains(err.Error(), want) || n+old != 0 {
			t.Errorf("%q: %v; want %q", body, err, want)
		}
	}
	if _, _, err := s.Import(t.Context(), strings.NewReader("code,value\n"), "李四"); err == nil || !strings.Contains(err.Error(), "actual_value") {
		t.Errorf("a wrong header: %v", err)
	}
	if h, _ := s.History(t.Context(), "gaoqi_total"); len(h) != 1 {
		t.Errorf("a refused file left something: %+v", h)
	}
}

// TestImportKilled kills an importing process at all sorts of moments: its
// file is in the database whole or not at all.
func TestImportKilled(t *testing.T) {
	if path := os.Getenv("KPI_TEST_IMPORT"); path != "" {
		importChild(path)
		return
	}
	const rows = 2000
	dir := t.TempDir()
	var b bytes.Buffer
	b.WriteString(head)
	for n := range rows {
		fmt.Fprintf(&b, "gaoqi_total,%d,家,%s,月报\n", n, time.Date(2018, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly))
	}
	if err := os.WriteFile(filepath.Join(dir, "in.csv"), b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	whole, none := 0, 0
	for k := range 12 {
		path := filepath.Join(dir, fmt.Sprint(k), "x.db")
		s := openStore(t, path)
		if err := s.Put(t.Context(), seeds(t)...); err != nil {
			t.Fatal(err)
		}
		c := exec.Command(os.Args[0], "-test.run=^TestImportKilled$")
		c.Env = append(os.Environ(), "KPI_TEST_IMPORT="+path, "KPI_TEST_CSV="+filepath.Join(dir, "in.csv"))
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		out.Read(make([]byte, 1)) // it begins
		if k == 11 {
			out.Read(make([]byte, 1)) // it is done
		} else {
			time.Sleep(time.Duration(k*k) * 2 * time.Millisecond)
		}
		c.Process.Kill()
		c.Wait()
		h, err := s.History(t.Context(), "gaoqi_total")
		switch {
		case err != nil:
			t.Fatal(err)
		case len(h) == 0:
			none++
		case len(h) == rows:
			whole++
		default:
			t.Errorf("kill %d left %d of %d rows", k, len(h), rows)
		}
	}
	t.Logf("%d kills left nothing, %d left everything", none, whole)
	if none == 0 || whole == 0 {
		t.Error("the kills do not show both ends")
	}
}

func importChild(path string) {
	d, err := db.Open(path)
	if err != nil {
		panic(err)
	}
	s, err := NewStore(context.Background(), d, clock)
	if err != nil {
		panic(err)
	}
	f, err := os.Open(os.Getenv("KPI_TEST_CSV"))
	if err != nil {
		panic(err)
	}
	fmt.Print("b")
	if _, _, err := s.Import(context.Background(), f, "测试"); err != nil {
		panic(err)
	}
	fmt.Print("d")
	time.Sleep(time.Minute)
}

func FuzzImport(f *testing.F) {
	s := openStore(f, filepath.Join(f.TempDir(), "x.db"))
	f.Add([]byte("\ufeff" + head + "a,\"1,0\",家,2024-01-01,\"\"\"x\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		if n, old, err := s.Import(context.Background(), bytes.NewReader(b), "x"); err == nil && n+old > 0 {
			t.Fatalf("%q was stored without an indicator", b)
		}
	})
}
