package kpi

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/shopspring/decimal"
)

//go:embed data/query_kpi.json
var schema []byte

// Schema is the JSON schema of the tool query_kpi: its name, description and
// parameters, which are those of Request.
func Schema() json.RawMessage { return slices.Clone(schema) }

// Request asks how one indicator stands.
type Request struct {
	Indicator string `json:"indicator"`        // code, name or alias
	Period    int    `json:"period,omitempty"` // year of the target; 0: the year of as_of if it has one, else the latest
	AsOf      Date   `json:"as_of,omitempty"`  // figures up to this day; "": today
}

// Status says how an actual value compares with its target.
type Status string

// Withheld means that an actual may exist but is not for the one who asks.
const (
	Met      Status = "met"
	Short    Status = "short"
	NoActual Status = "no_actual"
	Withheld Status = "withheld"
)

// Result is how one indicator stands. Numbers are decimal strings in Unit,
// percentages end in %; "" where there is none.
type Result struct {
	Indicator Indicator `json:"indicator"`
	Status    Status    `json:"status"`
	Asked     Date      `json:"asked"` // the day the question is about
	Target    string    `json:"target"`
	Actual    string    `json:"actual,omitempty"`
	AsOf      Date      `json:"as_of,omitempty"`
	AgeDays   int       `json:"age_days,omitempty"` // from AsOf to Asked
	Source    string    `json:"source,omitempty"`
	Gap       string    `json:"gap,omitempty"`      // what is missing; 0 when met
	Over      string    `json:"over,omitempty"`     // what is more than the target
	Needed    string    `json:"needed,omitempty"`   // least amount that meets the target
	Progress  string    `json:"progress,omitempty"` // of the target
	Elapsed   string    `json:"elapsed,omitempty"`  // of the year, at AsOf
	Monthly   string    `json:"monthly,omitempty"`  // needed a month to the end of the year
	Behind    bool      `json:"behind,omitempty"`   // short, and progress below elapsed
	Warnings  []Warning `json:"warnings,omitempty"`

	value    decimal.Decimal
	progress decimal.Decimal
}

// Warning is something to know beside a result.
type Warning struct {
	Kind    string `json:"kind"` // contradiction, derived, strict, stale, source_down, source_bad, source_empty, target_differs
	Text    string `json:"text"`
	Clauses []int  `json:"clauses,omitempty"`
}

// Source gives the figure that stands for an indicator on a day. It returns
// ErrNoFigure when there is none. A figure with warnings is still a figure.
type Source interface {
	Figure(ctx context.Context, i Indicator, asOf Date) (Figure, []Warning, error)
}

// Figure makes a Store a Source.
func (s *Store) Figure(ctx context.Context, i Indicator, asOf Date) (Figure, []Warning, error) {
	f, err := s.Latest(ctx, i, asOf)
	return f, nil, err
}

var _ Source = (*Store)(nil)

// staleAfter is the age from which a figure is called old: a quarter.
const staleAfter = 92

// Tool answers requests from a store and a source of actual values. It is
// safe for concurrent use.
type Tool struct {
	store  *Store
	source Source // nil: actual values are withheld
	now    func() time.Time
	cache  *catalogCache
}

type catalogCache struct {
	mu      sync.Mutex
	version int64
	catalog *Catalog
}

// NewTool makes a tool over store whose actual values come from source.
func NewTool(store *Store, source Source, now func() time.Time) *Tool {
	return &Tool{store, source, now, &catalogCache{version: -1}}
}

// Public is the same tool for those who may not see actual values: it never
// asks for one.
func (t *Tool) Public() *Tool {
	p := *t
	p.source = nil
	return &p
}

// Catalog is the present set of indicators.
func (t *Tool) Catalog(ctx context.Context) (*Catalog, error) {
	t.cache.mu.Lock()
	defer t.cache.mu.Unlock()
	v, err := t.store.version(ctx)
	if err != nil {
		return nil, err
	}
	if v != t.cache.version {
		inds, err := t.store.Indicators(ctx)
		if err != nil {
			return nil, err
		}
		t.cache.catalog, t.cache.version = NewCatalog(inds), v
	}
	return t.cache.catalog, nil
}

// AmbiguousError says that a name stands for several indicators.
type AmbiguousError struct {
	Name  string
	Among []Indicator
}

func (e *AmbiguousError) Error() string {
	var names []string
	for _, i := range e.Among {
		names = append(names, i.Name+"("+i.Code+")")
	}
	return fmt.Sprintf("“%s”可指多个指标:%s", e.Name, strings.Join(names, "、"))
}

// Query says how one indicator stands. Its errors wrap ErrUnknown, ErrPeriod
// or *AmbiguousError; an indicator without an actual is no error.
func (t *Tool) Query(ctx context.Context, req Request) (Result, error) {
	asOf, err := t.day(req.AsOf)
	if err != nil {
		return Result{}, fmt.Errorf("query %q: %w", req.Indicator, err)
	}
	c, err := t.Catalog(ctx)
	if err != nil {
		return Result{}, err
	}
	i, err := c.find(req, asOf)
	if err != nil {
		return Result{}, fmt.Errorf("query %q: %w", req.Indicator, err)
	}
	return t.result(ctx, i, asOf)
}

