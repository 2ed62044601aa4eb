package ingest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"zhengda/internal/db"
	"zhengda/rag"
)

// Errors that callers tell apart.
var (
	ErrUnknown   = errors.New("没有这份文件")     // no document, version or clause of that name
	ErrAmbiguous = errors.New("名称不止对应一份文件") // part of several titles
	ErrRefused   = errors.New("拒绝发布")       // publication refused without Force
)

// Options are what a Library takes from its surroundings. The zero value is
// usable.
type Options struct {
	Now    func() time.Time // the clock; time.Now
	Logger *slog.Logger     // discarded when nil
	Who    string           // named in the audit lines
	// PDFToText is the path of poppler's pdftotext; empty: the built-in reader,
	// which keeps less of a page's layout.
	PDFToText string
	Workers   int   // files read at a time; 2
	MaxFile   int64 // bytes; larger files are refused; 128 MiB
}

// Library is a folder of documents with all their versions. It is safe for
// concurrent use, by several processes too.
type Library struct {
	db  *sql.DB
	dir string
	o   Options
}

// Open opens the library in dir, and creates it when there is none. Errors
// wrap those of package db: a folder that cannot be written, a damaged file.
func Open(dir string, o Options) (*Library, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	if o.Workers <= 0 {
		o.Workers = 2
	}
	if o.MaxFile <= 0 {
		o.MaxFile = 128 << 20
	}
	d, err := db.Open(filepath.Join(dir, "zhengda.db"))
	if err != nil {
		return nil, fmt.Errorf("open library: %w", err)
	}
	l := &Library{db: d, dir: dir, o: o}
	if err := db.Migrate(context.Background(), d, "ingest", schema); err != nil {
		d.Close()
		return nil, fmt.Errorf("open library %s: %w", dir, err)
	}
	return l, nil
}

// Close releases the library.
func (l *Library) Close() error { return l.db.Close() }

// Generation counts the publications, rollbacks and removals so far: while it
// stays the same, so does what Active returns. It costs one row.
func (l *Library) Generation(ctx context.Context) (int64, error) {
	return generation(ctx, l.db)
}

// queryer is what *sql.DB and *sql.Tx share.
type queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func generation(ctx context.Context, q queryer) (g int64, err error) {
	err = q.QueryRowContext(ctx, `SELECT generation FROM library`).Scan(&g)
	if err != nil {
		return 0, fmt.Errorf("read generation: %w", db.Explain(err))
	}
	return g, nil
}

// Active returns the documents that are published now, by ID, and the
// generation they belong to; both are of one moment.
func (l *Library) Active(ctx context.Context) ([]rag.Document, int64, error) {
	tx, err := l.db.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, 0, fmt.Errorf("read library: %w", db.Explain(err))
	}
	defer tx.Rollback()
	g, err := generation(ctx, tx)
	if err != nil {
		return nil, 0, err
	}
	rows, err := tx.QueryContext(ctx, `SELECT v.document FROM documents d
		JOIN versions v ON v.document_id = d.id AND v.number = d.active ORDER BY d.id`)
	if err != nil {
		return nil, 0, fmt.Errorf("read library: %w", db.Explain(err))
	}
	defer rows.Close()
	var docs []rag.Document
	for rows.Next() {
		var blob sql.RawBytes
		if err := rows.Scan(&blob); err != nil {
			return nil, 0, fmt.Errorf("read library: %w", db.Explain(err))
		}
		d, err := unpack(blob)
		if err != nil {
			return nil, 0, fmt.Errorf("read library: %w", err)
		}
		docs = append(docs, d)
	}
	if err := rows.Err(); err != nil {
		return nil, 0, fmt.Errorf("read library: %w", db.Explain(err))
	}
	repeal(docs)
	return docs, g, nil
}

// repeal ends the force of documents that another one says it supersedes, by
// title or 文号, on the day that one takes effect; a day that the document or
// a person gave stays.
func repeal(docs []rag.Document) {
	for i := range docs {
		m := &docs[i].Meta
		key := titleKey(m.Supersedes)
		from := m.Effective
		if from.IsZero() {
			from = m.Issued
		}
		if key == "" || from.IsZero() {
			continue
		}
		for j := range docs {
			o := &docs[j]
			if j != i && o.Meta.Repealed.IsZero() && (titleKey(o.Title) == key || titleKey(o.Meta.Number) == key) {
				o.Meta.Repealed = from
			}
		}
	}
}

// Lint checks what is published: everything, or with doc one document. To the
// findings of the function Lint it adds the defects that parsing met with.
// One document is still compared with the others.
func (l *Library) Lint(ctx context.Context, doc string) ([]Finding, error) {
	id := ""
	if doc != "" {
		e, err := l.Find(ctx, doc)
		if err != nil {
			return nil, fmt.Errorf("lint: %w", err)
		}
		id = e.ID
	}
	docs, _, err := l.Active(ctx)
	if err != nil {
		return nil, fmt.Errorf("lint: %w", err)
	}
	var out []Finding
	for i := range docs {
		if id != "" && docs[i].ID != id {
			continue
		}
		v, err := l.Show(ctx, docs[i].ID, "")
		if err != nil {
			return nil, fmt.Errorf("lint: %w", err)
		}
		var p Parsed
		if err := json.Unmarshal(v.Parsed, &p); err != nil {
			return nil, fmt.Errorf("lint %s: %w", docs[i].ID, err)
		}
		out = append(out, parseFindings(p, &docs[i])...)
	}
	for _, f := range Lint(docs) {
		if id == "" || slices.ContainsFunc(f.Quotes, func(q Quote) bool { return q.DocumentID == id }) {
			out = append(out, f)
		}
	}
	return out, nil
}

