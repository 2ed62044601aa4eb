package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"zhengda/internal/db"
	"zhengda/rag"
)

// VersionInfo is one published version of a document.
type VersionInfo struct {
	Number  int       `json:"version"`
	Hash    string    `json:"hash"`
	File    string    `json:"file"`
	Format  string    `json:"format"`
	Clauses int       `json:"clauses"`
	At      time.Time `json:"at"` // when it was made
	Who     string    `json:"who"`
	Active  bool      `json:"active"`
}

// Version is a stored version with all that belongs to it.
type Version struct {
	VersionInfo
	Document rag.Document
	Original []byte // the file
	Source   string // its text, which Parse read
	Parsed   []byte // Parsed as JSON
}

// History lists the published versions of a document, newest first.
func (l *Library) History(ctx context.Context, doc string) ([]VersionInfo, error) {
	e, err := l.Find(ctx, doc)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	return l.history(ctx, l.db, e.ID)
}

func (l *Library) history(ctx context.Context, q queryer, id string) ([]VersionInfo, error) {
	rows, err := q.QueryContext(ctx, `SELECT v.number, v.hash, v.file, v.format, v.clauses, v.created_at, v.created_by, COALESCE(d.active = v.number, FALSE)
		FROM versions v JOIN documents d ON d.id = v.document_id WHERE d.id = $1 AND v.published_at IS NOT NULL ORDER BY v.number DESC`, id)
	if err != nil {
		return nil, fmt.Errorf("history %s: %w", id, db.Explain(err))
	}
	defer rows.Close()
	var out []VersionInfo
	for rows.Next() {
		var v VersionInfo
		var at string
		if err := rows.Scan(&v.Number, &v.Hash, &v.File, &v.Format, &v.Clauses, &at, &v.Who, &v.Active); err != nil {
			return nil, fmt.Errorf("history %s: %w", id, db.Explain(err))
		}
		v.At, _ = time.Parse(time.RFC3339Nano, at)
		out = append(out, v)
	}
	return out, db.Explain(rows.Err())
}

// Show returns a version of a document: "" the active one (of a removed
// document its last), else a number or the beginning of a hash.
func (l *Library) Show(ctx context.Context, doc, version string) (Version, error) {
	e, err := l.Find(ctx, doc)
	if err != nil {
		return Version{}, fmt.Errorf("show: %w", err)
	}
	info, err := l.pick(ctx, l.db, e, version)
	if err != nil {
		return Version{}, fmt.Errorf("show: %w", err)
	}
	v := Version{VersionInfo: info}
	var blob []byte
	err = l.db.QueryRowContext(ctx, `SELECT v.document, o.body, v.source, v.parsed FROM versions v JOIN originals o ON o.hash = v.original
		WHERE v.document_id = $1 AND v.number = $2`, e.ID, info.Number).Scan(&blob, &v.Original, &v.Source, &v.Parsed)
	if err != nil {
		return Version{}, fmt.Errorf("show %s: %w", e.ID, db.Explain(err))
	}
	v.Document, err = unpack(blob)
	return v, err
}

// pick finds a version of e by number or hash; "" is the one in entry e.
func (l *Library) pick(ctx context.Context, q queryer, e Entry, version string) (VersionInfo, error) {
	if version == "" {
		return e.Latest, nil
	}
	all, err := l.history(ctx, q, e.ID)
	if err != nil {
		return VersionInfo{}, err
	}
	n, numErr := strconv.Atoi(strings.TrimPrefix(version, "v"))
	for _, v := range all {
		if numErr == nil && v.Number == n || len(version) >= 6 && strings.HasPrefix(v.Hash, version) {
			return v, nil
		}
	}
	return VersionInfo{}, fmt.Errorf("%w: 《%s》没有版本 %q", ErrUnknown, e.Title, version)
}

// Diff compares two versions of a document clause by clause. An empty b is
// the active version, an empty a the one before b.
func (l *Library) Diff(ctx context.Context, doc, a, b string) ([]Change, error) {
	to, err := l.Show(ctx, doc, b)
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	if a == "" {
		before, err := l.before(ctx, to.Document.ID, to.Number)
		if err != nil {
			return nil, fmt.Errorf("diff: %w", err)
		}
		a = strconv.Itoa(before.Number)
	}
	from, err := l.Show(ctx, to.Document.ID, a)
	if err != nil {
		return nil, fmt.Errorf("diff: %w", err)
	}
	return Compare(&from.Document, &to.Document), nil
}

