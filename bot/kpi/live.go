package kpi

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"gopkg.in/yaml.v3"
)

// Config says where actual values come from. Indicators that it does not name
// come from the store.
type Config struct {
	Timeout     Duration              `yaml:"timeout"` // for one answer of a source; default 2s
	TTL         Duration              `yaml:"ttl"`     // how long an answer is used again; default 60s
	Connections map[string]Connection `yaml:"connections"`
	Indicators  map[string]Endpoint   `yaml:"indicators"` // by code
}

// Connection is one database.
type Connection struct {
	Driver string `yaml:"driver"`  // postgres or sqlite
	DSNEnv string `yaml:"dsn_env"` // name of the secret that holds the PostgreSQL address
	Path   string `yaml:"path"`    // SQLite file
}

// Endpoint is where one indicator's actual is asked.
type Endpoint struct {
	Source string `yaml:"source"` // store, sql or http
	Name   string `yaml:"name"`   // how the source is cited; default: connection or host
	Unit   string `yaml:"unit"`   // of the value; default: the indicator's

	Connection string `yaml:"connection"`
	// Query is one SELECT of one row: value, as_of, and optionally unit and
	// target, by these column names. :year, :from and :to are the only
	// parameters: the year and the first and last day asked about.
	Query string `yaml:"query"`

	// URL may hold {year}, {from} and {to}. Value, AsOf, UnitPath and Target
	// are paths into the JSON answer: data.items[0].value.
	URL       string            `yaml:"url"`
	Value     string            `yaml:"value"`
	AsOf      string            `yaml:"as_of"`
	UnitPath  string            `yaml:"unit_path"`
	Target    string            `yaml:"target"`
	HeaderEnv map[string]string `yaml:"header_env"` // header → name of the secret with its value
}

// Duration is a time.Duration written like 2s.
type Duration time.Duration

// UnmarshalYAML reads 500ms, 2s, 1m.
func (d *Duration) UnmarshalYAML(n *yaml.Node) error {
	v, err := time.ParseDuration(n.Value)
	if err != nil || v < 0 {
		return fmt.Errorf("第%d行: %q 不是时长(例如 2s)", n.Line, n.Value)
	}
	*d = Duration(v)
	return nil
}

// ReadConfig reads a configuration and checks that it is complete. Unknown
// fields are errors.
func ReadConfig(r io.Reader) (Config, error) {
	c := Config{Timeout: Duration(2 * time.Second), TTL: Duration(time.Minute)}
	d := yaml.NewDecoder(r)
	d.KnownFields(true)
	if err := d.Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return Config{}, fmt.Errorf("read sources: %w", err)
	}
	for name, k := range c.Connections {
		if err := k.check(); err != nil {
			return Config{}, fmt.Errorf("read sources: connections.%s: %w", name, err)
		}
	}
	for code, e := range c.Indicators {
		if err := e.check(c); err != nil {
			return Config{}, fmt.Errorf("read sources: indicators.%s: %w", code, err)
		}
	}
	return c, nil
}

func (k Connection) check() error {
	switch {
	case k.Driver == "postgres" && k.DSNEnv == "":
		return errors.New("缺少 dsn_env(保存连接地址的环境变量名)")
	case k.Driver == "sqlite" && k.Path == "":
		return errors.New("缺少 path")
	case k.Driver != "postgres" && k.Driver != "sqlite":
		return fmt.Errorf("driver %q 不是 postgres 或 sqlite", k.Driver)
	}
	return nil
}

func (e Endpoint) check(c Config) error {
	switch e.Source {
	case "store":
		return nil
	case "sql":
		if _, ok := c.Connections[e.Connection]; !ok {
			return fmt.Errorf("connection %q 不存在", e.Connection)
		}
		_, err := parseQuery(e.Query)
		return err
	case "http":
		if e.Value == "" || e.AsOf == "" {
			return errors.New("缺少 value 或 as_of 的路径")
		}
		return e.checkURL()
	}
	return fmt.Errorf("source %q 不是 store、sql 或 http", e.Source)
}

// period is what a source may know of a question.
type period struct {
	year     int
	from, to Date
}

// reader asks one endpoint. It returns ErrNoFigure when the source answers
// that there is none.
type reader interface {
	read(ctx context.Context, p period) (Figure, error)
}

// Live is a Source that asks the configured places at question time and falls
// back to the store. It is safe for concurrent use.
type Live struct {
	store   *Store
	log     *slog.Logger
	now     func() time.Time
	timeout time.Duration
	ttl     time.Duration
	readers map[string]reader // by code
	names   map[string]string
	closers []io.Closer

	mu    sync.Mutex
	cache map[cacheKey]*entry
}

type cacheKey struct {
	code string
	period
}

// entry is one cached answer; its lock makes those who ask together wait for
// one request.
type entry struct {
	mu   sync.Mutex
	at   time.Time
	fig  Figure
	err  error
	full bool
}

var _ Source = (*Live)(nil)

