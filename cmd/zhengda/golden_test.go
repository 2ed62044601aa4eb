package main

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files of eval anew")

// TestEvalSeeds fails when answers to the questions of the seeds get worse than
// the golden file says. -update accepts the figures as they are.
func TestEvalSeeds(t *testing.T) {
	golden(t, "seeds.golden", t.TempDir())
}

// TestEvalCorpus does so for questions over many documents.
func TestEvalCorpus(t *testing.T) {
	if testing.Short() {
		t.Skip("embeds thirty documents")
	}
	shared := filepath.Join("..", "..", "..", "shared", "data")
	if _, err := os.Stat(shared); err != nil {
		t.Skip("no question sets beside the repository")
	}
	golden(t, "corpus.golden", t.TempDir(), "--with", filepath.Join(shared, "policies"), filepath.Join(shared, "corpus_qa", "dev.jsonl"))
}

// golden runs eval on a fixed day and compares its tables with those of a file.
func golden(t *testing.T, name, dir string, args ...string) {
	t.Helper()
	var out, errs bytes.Buffer
	env := map[string]string{"ZHENGDA_DATA": dir}
	a := &app{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(k string) string { return env[k] },
		now: func() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }}
	if code := a.run(t.Context(), append([]string{"eval"}, args...)); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	file := filepath.Join("..", "..", "internal", "eval", "testdata", name)
	got := strings.ReplaceAll(out.String(), filepath.Join("..", "..", "..", "shared", "data")+string(filepath.Separator), "")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, have := figures(string(b)), figures(got)
	worse := false
	for key, floor := range want {
		if have[key] < floor {
			worse = true
			t.Errorf("%s fell from %v to %v", key, floor, have[key])
		}
	}
	if worse {
		t.Logf("now:\n%s", got)
	} else if got != string(b) {
		t.Logf("the figures differ from %s and none fell; -update writes them:\n%s", name, got)
	}
}

// figures reads tables: "set type column" → figure, for the columns that must
// not fall.
func figures(text string) map[string]float64 {
	m := make(map[string]float64)
	var set string
	var columns []string
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		switch {
		case len(f) == 1:
			set = f[0]
		case len(f) > 0 && f[0] == "type":
			columns = f
		case len(f) == len(columns):
			for i, c := range columns {
				if x, err := strconv.ParseFloat(f[i], 64); err == nil && (c == "ok" || f[0] == "ALL" && c != "chars") {
					m[set+" "+f[0]+" "+c] = x
				}
			}
		}
	}
	return m
}
