// Vectors writes seeds/vectors: the vectors that the built-in embedder gives
// the texts of an index over the documents of package seeds. It is run by
// go generate in the folder seeds.
package main

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"zhengda/ingest"
	"zhengda/rag"
	"zhengda/rag/embed"
	"zhengda/seeds"
)

func main() {
	log.SetFlags(0)
	if err := run(context.Background(), "vectors"); err != nil {
		log.Fatal(err)
	}
}

// run writes the folder dir anew.
func run(ctx context.Context, dir string) error {
	old, err := filepath.Glob(filepath.Join(dir, "*.vectors"))
	if err != nil {
		return err
	}
	for _, name := range old {
		if err := os.Remove(name); err != nil {
			return err
		}
	}
	tmp, err := os.MkdirTemp("", "seeds")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tmp)
	lib, err := ingest.Open(tmp, ingest.Options{})
	if err != nil {
		return err
	}
	defer lib.Close()
	if _, err := lib.Seed(ctx, seeds.Documents()); err != nil {
		return err
	}
	docs, _, err := lib.Active(ctx)
	if err != nil {
		return err
	}
	model, err := embed.Builtin()
	if err != nil {
		return err
	}
	cache := rag.OpenVectors(dir)
	defer cache.Close()
	total := 0
	x, err := rag.Build(ctx, docs, rag.Options{Embedder: model, Cache: cache, Progress: func(_, n int) { total = n }})
	if err != nil {
		return err
	}
	if err := x.Health(); err != nil {
		return err
	}
	fmt.Printf("%d texts of %d documents, embedder %s\n", total, len(docs), model.Name())
	return nil
}
