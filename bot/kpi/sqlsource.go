package kpi

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/shopspring/decimal"

	"zhengda/internal/db"
)

// sqlConn is one database that is only read. It is opened when it is first
// asked: a database that is missing today may be there tomorrow.
type sqlConn struct {
	postgres bool
	open     func() (*sql.DB, error)

	mu sync.Mutex
	d  *sql.DB
}

func newConn(k Connection, secret func(string) (string, bool)) (*sqlConn, error) {
	if k.Driver == "sqlite" {
		return &sqlConn{open: func() (*sql.DB, error) { return db.OpenReadOnly(k.Path) }}, nil
	}
	dsn, ok := secret(k.DSNEnv)
	if !ok {
		return nil, fmt.Errorf("环境变量 %s 未设置", k.DSNEnv)
	}
	if _, err := pgx.ParseConfig(dsn); err != nil {
		return nil, fmt.Errorf("环境变量 %s 不是有效的连接地址", k.DSNEnv) // the cause would show the address
	}
	return &sqlConn{postgres: true, open: func() (*sql.DB, error) {
		d, err := sql.Open("pgx", dsn)
		if err == nil {
			d.SetMaxOpenConns(4)
			d.SetConnMaxIdleTime(5 * time.Minute)
		}
		return d, err
	}}, nil
}

func (c *sqlConn) get() (*sql.DB, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.d != nil {
		return c.d, nil
	}
	d, err := c.open()
	if err == nil {
		c.d = d
	}
	return d, err
}

// Close closes the database if it has been opened.
func (c *sqlConn) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.d == nil {
		return nil
	}
	return c.d.Close()
}

// query is a SELECT with numbered parameters and what each stands for.
type query struct {
	text   string
	params []string
}

// parseQuery checks that text is one SELECT and numbers its parameters :year,
// :from and :to. Quoted text, comments and :: casts are left alone.
func parseQuery(text string) (query, error) {
	text = strings.TrimRight(strings.TrimSpace(text), "; \n\t")
	first, _, _ := strings.Cut(strings.ToLower(text), " ")
	if first = strings.TrimSpace(first); !strings.HasPrefix(first, "select") && !strings.HasPrefix(first, "with") {
		return query{}, errors.New("query 须是一条 SELECT 语句")
	}
	var q query
	var b strings.Builder
	for i := 0; i < len(text); {
		n := skip(text[i:])
		switch {
		case n > 0:
			b.WriteString(text[i : i+n])
			i += n
		case text[i] == ';':
			return query{}, errors.New("query 须是一条 SELECT 语句,不得含分号")
		case strings.HasPrefix(text[i:], "::"):
			b.WriteString("::")
			i += 2
		case text[i] == ':' && i+1 < len(text) && isName(text[i+1]):
			j := i + 1
			for j < len(text) && isName(text[j]) {
				j++
			}
			name := text[i+1 : j]
			if name != "year" && name != "from" && name != "to" {
				return query{}, fmt.Errorf("query 的参数 :%s 不是 :year、:from 或 :to", name)
			}
			q.params = append(q.params, name)
			fmt.Fprintf(&b, "$%d", len(q.params))
			i = j
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	q.text = b.String()
	return q, nil
}

func isName(c byte) bool { return c >= 'a' && c <= 'z' || c == '_' }

// skip is the length of the quoted text or comment at the start of s.
func skip(s string) int {
	for _, q := range [][2]string{{"'", "'"}, {`"`, `"`}, {"--", "\n"}, {"/*", "*/"}} {
		if !strings.HasPrefix(s, q[0]) {
			continue
		}
		if i := strings.Index(s[len(q[0]):], q[1]); i >= 0 {
			return len(q[0]) + i + len(q[1])
		}
		return len(s)
	}
	return 0
}

type sqlReader struct {
	conn    *sqlConn
	query   query
	unit    string
	timeout time.Duration
}

func newSQLReader(conn *sqlConn, e Endpoint, timeout time.Duration) (*sqlReader, error) {
	q, err := parseQuery(e.Query)
	return &sqlReader{conn, q, e.Unit, timeout}, err
}

// read runs the query in a read-only transaction that the server itself ends
// after the timeout.
func (r *sqlReader) read(ctx context.Context, p period) (Figure, error) {
	d, err := r.conn.get()
	if err != nil {
		return Figure{}, err
	}
	tx, err := d.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return Figure{}, err
	}
	defer tx.Rollback()
	if r.conn.postgres {
		if _, err := tx.ExecContext(ctx, fmt.Sprintf("SET LOCAL statement_timeout = %d", max(1, r.timeout.Milliseconds()))); err != nil {
			return Figure{}, err
		}
	}
	var args []any
	for _, name := range r.query.params {
		args = append(args, map[string]any{"year": p.year, "from": string(p.from), "to": string(p.to)}[name])
	}
	rows, err := tx.QueryContext(ctx, r.query.text, args...)
	if err != nil {
		return Figure{}, err
	}
	defer rows.Close()
	f := Figure{Unit: r.unit}
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return Figure{}, err
		}
		return Figure{}, ErrNoFigure
	}
	if err := scanRow(rows, &f); err != nil {
		return Figure{}, err
	}
	if rows.Next() {
		return Figure{}, fmt.Errorf("%w: more than one row", errBad)
	}
	return f, rows.Err()
}

