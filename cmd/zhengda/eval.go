package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/spf13/cobra"

	"zhengda/ingest"
	"zhengda/internal/eval"
	"zhengda/rag"
	"zhengda/seeds"
)

// evaluation is one run of the command eval.
type evaluation struct {
	a       *app
	json    bool
	reasons bool
	model   bool // beside the built-in answers
	beir    string
	fresh   bool     // in a folder of its own
	with    []string // ingested into that
	actuals string   // imported into that
	record  string   // file for the answers
	doc     string   // that gold_clauses count in
}

func (a *app) evalCommand() *cobra.Command {
	e := &evaluation{a: a}
	c := &cobra.Command{
		Use: "eval [FILE.jsonl...]", Short: a.say("cmd.eval"), Long: a.say("long.eval"),
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case e.beir != "" && len(args) > 0:
				return usage("err.beir_files")
			case e.beir != "" && e.model:
				return usage("err.beir_model")
			case e.beir != "":
				return e.retrieval(cmd.Context())
			}
			return e.run(cmd.Context(), args)
		},
	}
	f := c.Flags()
	f.BoolVar(&e.json, "json", false, a.say("flag.json"))
	f.BoolVar(&e.reasons, "reasons", false, a.say("flag.reasons"))
	f.BoolVar(&e.model, "model", false, a.say("flag.model"))
	f.StringVar(&e.beir, "beir", "", a.say("flag.beir"))
	f.BoolVar(&e.fresh, "fresh", false, a.say("flag.fresh"))
	f.StringArrayVar(&e.with, "with", nil, a.say("flag.with"))
	f.StringVar(&e.actuals, "actuals", "", a.say("flag.actuals"))
	f.StringVar(&e.record, "record", "", a.say("flag.record"))
	f.StringVar(&e.doc, "doc", "", a.say("flag.doc"))
	return c
}

// set is a question set.
type set struct {
	name  string
	cases []eval.Case
}

// run answers the question sets of the files, without files those of the
// seeds, and shows how the answers do.
func (e *evaluation) run(ctx context.Context, files []string) error {
	sets, err := readSets(files)
	if err != nil {
		return err
	}
	a := *e.a
	if len(files) == 0 || e.fresh || len(e.with) > 0 || e.actuals != "" {
		dir, err := os.MkdirTemp("", "zhengda-eval-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		if err := e.furnish(ctx, dir, len(files) == 0); err != nil {
			return err
		}
		a.data, a.own = dir, e.a.folder()
	}
	s, err := a.answerer(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if s.empty() {
		return errEmpty
	}
	corpus, err := e.corpus(ctx, s, sets)
	if err != nil {
		return err
	}
	var plain *answerer
	if e.model {
		if plain, err = s.builtin(); err != nil {
			return err
		}
	}
	results := make(map[string]outcome)
	var recorded bytes.Buffer
	for _, set := range sets {
		replies, err := s.answers(ctx, set.cases)
		if err != nil {
			return err
		}
		out := json.NewEncoder(&recorded)
		out.SetEscapeHTML(false)
		for _, r := range replies {
			if err := out.Encode(r); err != nil {
				return err
			}
		}
		if plain == nil {
			r := eval.Score(set.cases, replies, corpus)
			results[set.name] = outcome{r, r.Failed}
			continue
		}
		without, err := plain.answers(ctx, set.cases)
		if err != nil {
			return err
		}
		c := eval.Compare(set.cases, without, replies, corpus)
		results[set.name] = outcome{c, c.Model.Failed}
	}
	s.unwell()
	if e.record != "" {
		if err := os.WriteFile(e.record, recorded.Bytes(), 0o644); err != nil {
			return failed("err.file", e.record, err)
		}
	}
	return e.show(sets, results)
}

// readSets reads files, or the sets of the seeds when there are none.
func readSets(files []string) (sets []set, err error) {
	read := func(fsys fs.FS, name string) error {
		var b []byte
		if fsys != nil {
			b, err = fs.ReadFile(fsys, name)
		} else {
			b, err = os.ReadFile(name)
		}
		if err != nil {
			return usage("err.file", name, err)
		}
		cases, err := eval.Read(bytes.NewReader(b))
		if err != nil {
			return usage("err.file", name, err.Error())
		}
		sets = append(sets, set{name, cases})
		return nil
	}
	for _, name := range files {
		if err := read(nil, name); err != nil {
			return nil, err
		}
	}
	if len(files) > 0 {
		return sets, nil
	}
	for _, name := range seeds.QuestionSets {
		if err := read(seeds.FS(), name); err != nil {
			return nil, err
		}
	}
	return sets, nil
}

// furnish fills a folder of its own: the seeds, what is to be ingested beside
// them, and actual values, for the sets of the seeds those that belong to them.
// Vectors are kept in the user's folder.
func (e *evaluation) furnish(ctx context.Context, dir string, own bool) error {
	quiet := *e.a
	quiet.data, quiet.err = dir, io.Discard
	h, err := quiet.open(ctx)
	if err != nil {
		return err
	}
	defer h.close()
	h.vectors = rag.OpenVectors(filepath.Join(e.a.folder(), "vectors"), seeds.Vectors())
	if len(e.with) > 0 {
		r, err := h.lib.Ingest(ctx, e.with, ingest.IngestOptions{})
		if err != nil {
			return err
		}
		for _, d := range r.Documents {
			if d.Status == ingest.Failed {
				return usage("ingest.failed", d.File, d.Error)
			}
		}
	}
	quiet.err = e.a.err // the index may take its time
	if _, _, err := h.index(ctx); err != nil {
		return err
	}
	var figures io.Reader
	switch {
	case e.actuals != "":
		f, err := os.Open(e.actuals)
		if err != nil {
			return usage("err.file", e.actuals, err)
		}
		defer f.Close()
		figures = f
	case own:
		f, err := seeds.FS().Open(seeds.Actuals)
		if err != nil {
			return err
		}
		defer f.Close()
		figures = f
	default:
		return nil
	}
	if _, _, err := h.store.Import(ctx, figures, "eval"); err != nil {
		return usage("err.file", e.actuals, err)
	}
	return nil
}

// corpus is what answers to the sets are judged against.
func (e *evaluation) corpus(ctx context.Context, s *answerer, sets []set) (*eval.Corpus, error) {
	k := new(eval.Corpus)
	numbers, texts := false, false
	for _, set := range sets {
		for _, c := range set.cases {
			numbers = numbers || c.Gold == nil
			texts = texts || c.Gold != nil
		}
	}
	docs := s.index().Documents()
	if texts {
		for _, d := range docs {
			v, err := s.h.lib.Show(ctx, d.ID, "")
			if err != nil {
				return nil, err
			}
			k.AddSource(v.Source)
		}
	}
	if !numbers {
		return k, nil
	}
	id := docs[0].ID
	switch {
	case e.doc != "":
		entry, err := s.h.lib.Find(ctx, e.doc)
		if err != nil {
			return nil, err
		}
		id = entry.ID
	case len(docs) > 1:
		entry, err := s.h.lib.Find(ctx, seeds.Title)
		if err != nil {
			return nil, usage("err.eval_doc")
		}
		id = entry.ID
	}
	d, ok := s.index().Document(id)
	if !ok {
		return nil, usage("err.eval_doc")
	}
	k.Paper = eval.PaperOf(d)
	return k, nil
}

// answers answers cases, several at a time, in order.
func (s *answerer) answers(ctx context.Context, cases []eval.Case) ([]eval.Reply, error) {
	replies := make([]eval.Reply, len(cases))
	next := make(chan int)
	var group sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		group.Go(func() {
			for i := range next {
				answer, err := s.ask(ctx, cases[i].Ask())
				answer.ID = cases[i].ID
				replies[i] = eval.Reply{Answer: answer}
				if err != nil {
					replies[i].Error = err.Error()
				}
			}
		})
	}
	for i := range cases {
		next <- i
	}
	close(next)
	group.Wait()
	return replies, ctx.Err()
}

