package kpi

import (
	"database/sql"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhengda/internal/db"
)

var noon = time.Date(2024, 10, 8, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// newStore is an empty database with the seed's indicators.
func newStore(t testing.TB) *Store {
	t.Helper()
	s := openStore(t, filepath.Join(t.TempDir(), "x.db"))
	if err := s.Put(t.Context(), seeds(t)...); err != nil {
		t.Fatal(err)
	}
	return s
}

func openStore(t testing.TB, path string) *Store {
	t.Helper()
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewStore(t.Context(), d, clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close(); d.Close() })
	return s
}

func record(t testing.TB, s *Store, code, value, unit, asOf string) {
	t.Helper()
	f, err := ParseFigure(code, value, unit, asOf, "月报", "张三")
	if err == nil {
		_, err = s.Record(t.Context(), f)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// ticking is a clock that a test moves.
type ticking struct{ d atomic.Int64 }

func (c *ticking) now() time.Time { return noon.Add(time.Duration(c.d.Load())) }

func newLive(t testing.TB, s *Store, config string, secrets map[string]string, now func() time.Time) *Live {
	t.Helper()
	c, err := ReadConfig(strings.NewReader(config))
	if err != nil {
		t.Fatal(err)
	}
	l, err := NewLive(c, s, http.DefaultClient, func(name string) (string, bool) { v, ok := secrets[name]; return v, ok }, slog.New(slog.DiscardHandler), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func ask(t testing.TB, tool *Tool, name string) Result {
	t.Helper()
	r, err := tool.Query(t.Context(), Request{Indicator: name})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func kinds(r Result) string {
	var out []string
	for _, w := range r.Warnings {
		if w.Kind != "contradiction" && w.Kind != "derived" {
			out = append(out, w.Kind)
		}
	}
	return strings.Join(out, " ")
}

// TestHTTPSource walks a real server through its moods: right, cached, down,
// slow, and talking nonsense.
func TestHTTPSource(t *testing.T) {
	var hits atomic.Int64
	var mu sync.Mutex
	body, status, delay := `{"data":{"items":[{"v":1.21,"u":"万家","t":13000}],"day":"2024-09-30T08:00:00Z"}}`, 200, time.Duration(0)
	set := func(b string, s int, d time.Duration) { mu.Lock(); body, status, delay = b, s, d; mu.Unlock() }
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hits.Add(1)
		mu.Lock()
		b, s, d := body, status, delay
		mu.Unlock()
		select {
		case <-time.After(d):
		case <-r.Context().Done():
		}
		if r.URL.Query().Get("y") != "2024" || r.Header.Get("Authorization") != "Bearer k" {
			s = 403
		}
		w.WriteHeader(s)
		fmt.Fprint(w, b)
	}))
	defer srv.Close()
	c, s := &ticking{}, newStore(t)
	l := newLive(t, s, fmt.Sprintf(`
timeout: 300ms
ttl: 60s
indicators:
  gaoqi_total:
    source: http
    name: 统计平台
    url: %s/kpi?y={year}&to={to}
    value: data.items[0].v
    as_of: data.day
    unit_path: data.items[0].u
    header_env: {Authorization: TOKEN}
`, srv.URL), map[string]string{"TOKEN": "Bearer k"}, c.now)
	tool := NewTool(s, l, clock)
	for range 3 {
		if r := ask(t, tool, "高企"); r.Actual != "12100" || r.AsOf != "2024-09-30" || r.Source != "统计平台" || kinds(r) != "" || r.Gap != "900" {
			t.Fatalf("live: %+v", r)
		}
	}
	if hits.Load() != 1 {
		t.Errorf("%d requests within the TTL; want 1", hits.Load())
	}
	if h, _ := s.History(t.Context(), "gaoqi_total"); len(h) != 1 || h[0].RecordedBy != "live" {
		t.Errorf("history %+v; want the live figure once", h)
	}
	for i, mood := range []struct {
		body   string
		status int
		delay  time.Duration
		kind   string
	}{
		{"", 500, 0, "source_down"},
		{`{}`, 200, 2 * time.Second, "source_down"},
		{`<html>`, 200, 0, "source_bad"},
		{`{"data":{"items":[{"v":"许多","u":"家"}],"day":"2024-09-30"}}`, 200, 0, "source_bad"},
		{`{"data":{"items":[{"v":12200,"u":"亿元"}],"day":"2024-09-30"}}`, 200, 0, "source_bad"},
		{`{"data":{"items":[{"v":12200,"u":"家"}],"day":"2024-02-30"}}`, 200, 0, "source_bad"},
		{`{"data":{"items":[{"v":12200,"u":"家"}],"day":"2025-09-30"}}`, 200, 0, "source_bad"},
		{`{"data":{"items":[{"v":null}],"day":"2024-09-30"}}`, 200, 0, "source_empty"},
		{`{"data":{"items":[]}}`, 200, 0, "source_empty"},
	} {
		set(mood.body, mood.status, mood.delay)
		c.d.Add(int64(time.Hour))
		begin := time.Now()
		if r := ask(t, tool, "高企"); r.Actual != "12100" || r.AgeDays != 8 || kinds(r) != mood.kind {
			t.Errorf("mood %d: %s %d %q; want the last known figure and %s", i, r.Actual, r.AgeDays, kinds(r), mood.kind)
		}
		if d := time.Since(begin); d > 1500*time.Millisecond {
			t.Errorf("mood %d took %v", i, d)
		}
	}
	if h, _ := s.History(t.Context(), "gaoqi_total"); len(h) != 1 {
		t.Errorf("nonsense was recorded: %+v", h)
	}
	set(`{"data":{"items":[{"v":12345,"u":"家"}],"day":"2024-10-07"}}`, 200, 0)
	c.d.Add(int64(time.Hour))
	if r := ask(t, tool, "高企"); r.Actual != "12345" || kinds(r) != "" {
		t.Errorf("back again: %+v", r)
	}
	srv.Close()
	c.d.Add(int64(time.Hour))
	if r := ask(t, tool, "高企"); r.Actual != "12345" || kinds(r) != "source_down" {
		t.Errorf("gone: %+v", r)
	}
	if r := ask(t, tool.Public(), "高企"); r.Status != Withheld || r.Actual != "" || r.Gap != "" || r.Target != "13000" {
		t.Errorf("public: %+v", r)
	}
}

func TestPostgresSource(t *testing.T) {
	dsn := postgres(t)
	d, err := sql.Open("pgx", dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec(`CREATE TABLE kpi (code text, value numeric(12,2), ratio float8, unit text, as_of date, target numeric);
		INSERT INTO kpi VALUES ('tech', 3860.50, 5.1, '亿元', '2024-09-30', 5000), ('tech', 3000, 5.0, '亿元', '2024-06-30', 5000), ('tech', 9999, 9, '亿元', '2025-01-31', 5000)`); err != nil {
		t.Fatal(err)
	}
	const config = `
timeout: 500ms
connections:
  office: {driver: postgres, dsn_env: DSN}
indicators:
  tech_contract_value: {source: sql, connection: office, name: 合同登记库, query: "%s"}
  rd_intensity: {source: sql, connection: office, unit: "%%", query: "SELECT ratio AS value, as_of::timestamptz AS as_of, 6 AS target FROM kpi WHERE date_part('year', as_of) = :year::int ORDER BY as_of DESC LIMIT 1"}
`
	good := "SELECT value, unit, as_of FROM kpi WHERE code = 'tech' AND as_of BETWEEN :from AND :to ORDER BY as_of DESC LIMIT 1"
	for _, c := range []struct{ query, actual, kind string }{
		{good, "3860.5", ""},
		{"SELECT pg_sleep(5), 1 AS value, '2024-09-30' AS as_of", "1", "source_down"},
		{"WITH gone AS (DELETE FROM kpi RETURNING 1) SELECT 1 AS value, '2024-09-30' AS as_of FROM gone LIMIT 1", "1", "source_down"},
		{"SELECT value, unit, as_of FROM kpi", "1", "source_bad"},
		{"SELECT value, unit, as_of FROM kpi WHERE false", "1", "source_empty"},
		{"SELECT value FROM nowhere", "1", "source_down"},
	} {
		s := newStore(t)
		record(t, s, "tech_contract_value", "1", "亿元", "2024-03-31")
		tool := NewTool(s, newLive(t, s, fmt.Sprintf(config, c.query), map[string]string{"DSN": dsn}, clock), clock)
		begin := time.Now()
		if r := ask(t, tool, "技术合同成交额"); r.Actual != c.actual || !strings.HasPrefix(kinds(r), c.kind) || c.kind == "" && kinds(r) != "" {
			t.Errorf("%s: %s %q; want %s %q", c.query, r.Actual, kinds(r), c.actual, c.kind)
		}
		if d := time.Since(begin); d > 3*time.Second {
			t.Errorf("%s took %v", c.query, d)
		}
		if r := ask(t, tool, "研发投入强度"); r.Actual != "5.1" || r.AsOf != "2024-09-30" || kinds(r) != "target_differs" {
			t.Errorf("float8 and timestamptz: %s %s %q", r.Actual, r.AsOf, kinds(r))
		}
	}
	var n int
	if err := d.QueryRow("SELECT count(*) FROM kpi").Scan(&n); err != nil || n != 3 {
		t.Errorf("%d rows left; want 3: the source was written to", n)
	}
}

func TestSQLiteSource(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	s := newStore(t)
	config := fmt.Sprintf(`
ttl: 0s
connections:
  ledger: {driver: sqlite, path: %q}
indicators:
  tech_envoys: {source: sql, connection: ledger, query: "SELECT n AS value, day AS as_of, '人' AS unit FROM envoys WHERE day <= :to -- :text;\n ORDER BY day DESC LIMIT 1"}
`, path)
	tool := NewTool(s, newLive(t, s, config, nil, clock), clock)
	if r := ask(t, tool, "科技特派员"); r.Status != NoActual || kinds(r) != "source_down" {
		t.Errorf("no file yet: %+v", r)
	}
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := d.Exec("CREATE TABLE envoys (n INTEGER, day TEXT); INSERT INTO envoys VALUES (580, '2024-08-31')"); err != nil {
		t.Fatal(err)
	}
	if r := ask(t, tool, "科技特派员"); r.Actual != "580" || r.Gap != "20" || r.Source != "ledger" || kinds(r) != "" {
		t.Errorf("%+v", r)
	}
}

func TestReadConfigErrors(t *testing.T) {
	for in, want := range map[string]string{
		"timeout: soon":                                                                   "时长",
		"wrong: 1":                                                                        "wrong",
		"connections: {a: {driver: mysql}}":                                               "driver",
		"connections: {a: {driver: postgres}}":                                            "dsn_env",
		"connections: {a: {driver: sqlite}}":                                              "path",
		"indicators: {x: {source: ftp}}":                                                  "source",
		"indicators: {x: {source: sql, connection: a}}":                                   "不存在",
		"indicators: {x: {source: http, url: 'file:///etc'}}":                             "value",
		"indicators: {x: {source: http, value: v, as_of: d, url: 'file:///etc'}}":         "http",
		"indicators: {x: {source: http, value: v, as_of: d, url: 'http://h/{question}'}}": "{year}",
	} {
		if _, err := ReadConfig(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v; want %s", in, err, want)
		}
	}
	c, err := ReadConfig(strings.NewReader("connections: {a: {driver: postgres, dsn_env: NO_SUCH}}\nindicators: {x: {source: sql, connection: a, query: SELECT 1}}"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := NewLive(c, nil, nil, func(string) (string, bool) { return "", false }, slog.New(slog.DiscardHandler), clock); err == nil || !strings.Contains(err.Error(), "NO_SUCH") {
		t.Errorf("a missing secret: %v", err)
	}
}

func TestParseQuery(t *testing.T) {
	for in, want := range map[string]string{
		"SELECT a::int FROM t WHERE y = :year AND d <= :to;": "SELECT a::int FROM t WHERE y = $1 AND d <= $2",
		"select ':year;' /* :x; */ , \":to\" -- :from":       "select ':year;' /* :x; */ , \":to\" -- :from",
		"DELETE FROM t":      "",
		"SELECT 1; SELECT 2": "",
		"SELECT :question":   "",
		"":                   "",
	} {
		if q, err := parseQuery(in); q.text != want || (err != nil) != (want == "") {
			t.Errorf("%s: %q, %v; want %q", in, q.text, err, want)
		}
	}
}

func FuzzLookup(f *testing.F) {
	f.Add("data.items[0].v")
	f.Fuzz(func(t *testing.T, path string) {
		lookup(map[string]any{"data": map[string]any{"items": []any{map[string]any{"v": "1"}}}}, path)
	})
}
