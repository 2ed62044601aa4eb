package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"zhengda": main})
}

// TestScripts runs the specification of the command line against the real
// main.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("ZHENGDA_DATA", filepath.Join(e.WorkDir, "data"))
			e.Setenv("LC_ALL", "zh_CN.UTF-8")
			e.Setenv("USER", "王敏")
			seed, err := filepath.Abs(filepath.Join("..", "..", "seeds", "西安市科学技术局2024年度科技创新工作要点.txt"))
			e.Setenv("SEED", seed)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":  exits,
			"json":   jsonField,
			"jsonl":  jsonLines,
			"repeat": repeat,
			"bytes":  rawBytes,
			"edit":   edit,
		},
	})
}

// exits is "exits CODE ARG...": zhengda with these arguments ends with that
// code, and without a stack trace.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec("zhengda", args[1:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	}
	if got := fmt.Sprint(code); got != args[0] {
		ts.Fatalf("exit code %s, want %s", got, args[0])
	}
	if strings.Contains(ts.ReadFile("stderr"), "goroutine ") {
		ts.Fatalf("stack trace")
	}
}

// jsonField is "json FILE PATH [VALUE]": the value at a path like
// citations.0.clause in the JSON of a file; without VALUE that there is one.
func jsonField(ts *testscript.TestScript, neg bool, args []string) {
	checkJSON(ts, neg, []byte(ts.ReadFile(args[0])), args[1:])
}

// jsonLines is "jsonl FILE LINE PATH [VALUE]", lines counted from 1, or "jsonl
// FILE COUNT".
func jsonLines(ts *testscript.TestScript, neg bool, args []string) {
	lines := strings.Split(strings.TrimRight(ts.ReadFile(args[0]), "\n"), "\n")
	var n int
	if _, err := fmt.Sscan(args[1], &n); err != nil {
		ts.Fatalf("%v", err)
	}
	if len(args) == 2 {
		if len(lines) != n {
			ts.Fatalf("%d lines, want %d", len(lines), n)
		}
		return
	}
	checkJSON(ts, neg, []byte(lines[n-1]), args[2:])
}

func checkJSON(ts *testscript.TestScript, neg bool, b []byte, args []string) {
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		ts.Fatalf("%v in %s", err, b)
	}
	found := true
	for _, k := range strings.Split(args[0], ".") {
		switch x := v.(type) {
		case map[string]any:
			v, found = x[k]
		case []any:
			var i int
			if _, err := fmt.Sscan(k, &i); err != nil || i >= len(x) {
				if k != "length" {
					found = false
					break
				}
				v = len(x)
				continue
			}
			v = x[i]
		default:
			found = false
		}
	}
	switch {
	case len(args) == 1 && found == neg:
		ts.Fatalf("%s found is %t in %s", args[0], found, b)
	case len(args) == 2 && (found && fmt.Sprint(v) == args[1]) == neg:
		ts.Fatalf("%s is %v in %s", args[0], v, b)
	}
}

// repeat is "repeat FILE N TEXT": a file that holds the text N times.
func repeat(ts *testscript.TestScript, _ bool, args []string) {
	var n int
	_, err := fmt.Sscan(args[1], &n)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(args[2], n)), 0o644))
}

// rawBytes is "bytes FILE HEX": a file of these bytes.
func rawBytes(ts *testscript.TestScript, _ bool, args []string) {
	var b []byte
	_, err := fmt.Sscanf(args[1], "%x", &b)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), b, 0o644))
}

// edit is "edit FILE OLD NEW": OLD, which stands there once, becomes NEW.
func edit(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if strings.Count(text, args[1]) != 1 {
		ts.Fatalf("%q stands %d times in %s", args[1], strings.Count(text, args[1]), args[0])
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Replace(text, args[1], args[2], 1)), 0o644))
}

// TestSourceSecret shows that a secret of a live source that cannot be one is
// named, not taken for one that is not set.
func TestSourceSecret(t *testing.T) {
	dir := t.TempDir()
	const config = "indicators: {gaoqi_total: {source: http, url: 'http://127.0.0.1:9/', value: v, as_of: d, header_env: {X-Key: ZHENGDA_SOURCE_KEY}}}"
	if err := os.WriteFile(filepath.Join(dir, sources), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	p := start(t, dir, strings.NewReader(""), "ZHENGDA_SOURCE_KEY=two\nlines", "kpi", "list")
	if code := <-p.code; code != exitUsage || !strings.Contains(p.err.String(), "ZHENGDA_SOURCE_KEY 里有控制字符") || strings.Contains(p.err.String(), "lines") {
		t.Errorf("exit code %d: %s", code, p.err.String())
	}
	if out := zhengda(t, dir, "ZHENGDA_SOURCE_KEY=one\n", "kpi", "list"); !strings.Contains(out, "gaoqi_total") {
		t.Error(out)
	}
}
