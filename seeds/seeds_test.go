package seeds_test

import (
	"context"
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"zhengda/bot/kpi"
	"zhengda/ingest"
	"zhengda/internal/eval"
	"zhengda/internal/zh"
	"zhengda/rag"
	"zhengda/rag/embed"
	"zhengda/seeds"
)

// counting is the built-in embedder; it counts what it is given.
type counting struct {
	*embed.Model
	texts int
}

func (c *counting) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	c.texts += len(texts)
	return c.Model.Embed(ctx, texts)
}

// published are the documents as a fresh library gives them.
func published(t *testing.T) []rag.Document {
	t.Helper()
	lib, err := ingest.Open(t.TempDir(), ingest.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer lib.Close()
	if _, err := lib.Seed(t.Context(), seeds.Documents()); err != nil {
		t.Fatal(err)
	}
	docs, _, err := lib.Active(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

// TestVectors shows that the first start computes no vector.
func TestVectors(t *testing.T) {
	model, err := embed.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	e := &counting{Model: model}
	dir := t.TempDir()
	x, err := rag.Build(t.Context(), published(t), rag.Options{Embedder: e, Cache: rag.OpenVectors(dir, seeds.Vectors())})
	if err != nil {
		t.Fatal(err)
	}
	if x.Embedder() != model.Name() || e.texts != 0 {
		t.Errorf("embedder %q computed %d vectors; want %q and none: go generate ./seeds makes them", x.Embedder(), e.texts, model.Name())
	}
	if written, _ := filepath.Glob(filepath.Join(dir, "*")); len(written) > 0 {
		t.Errorf("written: %v", written)
	}
}

// TestDocument compares the document as it is published with its gold parse.
func TestDocument(t *testing.T) {
	docs := published(t)
	if len(docs) != 1 || docs[0].Title != seeds.Title || len(docs[0].Chapters) != 8 || len(docs[0].Clauses) != 29 {
		t.Fatalf("%d documents, first %q", len(docs), docs[0].Title)
	}
	b, err := os.ReadFile(filepath.Join("..", "..", "shared", "data", "qa", "structure.json"))
	if err != nil {
		t.Skip("no gold parse beside the repository")
	}
	var gold struct {
		Clauses []struct {
			Number int
			Text   string
		}
	}
	if err := json.Unmarshal(b, &gold); err != nil {
		t.Fatal(err)
	}
	for i, g := range gold.Clauses {
		if c := docs[0].Clauses[i+2]; c.Number != g.Number || zh.Squeeze(c.Text) != zh.Squeeze(g.Text) {
			t.Errorf("clause %d is %d %s; want %s", g.Number, c.Number, c.Text, g.Text)
		}
	}
}

func TestIndicators(t *testing.T) {
	inds, err := seeds.Indicators()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range published(t) {
		var problems []string
		if inds, problems = kpi.Bind(d, inds); len(problems) > 0 {
			t.Errorf("%q", problems)
		}
	}
	for _, i := range inds {
		if i.ClauseID == "" || len(i.Aliases) == 0 {
			t.Errorf("%s: clause %q, aliases %q", i.Code, i.ClauseID, i.Aliases)
		}
	}
}

func TestQuestions(t *testing.T) {
	for name, want := range map[string]int{seeds.QuestionSets[0]: 96, seeds.QuestionSets[1]: 54} {
		b, err := fs.ReadFile(seeds.FS(), name)
		if err != nil {
			t.Fatal(err)
		}
		cases, err := eval.Read(strings.NewReader(string(b)))
		if err != nil || len(cases) != want {
			t.Errorf("%s: %d cases, %v; want %d", name, len(cases), err, want)
		}
	}
}