// NewLive opens the sources of c. secret gives the value of a named secret
// and reports whether it is set. client makes the HTTP requests.
func NewLive(c Config, store *Store, client *http.Client, secret func(name string) (string, bool), log *slog.Logger, now func() time.Time) (*Live, error) {
	l := &Live{store: store, log: log, now: now, timeout: time.Duration(c.Timeout), ttl: time.Duration(c.TTL),
		readers: map[string]reader{}, names: map[string]string{}, cache: map[cacheKey]*entry{}}
	dbs := map[string]*sqlConn{}
	for code, e := range c.Indicators {
		var r reader
		var err error
		switch e.Source {
		case "sql":
			conn := dbs[e.Connection]
			if conn == nil {
				if conn, err = newConn(c.Connections[e.Connection], secret); err != nil {
					break
				}
				dbs[e.Connection] = conn
				l.closers = append(l.closers, conn)
			}
			r, err = newSQLReader(conn, e, l.timeout)
		case "http":
			r, err = newHTTPReader(client, e, secret)
		default:
			continue
		}
		if err != nil {
			l.Close()
			return nil, fmt.Errorf("open source of %s: %w", code, err)
		}
		l.readers[code], l.names[code] = r, e.cite()
	}
	return l, nil
}

// Close closes the databases of l.
func (l *Live) Close() error {
	var errs []error
	for _, c := range l.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// Figure asks the source of i, or takes its answer of less than TTL ago. When
// it fails, is late, or answers nonsense, the last figure in the store stands
// with a warning. A new answer is recorded in the store, so that it outlives
// the source and the process.
func (l *Live) Figure(ctx context.Context, i Indicator, asOf Date) (Figure, []Warning, error) {
	r, ok := l.readers[i.Code]
	if !ok {
		return l.store.Figure(ctx, i, asOf)
	}
	from, to := window(i, asOf)
	if i.Basis != Annual {
		from = yearStart(max(i.Year, 1))
	}
	p := period{i.Year, from, to}
	f, err := l.cached(cacheKey{i.Code, p}, func() (Figure, error) { return l.ask(ctx, r, i, p) })
	if err == nil {
		return f, nil, nil
	}
	if ctx.Err() != nil {
		return Figure{}, nil, ctx.Err()
	}
	kind, text := "source_down", "暂时无法访问"
	switch {
	case errors.Is(err, ErrNoFigure):
		kind, text = "source_empty", "没有这一时期的数据"
	case errors.Is(err, errBad):
		kind, text = "source_bad", "返回的数据不可用"
	}
	old, storeErr := l.store.Latest(ctx, i, asOf)
	if storeErr != nil {
		return Figure{}, []Warning{{Kind: kind, Text: fmt.Sprintf("数据源“%s”%s,也没有已记录的数据", l.names[i.Code], text)}}, storeErr
	}
	return old, []Warning{{Kind: kind, Text: fmt.Sprintf("数据源“%s”%s;以下为最近一次已知数据,截至%s,距今%d天", l.names[i.Code], text, old.AsOf, asOf.Days(old.AsOf))}}, nil
}

// errBad marks an answer that cannot be used.
var errBad = errors.New("source answered nonsense")

// ask reads the source once, checks the answer, and records it when it is
// new. It ends by its own timeout only: others may wait for the same answer.
func (l *Live) ask(ctx context.Context, r reader, i Indicator, p period) (Figure, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), l.timeout)
	defer cancel()
	f, err := r.read(ctx, p)
	if err == nil {
		f.Code, f.RecordedBy = i.Code, "live"
		f.Source = cmp.Or(f.Source, l.names[i.Code])
		f.Unit = cmp.Or(f.Unit, i.Unit)
		err = l.usable(f, i, p)
	}
	if err != nil {
		if !errors.Is(err, ErrNoFigure) {
			l.log.Warn("kpi source failed", "code", i.Code, "source", l.names[i.Code], "err", err)
		}
		return Figure{}, err
	}
	f.RecordedAt = l.now()
	if err := l.keep(ctx, f); err != nil {
		l.log.Warn("kpi figure not kept", "code", i.Code, "err", err)
	}
	return f, nil
}

func (l *Live) usable(f Figure, i Indicator, p period) error {
	if err := l.store.check(f, []Indicator{i}); err != nil {
		return fmt.Errorf("%w: %w", errBad, err)
	}
	if f.AsOf > p.to || i.Basis == Annual && f.AsOf < p.from {
		return fmt.Errorf("%w: %s is not between %s and %s", errBad, f.AsOf, p.from, p.to)
	}
	return nil
}

// keep records f unless it stands already.
func (l *Live) keep(ctx context.Context, f Figure) error {
	old, err := l.store.Latest(ctx, Indicator{Code: f.Code}, f.AsOf)
	if err == nil && old.AsOf == f.AsOf && old.Value.Equal(f.Value) && old.Unit == f.Unit {
		return nil
	}
	_, err = l.store.add(ctx, f)
	return err
}

// cached returns the answer under k if it is younger than the TTL, and else
// asks. Failures are remembered as long, so that a dead source costs one
// timeout and not one a question.
func (l *Live) cached(k cacheKey, ask func() (Figure, error)) (Figure, error) {
	l.mu.Lock()
	e := l.cache[k]
	if e == nil {
		if len(l.cache) > 10000 { // days asked about are without end
			clear(l.cache)
		}
		e = &entry{}
		l.cache[k] = e
	}
	l.mu.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	if now := l.now(); !e.full || now.Sub(e.at) >= l.ttl {
		e.fig, e.err = ask()
		e.at, e.full = now, true
	}
	return e.fig, e.err
}