func (t *Tool) day(d Date) (Date, error) {
	if d == "" {
		return DateOf(t.now()), nil
	}
	return ParseDate(string(d))
}

// find is the one indicator that req names.
func (c *Catalog) find(req Request, asOf Date) (Indicator, error) {
	code := req.Indicator
	if c.byCode[code] == nil {
		ms := c.Resolve(req.Indicator)
		if len(ms) == 0 {
			return Indicator{}, ErrUnknown
		}
		ms = slices.DeleteFunc(ms, func(m Match) bool { return m.Score < ms[0].Score })
		if len(ms) > 1 {
			e := &AmbiguousError{Name: req.Indicator}
			for _, m := range ms {
				e.Among = append(e.Among, m.Indicator)
			}
			return Indicator{}, e
		}
		code = ms[0].Indicator.Code
	}
	if req.Period != 0 {
		i, ok := c.Code(code, req.Period)
		if !ok {
			return i, fmt.Errorf("%w:%d年", ErrPeriod, req.Period)
		}
		return i, nil
	}
	if i, ok := c.Code(code, asOf.Year()); ok {
		return i, nil
	}
	i, _ := c.Code(code, 0)
	return i, nil
}

// List says how every indicator of the year stands, in the order of the
// catalog; period 0 is the latest year that any indicator has.
func (t *Tool) List(ctx context.Context, period int, on Date) ([]Result, error) {
	asOf, err := t.day(on)
	if err != nil {
		return nil, fmt.Errorf("list indicators: %w", err)
	}
	c, err := t.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	if n := len(c.inds); period == 0 && n > 0 {
		period = c.inds[n-1].Year
	}
	var out []Result
	for _, i := range c.inds {
		if i.Year != period {
			continue
		}
		r, err := t.result(ctx, i, asOf)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	if out == nil && len(c.inds) > 0 {
		return nil, fmt.Errorf("list indicators: %w:%d年", ErrPeriod, period)
	}
	return out, nil
}

// Trend is the course of an indicator up to the day of r, in its unit.
func (t *Tool) Trend(ctx context.Context, r Result) ([]Point, error) {
	if t.source == nil {
		return nil, nil
	}
	h, err := t.store.History(ctx, r.Indicator.Code)
	if err != nil {
		return nil, err
	}
	return r.Indicator.Trend(h, r.Asked), nil
}

// Behind are the results that lag: short of the target, with a smaller part
// of it done than of the year gone; the worst first.
func Behind(rs []Result) []Result {
	out := slices.DeleteFunc(slices.Clone(rs), func(r Result) bool { return !r.Behind })
	return Rank(out, true)
}

// Rank orders results by progress, best first or, with worst, worst first.
// Results without progress come last, in their own order.
func Rank(rs []Result, worst bool) []Result {
	out := slices.Clone(rs)
	slices.SortStableFunc(out, func(a, b Result) int {
		if (a.Progress == "") != (b.Progress == "") {
			return cmp.Compare(len(b.Progress), len(a.Progress))
		}
		if worst {
			return a.progress.Cmp(b.progress)
		}
		return b.progress.Cmp(a.progress)
	})
	return out
}

// result is the arithmetic on one indicator and its actual.
func (t *Tool) result(ctx context.Context, i Indicator, asOf Date) (Result, error) {
	r := Result{Indicator: i, Status: NoActual, Asked: asOf, Target: Format(i.Target), Warnings: wording(i)}
	if t.source == nil {
		r.Status = Withheld
		return r, nil
	}
	f, warnings, err := t.source.Figure(ctx, i, asOf)
	r.Warnings = append(r.Warnings, warnings...)
	if errors.Is(err, ErrNoFigure) {
		return r, nil
	} else if err != nil {
		return Result{}, fmt.Errorf("query %s: %w", i.Code, err)
	}
	v, err := f.In(i.Unit)
	if err != nil {
		r.Warnings = append(r.Warnings, Warning{Kind: "source_bad", Text: fmt.Sprintf("来源“%s”的数据不可用:%v", f.Source, err)})
		return r, nil
	}
	r.fill(f, v)
	return r, nil
}

func (r *Result) fill(f Figure, v decimal.Decimal) {
	i := r.Indicator
	r.value, r.Actual, r.AsOf, r.Source = v, Format(v), f.AsOf, f.Source
	r.AgeDays = r.Asked.Days(f.AsOf)
	r.Status, r.Gap = Short, Format(i.Gap(v))
	over := v.Sub(i.Target)
	if i.Downward() {
		over = over.Neg()
	}
	if i.Met(v) {
		r.Status = Met
	} else {
		r.Needed = Format(i.Needed(v))
	}
	if over.IsPositive() {
		r.Over = Format(over)
	}
	r.Elapsed = Format(i.Elapsed(f.AsOf)) + "%"
	if p, ok := i.Progress(v); ok {
		r.progress, r.Progress = p, Format(p)+"%"
		r.Behind = r.Status == Short && p.LessThan(i.Elapsed(f.AsOf))
	}
	if m, ok := i.Monthly(v, f.AsOf); ok {
		r.Monthly = Format(m)
	}
	r.Warnings = append(r.Warnings, recorded(i, f, v, r.AgeDays)...)
}