// Entry is one document of the library.
type Entry struct {
	ID      string      `json:"id"`
	Title   string      `json:"title"`
	Version string      `json:"version"` // the active one; empty when removed
	Clauses int         `json:"clauses"`
	File    string      `json:"file"`
	Format  string      `json:"format"`
	Updated time.Time   `json:"updated"` // when the active version was made
	Meta    rag.Meta    `json:"meta"`
	Removed bool        `json:"removed,omitempty"`
	Warns   int         `json:"warnings"`
	Hash    string      `json:"hash"`
	Latest  VersionInfo `json:"-"`
}

const entryQuery = `SELECT d.id, COALESCE(v.title, d.title), d.active, v.number, v.hash, v.file, v.format, v.created_at, v.created_by,
		v.clauses, v.meta, v.warnings FROM documents d
	JOIN versions v ON v.document_id = d.id AND v.number = COALESCE(d.active,
		(SELECT MAX(number) FROM versions WHERE document_id = d.id AND published_at IS NOT NULL)) `

// Documents lists the library by title: what is published, and with removed
// also what was.
func (l *Library) Documents(ctx context.Context, removed bool) ([]Entry, error) {
	all, err := l.entries(ctx, l.db)
	if err != nil || removed {
		return all, err
	}
	out := all[:0]
	for _, e := range all {
		if !e.Removed {
			out = append(out, e)
		}
	}
	return out, nil
}

func (l *Library) entries(ctx context.Context, q queryer) ([]Entry, error) {
	rows, err := q.QueryContext(ctx, entryQuery+`ORDER BY v.title, d.id`)
	if err != nil {
		return nil, fmt.Errorf("list documents: %w", db.Explain(err))
	}
	defer rows.Close()
	var out []Entry
	for rows.Next() {
		var (
			e              Entry
			v              VersionInfo
			active         sql.NullInt64
			at, meta, warn string
		)
		if err := rows.Scan(&e.ID, &e.Title, &active, &v.Number, &v.Hash, &e.File, &e.Format, &at, &v.Who, &e.Clauses, &meta, &warn); err != nil {
			return nil, fmt.Errorf("list documents: %w", db.Explain(err))
		}
		v.At, _ = time.Parse(time.RFC3339Nano, at)
		v.File, v.Format, v.Clauses, v.Active = e.File, e.Format, e.Clauses, active.Valid
		e.Latest, e.Hash, e.Updated, e.Removed = v, v.Hash, v.At, !active.Valid
		if active.Valid {
			e.Version = strconv.FormatInt(active.Int64, 10)
		}
		var ws []ReportWarning
		if err := errors.Join(json.Unmarshal([]byte(meta), &e.Meta), json.Unmarshal([]byte(warn), &ws)); err != nil {
			return nil, fmt.Errorf("list documents: %s: %w", e.ID, err)
		}
		e.Warns = len(ws)
		out = append(out, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("list documents: %w", db.Explain(err))
	}
	return out, nil
}

// Find returns the document that name means: an ID, a title, or a part of a
// title or 文号 that only one document has. Published documents go before
// removed ones. The error wraps ErrUnknown or ErrAmbiguous.
func (l *Library) Find(ctx context.Context, name string) (Entry, error) {
	all, err := l.entries(ctx, l.db)
	if err != nil {
		return Entry{}, err
	}
	key := titleKey(name)
	tests := []func(Entry) bool{
		func(e Entry) bool { return e.ID == name },
		func(e Entry) bool { return key != "" && titleKey(e.Title) == key },
		func(e Entry) bool { return key != "" && titleKey(e.Meta.Number) == key },
		func(e Entry) bool { return key != "" && strings.Contains(titleKey(e.Title), key) },
	}
	for _, test := range tests {
		for _, removed := range []bool{false, true} {
			var hits []Entry
			for _, e := range all {
				if e.Removed == removed && test(e) {
					hits = append(hits, e)
				}
			}
			if len(hits) == 1 {
				return hits[0], nil
			}
			if len(hits) > 1 {
				return Entry{}, fmt.Errorf("%w: %q: %s", ErrAmbiguous, name, titles(hits))
			}
		}
	}
	return Entry{}, fmt.Errorf("%w: %q", ErrUnknown, name)
}

func titles(es []Entry) string {
	var b strings.Builder
	for i, e := range es {
		if i == 5 {
			b.WriteString(" …")
			break
		}
		fmt.Fprintf(&b, "《%s》(%s)", e.Title, e.ID)
	}
	return b.String()
}