// before is the newest published version older than number.
func (l *Library) before(ctx context.Context, id string, number int) (VersionInfo, error) {
	all, err := l.history(ctx, l.db, id)
	if err != nil {
		return VersionInfo{}, err
	}
	for _, v := range all {
		if v.Number < number {
			return v, nil
		}
	}
	return VersionInfo{}, fmt.Errorf("%w: %s 在版本 %d 之前没有别的版本", ErrUnknown, id, number)
}

// Rollback makes an earlier version the active one: the one named, or with
// version "" the one before the active one; of a removed document its last.
// It returns the version that is active then.
func (l *Library) Rollback(ctx context.Context, doc, version string) (VersionInfo, error) {
	e, err := l.Find(ctx, doc)
	if err != nil {
		return VersionInfo{}, fmt.Errorf("rollback: %w", err)
	}
	var v VersionInfo
	switch {
	case version == "" && !e.Removed:
		v, err = l.before(ctx, e.ID, e.Latest.Number)
	default:
		v, err = l.pick(ctx, l.db, e, version)
	}
	if err != nil {
		return VersionInfo{}, fmt.Errorf("rollback: %w", err)
	}
	if v.Active {
		return v, nil
	}
	err = l.change(ctx, func(tx *sql.Tx) error { return l.activate(ctx, tx, "rollback", e.ID, v.Number) })
	if err != nil {
		return VersionInfo{}, fmt.Errorf("rollback %s: %w", e.ID, err)
	}
	v.Active = true
	return v, nil
}

// Remove takes a document out of what is published and keeps its versions.
func (l *Library) Remove(ctx context.Context, doc string) (Entry, error) {
	e, err := l.Find(ctx, doc)
	if err != nil {
		return Entry{}, fmt.Errorf("remove: %w", err)
	}
	if e.Removed {
		return e, nil
	}
	err = l.change(ctx, func(tx *sql.Tx) error { return l.activate(ctx, tx, "remove", e.ID, 0) })
	if err != nil {
		return Entry{}, fmt.Errorf("remove %s: %w", e.ID, err)
	}
	e.Removed, e.Version = true, ""
	return e, nil
}

// AuditLine is one publication, rollback or removal.
type AuditLine struct {
	Seq      int       `json:"seq"`
	At       time.Time `json:"at"`
	Who      string    `json:"who"`
	Action   string    `json:"action"` // publish, rollback, remove
	ID       string    `json:"id"`
	Title    string    `json:"title"`
	Version  int       `json:"version,omitempty"`  // active then; 0: none
	Previous int       `json:"previous,omitempty"` // active before
	Hash     string    `json:"hash"`               // of the version's content
	Original string    `json:"original"`           // SHA-256 of its file
	File     string    `json:"file"`
}

// Audit lists what was done, newest first: to one document, or with doc "" to
// all; limit 0 means all lines.
func (l *Library) Audit(ctx context.Context, doc string, limit int) ([]AuditLine, error) {
	id := ""
	if doc != "" {
		e, err := l.Find(ctx, doc)
		if err != nil && !errors.Is(err, ErrUnknown) {
			return nil, fmt.Errorf("audit: %w", err)
		}
		if id = e.ID; id == "" {
			id = doc
		}
	}
	if limit <= 0 {
		limit = 1 << 30
	}
	rows, err := l.db.QueryContext(ctx, `SELECT seq, at, who, action, document_id, title, COALESCE(version, 0), COALESCE(previous, 0), hash, original, file
		FROM audit WHERE $1 = '' OR document_id = $1 ORDER BY seq DESC LIMIT $2`, id, limit)
	if err != nil {
		return nil, fmt.Errorf("audit: %w", db.Explain(err))
	}
	defer rows.Close()
	var out []AuditLine
	for rows.Next() {
		var a AuditLine
		var at string
		if err := rows.Scan(&a.Seq, &at, &a.Who, &a.Action, &a.ID, &a.Title, &a.Version, &a.Previous, &a.Hash, &a.Original, &a.File); err != nil {
			return nil, fmt.Errorf("audit: %w", db.Explain(err))
		}
		a.At, _ = time.Parse(time.RFC3339Nano, at)
		out = append(out, a)
	}
	return out, db.Explain(rows.Err())
}
