package main

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestMessages compares messages.txt with what the sources ask for, and the
// values of the two languages with each other.
func TestMessages(t *testing.T) {
	sources, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range sources {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		code.Write(b)
	}
	used := make(map[string]bool)
	for _, m := range regexp.MustCompile(`"([a-z]+\.[a-z0-9_]+)"`).FindAllStringSubmatch(code.String(), -1) {
		used[m[1]] = true
	}
	verb := regexp.MustCompile(`%(\[\d+\])?[-+.\d]*[a-z]`)
	for key, m := range messages() {
		if prefix, _, _ := strings.Cut(key, "."); !used[strings.TrimSuffix(key, "_do")] && !used[key] && !strings.Contains(code.String(), `"`+prefix+`."`) {
			t.Errorf("%s is not used", key)
		}
		zh, en := verb.FindAllString(m[chinese], -1), verb.FindAllString(m[english], -1)
		slices.Sort(zh)
		slices.Sort(en)
		bare := func(s []string) []string { // messages for errors may leave a value out
			for i := range s {
				s[i] = regexp.MustCompile(`\[\d+\]`).ReplaceAllString(s[i], "")
			}
			slices.Sort(s)
			return s
		}
		if !slices.Equal(bare(zh), bare(en)) && !explained(key) {
			t.Errorf("%s: values %q and %q", key, zh, en)
		}
	}
	for key := range used {
		prefix, _, _ := strings.Cut(key, ".")
		for other := range messages() {
			if p, _, _ := strings.Cut(other, "."); p == prefix {
				if _, ok := messages()[key]; !ok && !strings.Contains(key, ".go") {
					t.Errorf("%s is not in messages.txt", key)
				}
				break
			}
		}
	}
}

// explained reports whether a message is that of a known error, which may name
// its text or the folder or neither.
func explained(key string) bool {
	return slices.ContainsFunc(known, func(k struct {
		err  error
		code int
		key  string
	}) bool {
		return k.key == key
	})
}
