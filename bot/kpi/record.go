package kpi

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/shopspring/decimal"
)

// Record adds one figure. The indicator must exist, the unit must be its own
// or a multiple of it (万家 for 家), and the day must exist and not lie in the
// future. A figure already recorded is not replaced: the new record stands
// from now on, the old one stays in the history.
func (s *Store) Record(ctx context.Context, f Figure) (Figure, error) {
	inds, err := s.Indicators(ctx)
	if err != nil {
		return Figure{}, err
	}
	if err := s.check(f, inds); err != nil {
		return Figure{}, fmt.Errorf("record figure: %w", err)
	}
	return s.add(ctx, f)
}

// add stores a figure that has been checked.
func (s *Store) add(ctx context.Context, f Figure) (Figure, error) {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		w, err := newWriter(ctx, tx)
		if err == nil {
			f, err = w.insert(ctx, f, s.now())
		}
		return err
	})
	if err != nil {
		return Figure{}, fmt.Errorf("record figure of %s: %w", f.Code, err)
	}
	return f, nil
}

// writer adds figures within one transaction.
type writer struct{ day, next, add *sql.Stmt }

func newWriter(ctx context.Context, tx *sql.Tx) (w writer, err error) {
	for q, stmt := range map[string]**sql.Stmt{
		`SELECT n, value, unit, as_of, source, recorded_by, recorded_at FROM kpi_figures
			WHERE code = $1 AND as_of = $2 ORDER BY n DESC LIMIT 1`: &w.day,
		"SELECT COALESCE(MAX(n), 0) + 1 FROM kpi_figures WHERE code = $1": &w.next,
		`INSERT INTO kpi_figures (code, n, value, unit, as_of, source, recorded_by, recorded_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`: &w.add,
	} {
		if *stmt, err = tx.PrepareContext(ctx, q); err != nil {
			return w, err
		}
	}
	return w, nil
}

// insert gives f the next number of its code and the time of recording.
func (w writer) insert(ctx context.Context, f Figure, now time.Time) (Figure, error) {
	f.RecordedAt = now.UTC().Truncate(time.Second)
	if err := w.next.QueryRowContext(ctx, f.Code).Scan(&f.N); err != nil {
		return f, err
	}
	_, err := w.add.ExecContext(ctx, f.Code, f.N, f.Value.String(), f.Unit, string(f.AsOf), f.Source, f.RecordedBy, f.RecordedAt.Format(time.RFC3339))
	return f, err
}

