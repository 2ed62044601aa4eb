package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"zhengda/bot"
	"zhengda/bot/kpi"
	"zhengda/ingest"
	"zhengda/internal/db"
	"zhengda/rag"
	"zhengda/rag/embed"
)

func main() {
	var docs []rag.Document
	for i, f := range os.Args[2:] {
		raw, _ := os.ReadFile(f)
		text, err := ingest.Decode(raw)
		if err != nil {
			panic(err)
		}
		p := ingest.Parse(text)
		d := p.Document(fmt.Sprintf("d%02d", i))
		d.Meta.Source = filepath.Base(f)
		docs = append(docs, d)
	}
	var e embed.Embedder
	m, err := embed.Builtin()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		e = m
	}
	if os.Getenv("HASHED") != "" {
		e = embed.NewHashed(512)
	}
	t := time.Now()
	x, _, err := rag.Open(context.Background(), os.Args[1], docs, rag.Options{Embedder: e, Cache: rag.OpenVectors("/tmp/vec")})
	if err != nil {
		panic(err)
	}
	fmt.Fprintln(os.Stderr, "build", time.Since(t))
	os.Remove("/tmp/kpi.db")
	d, err := db.Open("/tmp/kpi.db")
	if err != nil {
		panic(err)
	}
	store, err := kpi.NewStore(context.Background(), d, time.Now)
	if err != nil {
		panic(err)
	}
	f, _ := os.Open("/work/main/seeds/kpis.csv")
	inds, err := kpi.ReadIndicators(f)
	if err != nil {
		panic(err)
	}
	f, _ = os.Open("/work/main/seeds/kpi_aliases.txt")
	if err := kpi.ReadAliases(f, inds); err != nil {
		panic(err)
	}
	inds, problems := kpi.Bind(docs[len(docs)-1], inds)
	fmt.Fprintln(os.Stderr, problems)
	if err := store.Put(context.Background(), inds...); err != nil {
		panic(err)
	}
	f, _ = os.Open("/work/shared/data/qa/kpi_actuals_dev.csv")
	if _, _, err := store.Import(context.Background(), f, "dev"); err != nil {
		panic(err)
	}
	tool := kpi.NewTool(store, store, time.Now)
	lex, err := bot.NewLexicon(nil)
	if err != nil {
		panic(err)
	}
	b := bot.New(bot.Config{Index: func() *rag.Index { return x }, Lexicon: lex, KPI: tool})
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		var a bot.Ask
		json.Unmarshal(in.Bytes(), &a)
		ans, err := b.Ask(context.Background(), a)
		if err != nil {
			panic(err)
		}
		json.NewEncoder(os.Stdout).Encode(ans)
		for _, p := range b.Verify(a, ans) {
			fmt.Fprintln(os.Stderr, a.ID, p)
		}
	}
}
