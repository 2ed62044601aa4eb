package main

import (
	"io"
	"strings"
	"testing"
	"time"
)

// BenchmarkAsk is one question from opening the data folder to closing it,
// without the start of the process.
func BenchmarkAsk(b *testing.B) {
	dir := b.TempDir()
	env := map[string]string{"ZHENGDA_DATA": dir}
	ask := func() {
		a := &app{in: strings.NewReader(""), out: io.Discard, err: io.Discard, getenv: func(k string) string { return env[k] }, now: time.Now}
		if code := a.run(b.Context(), []string{"ask", "先投后股有哪些支持?"}); code != 0 {
			b.Fatalf("exit code %d", code)
		}
	}
	ask()
	for b.Loop() {
		ask()
	}
}