// outcome are the figures of one set, and the cases that failed.
type outcome struct {
	fmt.Stringer
	failed []eval.Failure
}

// MarshalJSON implements json.Marshaler.
func (o outcome) MarshalJSON() ([]byte, error) { return json.Marshal(o.Stringer) }

// show writes the figures: of one set alone, or of several by name.
func (e *evaluation) show(sets []set, results map[string]outcome) error {
	if e.json {
		if len(sets) == 1 {
			return e.a.json(results[sets[0].name])
		}
		return e.a.json(map[string]any{"sets": results})
	}
	for i, set := range sets {
		if i > 0 {
			fmt.Fprintln(e.a.out)
		}
		r := results[set.name]
		fmt.Fprintf(e.a.out, "%s\n%s", set.name, r)
		for _, f := range r.failed {
			if e.reasons {
				fmt.Fprintf(e.a.out, "failed %s %s\n", f.ID, clip(fmt.Sprint(f.Why), 400))
			}
		}
	}
	return nil
}

// retrieval measures search alone.
func (e *evaluation) retrieval(ctx context.Context) error {
	h := &house{a: e.a, dir: e.a.folder()}
	defer func() {
		if h.vectors != nil {
			h.vectors.Close()
		}
	}()
	model, err := h.embedder()
	if err != nil {
		return err
	}
	bar := e.a.bar("progress.embed")
	r, err := rag.Beir(ctx, e.beir, rag.Options{Embedder: model, Cache: h.cache(), Progress: bar.show})
	bar.done()
	if err != nil {
		return usage("err.beir", e.beir, err.Error())
	}
	if e.json {
		return e.a.json(r)
	}
	rows := [][]string{{"", "R@1", "R@5", "R@10", "R@20", "R@100", "MRR@10", "nDCG@10", "p50 ms", "p95 ms"}}
	add := func(name string, x rag.Ranking, t *rag.Percentiles) {
		row := []string{name}
		for _, k := range []string{"1", "5", "10", "20", "100"} {
			row = append(row, fmt.Sprintf("%.3f", x.Recall[k]))
		}
		row = append(row, fmt.Sprintf("%.3f", x.MRR), fmt.Sprintf("%.3f", x.NDCG))
		if t == nil {
			row = append(row, "", "")
		} else {
			row = append(row, fmt.Sprintf("%.2f", t.P50), fmt.Sprintf("%.2f", t.P95))
		}
		rows = append(rows, row)
	}
	add("fused", r.Ranking, &r.Milliseconds)
	var legs []string
	for name := range r.Legs {
		legs = append(legs, name)
	}
	slices.Sort(legs)
	for _, name := range legs {
		add(name, r.Legs[name].Ranking, r.Legs[name].Milliseconds)
	}
	e.a.screen().table(rows, 1, 2, 3, 4, 5, 6, 7, 8, 9)
	fmt.Fprintln(e.a.out, e.a.say("eval.beir", r.Clauses, r.Queries, r.Embedder, r.BuildSeconds, r.LexicalSeconds))
	return nil
}
