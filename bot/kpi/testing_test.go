package kpi

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"zhengda/rag"
)

// plan2024 is the first document as clauses, from testdata/plan2024.json.
func plan2024(t testing.TB) rag.Document {
	t.Helper()
	b, err := os.ReadFile("testdata/plan2024.json")
	if err != nil {
		t.Fatal(err)
	}
	var in struct {
		Title   string
		Year    int
		Clauses []rag.Clause
	}
	if err := json.Unmarshal(b, &in); err != nil {
		t.Fatal(err)
	}
	doc := rag.Document{ID: "plan2024", Title: in.Title, Meta: rag.Meta{Year: in.Year}, Clauses: in.Clauses}
	for i := range doc.Clauses {
		c := &doc.Clauses[i]
		c.Document, c.ID = doc.ID, fmt.Sprintf("%s#%d", doc.ID, c.Number)
		if c.Number == 0 {
			c.ID = doc.ID + "#" + c.Label
		}
	}
	return doc
}

// shared is a path below ../shared/data, seen from the repository; the test
// is skipped where it does not exist.
func shared(t testing.TB, path string) string {
	t.Helper()
	p := filepath.Join(root(t), "..", "shared", "data", path)
	if _, err := os.Stat(p); err != nil {
		t.Skip("no shared data")
	}
	return p
}

// root is the folder of go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}
