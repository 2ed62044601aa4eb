package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

var (
	consoleRE = regexp.MustCompile("(?s)```console\n(.*?)```")
	wordsRE   = regexp.MustCompile(`"([^"]*)"|(\S+)`)
	inlineRE  = regexp.MustCompile("`(zhengda|make) ([a-z-]+)[^`]*`")
)

// TestReadme runs what the READMEs show: each console command prints what
// stands below it, and every other command and make target named exists.
func TestReadme(t *testing.T) {
	makefile, err := os.ReadFile(filepath.Join("..", "..", "Makefile"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "README.zh.md"} {
		t.Run(name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("..", "..", name))
			if err != nil {
				t.Fatal(err)
			}
			dir := t.TempDir()
			blocks := consoleRE.FindAllStringSubmatch(string(text), -1)
			if len(blocks) == 0 {
				t.Error("no examples")
			}
			for _, b := range blocks {
				for _, c := range strings.Split("\n"+b[1], "\n$ ")[1:] {
					line, want, _ := strings.Cut(c, "\n")
					if got := console(t, dir, line); strings.TrimRight(got, "\n") != strings.TrimRight(want, "\n") {
						t.Errorf("%s\nprints\n%s\nnot\n%s", line, got, want)
					}
				}
			}
			for _, m := range inlineRE.FindAllStringSubmatch(string(text), -1) {
				if m[1] == "make" && !bytes.Contains(makefile, []byte("\n"+m[2]+":")) {
					t.Errorf("no make target %s", m[2])
				}
				if m[1] == "zhengda" && !strings.Contains(console(t, dir, "zhengda "+m[2]+" --help"), m[2]) {
					t.Errorf("no command %s", m[2])
				}
			}
		})
	}
}

// console runs one command line in this process and returns what it prints.
func console(t *testing.T, dir, line string) string {
	t.Helper()
	var args []string
	for _, m := range wordsRE.FindAllStringSubmatch(line, -1) {
		args = append(args, m[1]+m[2])
	}
	var out, errs bytes.Buffer
	env := map[string]string{"ZHENGDA_DATA": dir, "LC_ALL": "zh_CN.UTF-8", "USER": "王敏"}
	a := &app{in: strings.NewReader(""), out: &out, err: &errs, getenv: func(k string) string { return env[k] }, now: time.Now}
	if code := a.run(t.Context(), args[1:]); code != 0 {
		t.Errorf("%s: exit code %d: %s", line, code, errs.String())
	}
	return out.String()
}
