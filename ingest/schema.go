package ingest

import (
	"bytes"
	"encoding/gob"
	"fmt"

	"zhengda/rag"
)

// schema is the library's part of the database. A version is staged while
// published_at is NULL; the active version of a document is a pointer. The long
// columns come last, so that the others are read without them.
var schema = []string{`
CREATE TABLE library (generation INTEGER NOT NULL);
INSERT INTO library (generation) VALUES (0);
CREATE TABLE documents (
	id TEXT PRIMARY KEY, title TEXT NOT NULL, active INTEGER);
CREATE TABLE originals (
	hash TEXT PRIMARY KEY, size INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE versions (
	document_id TEXT NOT NULL REFERENCES documents (id), number INTEGER NOT NULL,
	hash TEXT NOT NULL, title TEXT NOT NULL, issue_no TEXT NOT NULL, clauses INTEGER NOT NULL, published_at TEXT,
	created_at TEXT NOT NULL, created_by TEXT NOT NULL, file TEXT NOT NULL, format TEXT NOT NULL,
	original TEXT NOT NULL REFERENCES originals (hash), meta TEXT NOT NULL, warnings TEXT NOT NULL,
	document BLOB NOT NULL, parsed TEXT NOT NULL, source TEXT NOT NULL,
	PRIMARY KEY (document_id, number));
CREATE INDEX versions_staged ON versions (document_id, number) WHERE published_at IS NULL;
CREATE INDEX versions_issue_no ON versions (issue_no) WHERE issue_no <> '';
CREATE INDEX versions_original ON versions (original);
CREATE TABLE clauses (
	document_id TEXT NOT NULL, version INTEGER NOT NULL, position INTEGER NOT NULL,
	clause_id TEXT NOT NULL, label TEXT NOT NULL, hash TEXT NOT NULL, embedded TEXT NOT NULL,
	PRIMARY KEY (document_id, version, position),
	FOREIGN KEY (document_id, version) REFERENCES versions (document_id, number) ON DELETE CASCADE);
CREATE TABLE files (
	path TEXT PRIMARY KEY, key TEXT NOT NULL, stamp TEXT NOT NULL, document_id TEXT NOT NULL, version INTEGER NOT NULL);
CREATE INDEX files_version ON files (document_id, version);
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY, at TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
	document_id TEXT NOT NULL, title TEXT NOT NULL, version INTEGER, previous INTEGER,
	hash TEXT NOT NULL, original TEXT NOT NULL, file TEXT NOT NULL);
`}

// pack and unpack turn a document into the form that Active reads quickly.
func pack(d rag.Document) ([]byte, error) {
	var b bytes.Buffer
	if err := gob.NewEncoder(&b).Encode(d); err != nil {
		return nil, fmt.Errorf("pack %s: %w", d.ID, err)
	}
	return b.Bytes(), nil
}

func unpack(b []byte) (d rag.Document, err error) {
	if err := gob.NewDecoder(bytes.NewReader(b)).Decode(&d); err != nil {
		return d, fmt.Errorf("unpack document: %w", err)
	}
	return d, nil
}