// stands reports that f is what the latest record of its day says already.
func (w writer) stands(ctx context.Context, f Figure) (bool, error) {
	old, err := scanFigure(w.day.QueryRowContext(ctx, f.Code, string(f.AsOf)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil && old.Value.Equal(f.Value) && old.Unit == f.Unit && old.Source == f.Source, err
}

// check reports why f cannot be recorded.
func (s *Store) check(f Figure, inds []Indicator) error {
	k := slices.IndexFunc(inds, func(i Indicator) bool { return i.Code == f.Code })
	if k < 0 {
		return fmt.Errorf("%w:%q", ErrUnknown, f.Code)
	}
	if f.Unit == "" {
		return errors.New("缺少单位")
	}
	v, err := f.In(inds[k].Unit)
	if err != nil {
		return err
	}
	if _, err := ParseDate(string(f.AsOf)); err != nil {
		return err
	}
	if today := DateOf(s.now()); f.AsOf > today {
		return fmt.Errorf("截至日期 %s 在今天(%s)之后", f.AsOf, today)
	}
	if countable(inds[k].Unit) && !v.IsInteger() {
		return fmt.Errorf("%s%s 不是整数%s", Format(f.Value), f.Unit, inds[k].Unit)
	}
	if v.IsNegative() && flows(inds[k].Unit) {
		return fmt.Errorf("%s%s 是负数", Format(f.Value), f.Unit)
	}
	if strings.TrimSpace(f.Source) == "" {
		return errors.New("缺少来源")
	}
	return nil
}

var number = regexp.MustCompile(`^[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d+)?$`)

// parseNumber reads a plain decimal, thousands separators allowed: no
// exponent, no unit, at most 30 characters.
func parseNumber(s string) (decimal.Decimal, error) {
	if len(s) > 30 || !number.MatchString(s) {
		return decimal.Zero, fmt.Errorf("%q 不是数字", s)
	}
	return decimal.NewFromString(strings.ReplaceAll(s, ",", ""))
}

// ParseFigure reads the value and the day of a figure as a person types them.
func ParseFigure(code, value, unit, asOf, source, by string) (Figure, error) {
	v, err := parseNumber(strings.TrimSpace(value))
	if err != nil {
		return Figure{}, err
	}
	d, err := ParseDate(strings.TrimSpace(asOf))
	if err != nil {
		return Figure{}, err
	}
	return Figure{Code: code, Value: v, Unit: strings.TrimSpace(unit), AsOf: d, Source: strings.TrimSpace(source), RecordedBy: by}, nil
}

// LineError is what is wrong with one line of a file.
type LineError struct {
	Line int
	Err  error
}

// ImportError lists every refused line of a file; nothing of it was stored.
type ImportError []LineError

// Error names each line, at most twenty.
func (e ImportError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "文件中有 %d 行有误,全部未导入", len(e))
	for i, l := range e {
		if i == 20 {
			b.WriteString("\n…")
			break
		}
		fmt.Fprintf(&b, "\n第%d行: %v", l.Line, l.Err)
	}
	return b.String()
}

// Import records the figures of a CSV file with the columns code,
// actual_value, unit, as_of and source, all or none. A figure that stands
// already, the same in every column, is not recorded again. It returns how
// many were recorded and how many stood. Refused lines are an ImportError.
func (s *Store) Import(ctx context.Context, r io.Reader, by string) (recorded, unchanged int, err error) {
	rows, err := readTable(r, "code", "actual_value", "unit", "as_of", "source")
	if err != nil {
		return 0, 0, fmt.Errorf("import figures: %w", err)
	}
	inds, err := s.Indicators(ctx)
	if err != nil {
		return 0, 0, err
	}
	figs, err := s.parseRows(rows, inds, by)
	if err != nil {
		return 0, 0, fmt.Errorf("import figures: %w", err)
	}
	err = s.inTx(ctx, func(tx *sql.Tx) error {
		w, err := newWriter(ctx, tx)
		if err != nil {
			return err
		}
		for _, f := range figs {
			if known, err := w.stands(ctx, f); err != nil {
				return err
			} else if known {
				unchanged++
				continue
			}
			if _, err := w.insert(ctx, f, s.now()); err != nil {
				return err
			}
			recorded++
		}
		return nil
	})
	if err != nil {
		return 0, 0, fmt.Errorf("import figures: %w", err)
	}
	return recorded, unchanged, nil
}

func (s *Store) parseRows(rows []row, inds []Indicator, by string) ([]Figure, error) {
	byCode := map[string][]Indicator{}
	for _, i := range inds {
		byCode[i.Code] = append(byCode[i.Code], i)
	}
	var figs []Figure
	var bad ImportError
	seen := map[[2]string]int{}
	for _, r := range rows {
		f, err := ParseFigure(r.get("code"), r.get("actual_value"), r.get("unit"), r.get("as_of"), r.get("source"), by)
		if err == nil {
			err = s.check(f, byCode[f.Code])
		} else if byCode[r.get("code")] == nil {
			err = fmt.Errorf("%w:%q", ErrUnknown, r.get("code"))
		}
		key := [2]string{f.Code, string(f.AsOf)}
		if err == nil && seen[key] > 0 {
			err = fmt.Errorf("与第%d行是同一指标同一日期", seen[key])
		}
		if err != nil {
			bad = append(bad, LineError{r.line, err})
			continue
		}
		seen[key] = r.line
		figs = append(figs, f)
	}
	if bad != nil {
		return nil, bad
	}
	return figs, nil
}
