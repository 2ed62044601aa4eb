// Package ingest turns files into published versions of documents.
//
// A file becomes text with its layout (package ingest/format), the text becomes
// clauses (Parse), the clauses are compared with the version that is active
// (Compare), and one transaction makes the new version the active one. Readers
// of a Library see the old version or the new one, whole, whatever happens to
// the process that publishes.
package ingest
