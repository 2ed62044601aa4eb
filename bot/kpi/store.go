package kpi

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/shopspring/decimal"

	"zhengda/internal/db"
	"zhengda/internal/zh"
)

// steps are the tables of the component "kpi". Amounts are decimal strings
// and days are ISO text, so that every database keeps them exactly.
var steps = []string{`
CREATE TABLE kpi_indicators (
	code TEXT NOT NULL, year INTEGER NOT NULL, name TEXT NOT NULL, unit TEXT NOT NULL,
	target TEXT NOT NULL, comparator TEXT NOT NULL, hedge TEXT NOT NULL, basis TEXT NOT NULL,
	title TEXT NOT NULL, document TEXT NOT NULL, clause_id TEXT NOT NULL, clause INTEGER NOT NULL,
	label TEXT NOT NULL, words TEXT NOT NULL, office TEXT NOT NULL, note TEXT NOT NULL,
	derived INTEGER NOT NULL, place INTEGER NOT NULL, aliases TEXT NOT NULL, mentions TEXT NOT NULL,
	PRIMARY KEY (code, year));
CREATE TABLE kpi_figures (
	code TEXT NOT NULL, n INTEGER NOT NULL, value TEXT NOT NULL, unit TEXT NOT NULL, as_of TEXT NOT NULL,
	source TEXT NOT NULL, recorded_by TEXT NOT NULL, recorded_at TEXT NOT NULL,
	PRIMARY KEY (code, n));
CREATE INDEX kpi_figures_latest ON kpi_figures (code, as_of, n);
CREATE TABLE kpi_catalog (id INTEGER PRIMARY KEY, version INTEGER NOT NULL);
INSERT INTO kpi_catalog (id, version) VALUES (1, 0);
CREATE TRIGGER kpi_figures_no_update BEFORE UPDATE ON kpi_figures BEGIN SELECT RAISE(ABORT, 'figures are only added'); END;
CREATE TRIGGER kpi_figures_no_delete BEFORE DELETE ON kpi_figures BEGIN SELECT RAISE(ABORT, 'figures are only added'); END;
`}

// Errors of the store and the tool.
var (
	// ErrUnknown says that there is no such indicator.
	ErrUnknown = errors.New("没有这个指标")
	// ErrPeriod says that the indicator has no target for the year asked.
	ErrPeriod = errors.New("该年度没有目标值")
	// ErrNoFigure says that no actual value has been recorded.
	ErrNoFigure = errors.New("没有实际值记录")
)

// Store keeps indicators and figures in one database. It is safe for
// concurrent use, by several processes too.
type Store struct {
	d                    *sql.DB
	now                  func() time.Time
	latest, catalogState *sql.Stmt
}

// NewStore uses the tables of d, and creates them when they are missing. now
// tells the time; figures of a later day are refused.
func NewStore(ctx context.Context, d *sql.DB, now func() time.Time) (*Store, error) {
	if err := db.Migrate(ctx, d, "kpi", steps); err != nil {
		return nil, err
	}
	s := &Store{d: d, now: now}
	var err error
	if s.latest, err = d.PrepareContext(ctx, `SELECT n, value, unit, as_of, source, recorded_by, recorded_at FROM kpi_figures
		WHERE code = $1 AND as_of >= $2 AND as_of <= $3 ORDER BY as_of DESC, n DESC LIMIT 1`); err != nil {
		return nil, fmt.Errorf("open indicators: %w", db.Explain(err))
	}
	if s.catalogState, err = d.PrepareContext(ctx, "SELECT version FROM kpi_catalog WHERE id = 1"); err != nil {
		return nil, fmt.Errorf("open indicators: %w", db.Explain(err))
	}
	return s, nil
}

// Close releases the statements of s; the database stays open.
func (s *Store) Close() error { return errors.Join(s.latest.Close(), s.catalogState.Close()) }

// inTx runs f in one transaction that holds the write lock.
func (s *Store) inTx(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := s.d.BeginTx(ctx, nil)
	if err != nil {
		return db.Explain(err)
	}
	defer tx.Rollback()
	if err := f(tx); err != nil {
		return db.Explain(err)
	}
	return db.Explain(tx.Commit())
}

// Put stores indicators, each in the place of the one with the same code and
// year, all or none. Figures are not touched.
func (s *Store) Put(ctx context.Context, inds ...Indicator) error {
	err := s.inTx(ctx, func(tx *sql.Tx) error {
		for place, i := range inds {
			aliases, _ := json.Marshal(i.Aliases)
			mentions, err := json.Marshal(i.Mentions)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, "DELETE FROM kpi_indicators WHERE code = $1 AND year = $2", i.Code, i.Year); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, `INSERT INTO kpi_indicators (code, year, name, unit, target, comparator, hedge, basis, title,
				document, clause_id, clause, label, words, office, note, derived, place, aliases, mentions)
				VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17,$18,$19,$20)`,
				i.Code, i.Year, i.Name, i.Unit, i.Target.String(), string(i.Comparator), i.Hedge, string(i.Basis), i.Title,
				i.Document, i.ClauseID, i.Clause, i.Label, i.Words, i.Office, i.Note, i.Derived, place, string(aliases), string(mentions)); err != nil {
				return fmt.Errorf("%s: %w", i.Code, err)
			}
		}
		_, err := tx.ExecContext(ctx, "UPDATE kpi_catalog SET version = version + 1 WHERE id = 1")
		return err
	})
	if err != nil {
		return fmt.Errorf("store indicators: %w", err)
	}
	return nil
}

// Indicators are all indicators, by year, document and clause, those of one
// clause in the order they were stored in.
func (s *Store) Indicators(ctx context.Context) ([]Indicator, error) {
	rows, err := s.d.QueryContext(ctx, `SELECT code, year, name, unit, target, comparator, hedge, basis, title, document,
		clause_id, clause, label, words, office, note, derived, aliases, mentions FROM kpi_indicators ORDER BY year, title, clause, place, code`)
	if err != nil {
		return nil, fmt.Errorf("read indicators: %w", db.Explain(err))
	}
	defer rows.Close()
	var out []Indicator
	for rows.Next() {
		var i Indicator
		var target, cmp, basis, aliases, mentions string
		if err := rows.Scan(&i.Code, &i.Year, &i.Name, &i.Unit, &target, &cmp, &i.Hedge, &basis, &i.Title, &i.Document,
			&i.ClauseID, &i.Clause, &i.Label, &i.Words, &i.Office, &i.Note, &i.Derived, &aliases, &mentions); err != nil {
			return nil, fmt.Errorf("read indicators: %w", db.Explain(err))
		}
		i.Comparator, i.Basis = zh.Cmp(cmp), Basis(basis)
		if i.Target, err = decimal.NewFromString(target); err != nil {
			return nil, fmt.Errorf("read indicator %s: %w", i.Code, err)
		}
		if err := errors.Join(json.Unmarshal([]byte(aliases), &i.Aliases), json.Unmarshal([]byte(mentions), &i.Mentions)); err != nil {
			return nil, fmt.Errorf("read indicator %s: %w", i.Code, err)
		}
		out = append(out, i)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read indicators: %w", db.Explain(err))
	}
	return out, nil
}

// version changes with every Put, of whichever process.
func (s *Store) version(ctx context.Context) (v int64, err error) {
	if err := s.catalogState.QueryRowContext(ctx).Scan(&v); err != nil {
		return 0, fmt.Errorf("read indicators: %w", db.Explain(err))
	}
	return v, nil
}

// Latest is the figure that stands for i on the day asOf: of the latest day
// not after it, the latest record. Only days up to the end of the indicator's
// year count, and for an annual indicator only days of that year. Without one
// it is ErrNoFigure.
func (s *Store) Latest(ctx context.Context, i Indicator, asOf Date) (Figure, error) {
	from, to := window(i, asOf)
	f, err := scanFigure(s.latest.QueryRowContext(ctx, i.Code, string(from), string(to)).Scan)
	if errors.Is(err, sql.ErrNoRows) {
		return Figure{}, ErrNoFigure
	}
	if err != nil {
		return Figure{}, fmt.Errorf("read figures of %s: %w", i.Code, db.Explain(err))
	}
	f.Code = i.Code
	return f, nil
}

// window are the days whose figures count for i when asked on asOf.
func window(i Indicator, asOf Date) (from, to Date) {
	from, to = "0000-00-00", asOf
	if i.Year > 0 {
		to = min(asOf, yearEnd(i.Year))
		if i.Basis == Annual {
			from = yearStart(i.Year)
		}
	}
	return from, to
}

// History is every record of code, the first recorded first.
func (s *Store) History(ctx context.Context, code string) ([]Figure, error) {
	rows, err := s.d.QueryContext(ctx, "SELECT n, value, unit, as_of, source, recorded_by, recorded_at FROM kpi_figures WHERE code = $1 ORDER BY n", code)
	if err != nil {
		return nil, fmt.Errorf("read figures of %s: %w", code, db.Explain(err))
	}
	defer rows.Close()
	var out []Figure
	for rows.Next() {
		f, err := scanFigure(rows.Scan)
		if err != nil {
			return nil, fmt.Errorf("read figures of %s: %w", code, db.Explain(err))
		}
		f.Code = code
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read figures of %s: %w", code, db.Explain(err))
	}
	return out, nil
}

func scanFigure(scan func(...any) error) (f Figure, err error) {
	var value, asOf, at string
	if err = scan(&f.N, &value, &f.Unit, &asOf, &f.Source, &f.RecordedBy, &at); err != nil {
		return f, err
	}
	if f.Value, err = decimal.NewFromString(value); err != nil {
		return f, err
	}
	f.AsOf = Date(asOf)
	f.RecordedAt, err = time.Parse(time.RFC3339, at)
	return f, err
}
