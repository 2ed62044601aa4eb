package ingest

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"zhengda/internal/db"
	"zhengda/rag"
)

// knownFile is a file that was read before.
type knownFile struct {
	key, stamp              string
	id, title, hash, format string
	version, clauses        int
	active, published       bool
}

// knownFiles are the files read before, by name.
func (l *Library) knownFiles(ctx context.Context) (map[string]knownFile, error) {
	rows, err := l.db.QueryContext(ctx, `SELECT f.path, f.key, f.stamp, f.document_id, f.version, v.title, v.hash, v.format, v.clauses,
		COALESCE(d.active = f.version, FALSE), v.published_at IS NOT NULL
		FROM files f JOIN versions v ON v.document_id = f.document_id AND v.number = f.version
		JOIN documents d ON d.id = f.document_id`)
	if err != nil {
		return nil, fmt.Errorf("read known files: %w", db.Explain(err))
	}
	defer rows.Close()
	m := map[string]knownFile{}
	for rows.Next() {
		var name string
		var k knownFile
		if err := rows.Scan(&name, &k.key, &k.stamp, &k.id, &k.version, &k.title, &k.hash, &k.format, &k.clauses, &k.active, &k.published); err != nil {
			return nil, fmt.Errorf("read known files: %w", db.Explain(err))
		}
		m[name] = k
	}
	return m, db.Explain(rows.Err())
}

// version is a stored version of a document.
type version struct {
	number int
	hash   string
	doc    rag.Document
	size   int // visible runes in clauses
}

// activeVersion is the version of a document that is published now, or nil.
func (l *Library) activeVersion(ctx context.Context, id string) (*version, error) {
	var v version
	var blob []byte
	err := l.db.QueryRowContext(ctx, `SELECT v.number, v.hash, v.document FROM documents d
		JOIN versions v ON v.document_id = d.id AND v.number = d.active WHERE d.id = $1`, id).Scan(&v.number, &v.hash, &blob)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", id, db.Explain(err))
	}
	if v.doc, err = unpack(blob); err != nil {
		return nil, err
	}
	v.size = textSize(&v.doc)
	return &v, nil
}

func textSize(d *rag.Document) (n int) {
	for i := range d.Clauses {
		n += visibleRunes(d.Clauses[i].Text)
	}
	return n
}

// revive fills p from the version that was made of the same file before.
func (l *Library) revive(ctx context.Context, p *prepared) error {
	k := p.known
	var blob []byte
	var warnings string
	err := l.db.QueryRowContext(ctx, `SELECT document, warnings FROM versions WHERE document_id = $1 AND number = $2`, k.id, k.version).Scan(&blob, &warnings)
	if err != nil {
		return fmt.Errorf("read %s version %d: %w", k.id, k.version, db.Explain(err))
	}
	if p.doc, err = unpack(blob); err != nil {
		return err
	}
	p.id, p.title, p.format, p.hash, p.size = k.id, k.title, k.format, k.hash, textSize(&p.doc)
	if err := json.Unmarshal([]byte(warnings), &p.warnings); err != nil {
		return fmt.Errorf("read %s version %d: %w", k.id, k.version, err)
	}
	return nil
}

// Bounds of what one transaction of staging holds.
const (
	stageFiles = 256
	stageBytes = 32 << 20
	stageTime  = time.Second
)

// stage writes versions that are not published yet, many to a transaction.
type stage struct {
	l     *Library
	tx    *sql.Tx
	files int
	bytes int
	since time.Time
}

// put stores p as a version of its document and returns its number: an
// existing version when one says the same.
func (s *stage) put(ctx context.Context, p *prepared, old *version) (int, error) {
	if s.tx == nil {
		tx, err := s.l.db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return 0, fmt.Errorf("stage %s: %w", p.name, db.Explain(err))
		}
		s.tx, s.files, s.bytes, s.since = tx, 0, 0, time.Now()
	}
	n, err := s.version(ctx, p, old)
	if err == nil {
		_, err = s.tx.ExecContext(ctx, `INSERT INTO files (path, key, stamp, document_id, version) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (path) DO UPDATE SET key = excluded.key, stamp = excluded.stamp, document_id = excluded.document_id, version = excluded.version`,
			p.name, p.key, p.stamp, p.id, n)
	}
	if err != nil {
		return 0, fmt.Errorf("stage %s: %w", p.name, db.Explain(err))
	}
	s.files++
	s.bytes += p.bytes + 4*len(p.text)
	if s.files >= stageFiles || s.bytes >= stageBytes || time.Since(s.since) >= stageTime {
		return n, s.commit()
	}
	return n, nil
}

func (s *stage) version(ctx context.Context, p *prepared, old *version) (n int, err error) {
	if old != nil && old.hash == p.hash {
		return old.number, nil
	}
	if p.known != nil {
		return p.known.version, nil
	}
	err = s.tx.QueryRowContext(ctx, `SELECT number FROM versions WHERE document_id = $1 AND hash = $2 ORDER BY number DESC LIMIT 1`, p.id, p.hash).Scan(&n)
	if !errors.Is(err, sql.ErrNoRows) {
		return n, err
	}
	return s.insert(ctx, p)
}