// scanRow reads the columns of a row into f by their names.
func scanRow(rows *sql.Rows, f *Figure) error {
	cols, err := rows.Columns()
	if err != nil {
		return err
	}
	vals := make([]any, len(cols))
	ptrs := make([]any, len(cols))
	for i := range vals {
		ptrs[i] = &vals[i]
	}
	if err := rows.Scan(ptrs...); err != nil {
		return err
	}
	return fields(f, func(name string) (any, bool) {
		for i, c := range cols {
			if strings.EqualFold(c, name) {
				return vals[i], vals[i] != nil
			}
		}
		return nil, false
	})
}

// fields fills f from the named values value, as_of, unit and target.
func fields(f *Figure, get func(name string) (any, bool)) (err error) {
	v, ok := get("value")
	if !ok {
		return ErrNoFigure // the source knows no value
	}
	if f.Value, err = asDecimal(v); err != nil {
		return fmt.Errorf("%w: value: %w", errBad, err)
	}
	d, ok := get("as_of")
	if !ok {
		return fmt.Errorf("%w: no as_of", errBad)
	}
	if f.AsOf, err = asDate(d); err != nil {
		return fmt.Errorf("%w: as_of: %w", errBad, err)
	}
	if u, ok := get("unit"); ok {
		f.Unit = strings.TrimSpace(fmt.Sprint(u))
	}
	if t, ok := get("target"); ok {
		target, err := asDecimal(t)
		if err != nil {
			return fmt.Errorf("%w: target: %w", errBad, err)
		}
		f.Target = &target
	}
	return nil
}

// asDecimal reads what a database or a JSON document may hold for a number. A
// binary floating-point number stands for the shortest decimal that reads as
// the same one.
func asDecimal(v any) (decimal.Decimal, error) {
	switch v := v.(type) {
	case int64:
		return decimal.NewFromInt(v), nil
	case float64:
		return decimal.NewFromFloat(v), nil
	case []byte:
		return parseNumber(strings.TrimSpace(string(v)))
	}
	return parseNumber(strings.TrimSpace(fmt.Sprint(v)))
}

// asDate reads a day: a time, or text that begins with YYYY-MM-DD.
func asDate(v any) (Date, error) {
	switch v := v.(type) {
	case time.Time:
		return ParseDate(v.Format(time.DateOnly))
	case []byte:
		return asDate(string(v))
	}
	s := strings.TrimSpace(fmt.Sprint(v))
	if len(s) > 10 && (s[10] == 'T' || s[10] == ' ') {
		s = s[:10]
	}
	return ParseDate(s)
}
