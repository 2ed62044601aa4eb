package main

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"
	"unicode"
)

// tongue is the language of what the program says.
type tongue int

const (
	english tongue = iota
	chinese
)

// localeTongue is the language of the locale.
func localeTongue(getenv func(string) string) tongue {
	for _, name := range []string{"LC_ALL", "LC_MESSAGES", "LANG"} {
		if v := getenv(name); v != "" {
			if strings.HasPrefix(strings.ToLower(v), "zh") {
				return chinese
			}
			return english
		}
	}
	return english
}

// questionTongue is chinese for a question in Chinese, else that of the
// locale.
func (a *app) questionTongue(question string) tongue {
	if strings.ContainsFunc(question, func(r rune) bool { return unicode.Is(unicode.Han, r) }) {
		return chinese
	}
	return a.tongue
}

// messages.txt has a key, the Chinese and the English text on each line,
// separated by tabs; \n in a text is a line break.
//
//go:embed messages.txt
var messageText string

var messages = sync.OnceValue(func() map[string][2]string {
	m := make(map[string][2]string)
	for line := range strings.Lines(messageText) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(strings.ReplaceAll(line, `\n`, "\n"), "\t")
		if len(f) != 3 {
			panic("messages.txt: want three columns: " + line)
		}
		m[f[0]] = [2]string{english: f[2], chinese: f[1]}
	}
	return m
})

// say returns the message of that key with its values.
func (t tongue) say(key string, values ...any) string {
	m, ok := messages()[key]
	if !ok {
		return key
	}
	if !strings.Contains(m[t], "%") {
		return m[t]
	}
	return fmt.Sprintf(m[t], values...)
}

// say returns a message in the language of the run.
func (a *app) say(key string, values ...any) string { return a.tongue.say(key, values...) }

// note writes a message to standard error.
func (a *app) note(key string, values ...any) { fmt.Fprintln(a.err, a.say(key, values...)) }