func (s *stage) insert(ctx context.Context, p *prepared) (n int, err error) {
	original := hash(string(p.original))
	meta, err1 := json.Marshal(p.doc.Meta)
	warnings, err2 := json.Marshal(p.warnings)
	if err := errors.Join(err1, err2); err != nil {
		return 0, err
	}
	if _, err := s.tx.ExecContext(ctx, `INSERT INTO documents (id, title) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`, p.id, p.title); err != nil {
		return 0, err
	}
	if err := s.tx.QueryRowContext(ctx, `SELECT COALESCE(MAX(number), 0) + 1 FROM versions WHERE document_id = $1`, p.id).Scan(&n); err != nil {
		return 0, err
	}
	p.doc.Version = strconv.Itoa(n)
	blob, err := pack(p.doc)
	if err != nil {
		return 0, err
	}
	if _, err := s.tx.ExecContext(ctx, `INSERT INTO originals (hash, size, body) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING`,
		original, len(p.original), p.original); err != nil {
		return 0, err
	}
	_, err = s.tx.ExecContext(ctx, `INSERT INTO versions (document_id, number, hash, title, file, format, original, source, parsed, meta, warnings,
		clauses, document, created_at, created_by, issue_no) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)`,
		p.id, n, p.hash, p.title, p.name, p.format, original, p.text, string(p.parsed), string(meta), string(warnings),
		len(p.doc.Clauses), blob, stamp(s.l.o.Now()), s.l.o.Who, p.doc.Meta.Number)
	if err != nil {
		return 0, err
	}
	return n, s.clauses(ctx, p, n)
}

func (s *stage) clauses(ctx context.Context, p *prepared, version int) error {
	q, err := s.tx.PrepareContext(ctx, `INSERT INTO clauses (document_id, version, position, clause_id, label, hash, embedded) VALUES ($1, $2, $3, $4, $5, $6, $7)`)
	if err != nil {
		return err
	}
	defer q.Close()
	for i := range p.doc.Clauses {
		c := &p.doc.Clauses[i]
		if _, err := q.ExecContext(ctx, p.id, version, i, c.ID, c.Label, clauseHash(c), embeddedHash(&p.doc, c)); err != nil {
			return err
		}
	}
	return nil
}

// commit keeps what was staged.
func (s *stage) commit() error {
	if s.tx == nil {
		return nil
	}
	err := s.tx.Commit()
	s.tx = nil
	if err != nil {
		return fmt.Errorf("stage: %w", db.Explain(err))
	}
	return nil
}

func (s *stage) rollback() {
	if s.tx != nil {
		s.tx.Rollback()
		s.tx = nil
	}
}

// sweep deletes versions that were staged and that no file leads to any more,
// and originals that no version was made of.
func (l *Library) sweep(ctx context.Context) error {
	const orphans = `published_at IS NULL AND NOT EXISTS
		(SELECT 1 FROM files f WHERE f.document_id = versions.document_id AND f.version = versions.number)`
	var n int
	if err := l.db.QueryRowContext(ctx, `SELECT count(*) FROM versions WHERE `+orphans).Scan(&n); err != nil || n == 0 {
		return db.Explain(err)
	}
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return db.Explain(err)
	}
	defer tx.Rollback()
	for _, q := range []string{
		`DELETE FROM versions WHERE ` + orphans,
		`DELETE FROM documents WHERE active IS NULL AND NOT EXISTS (SELECT 1 FROM versions v WHERE v.document_id = documents.id)`,
		`DELETE FROM originals WHERE NOT EXISTS (SELECT 1 FROM versions v WHERE v.original = originals.hash)`,
	} {
		if _, err := tx.ExecContext(ctx, q); err != nil {
			return db.Explain(err)
		}
	}
	return db.Explain(tx.Commit())
}

// target is a version to publish.
type target struct {
	id, title string
	version   int
}

// publish makes the targets the active versions, all in one transaction, and
// returns the generation after it.
func (l *Library) publish(ctx context.Context, targets []target) (g int64, err error) {
	if len(targets) == 0 {
		return l.Generation(ctx)
	}
	err = l.change(ctx, func(tx *sql.Tx) error {
		for _, t := range targets {
			if err := l.activate(ctx, tx, "publish", t.id, t.version); err != nil {
				return err
			}
		}
		g, err = generation(ctx, tx)
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("publish: %w", err)
	}
	return g, nil
}

// change runs f in a transaction that counts as one publication.
func (l *Library) change(ctx context.Context, f func(*sql.Tx) error) error {
	tx, err := l.db.BeginTx(ctx, nil)
	if err != nil {
		return db.Explain(err)
	}
	defer tx.Rollback()
	if _, err := tx.ExecContext(ctx, `UPDATE library SET generation = generation + 1`); err != nil {
		return db.Explain(err)
	}
	if err := f(tx); err != nil {
		return db.Explain(err)
	}
	return db.Explain(tx.Commit())
}

// activate points a document at a version, 0 for none, and writes the audit
// line.
func (l *Library) activate(ctx context.Context, tx *sql.Tx, action, id string, version int) error {
	now := stamp(l.o.Now())
	var previous sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT active FROM documents WHERE id = $1`, id).Scan(&previous); err != nil {
		return err
	}
	next := sql.NullInt64{Int64: int64(version), Valid: version > 0}
	if _, err := tx.ExecContext(ctx, `UPDATE versions SET published_at = COALESCE(published_at, $1) WHERE document_id = $2 AND number = $3`, now, id, version); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `UPDATE documents SET active = $1, title = COALESCE((SELECT title FROM versions WHERE document_id = $2 AND number = $1), title) WHERE id = $2`, next, id); err != nil {
		return err
	}
	_, err := tx.ExecContext(ctx, `INSERT INTO audit (seq, at, who, action, document_id, title, version, previous, hash, original, file)
		SELECT (SELECT COALESCE(MAX(seq), 0) + 1 FROM audit), $1, $2, $3, v.document_id, v.title, $4, $5, v.hash, v.original, v.file
		FROM versions v WHERE v.document_id = $6 AND v.number = COALESCE($4, $5)`,
		now, l.o.Who, action, next, previous, id)
	return err
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }
