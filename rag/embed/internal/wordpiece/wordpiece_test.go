package wordpiece

import (
	"os"
	"strings"
	"testing"
	"unicode/utf8"
)

func load(t testing.TB) (*Tokenizer, []string) {
	t.Helper()
	b, err := os.ReadFile("../../model/vocab.txt")
	if err != nil {
		t.Fatal(err)
	}
	w, err := New(string(b))
	if err != nil {
		t.Fatal(err)
	}
	return w, strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
}

// cut returns the pieces of text, separated by spaces.
func cut(w *Tokenizer, entries []string, text string) string {
	var pieces []string
	for _, id := range w.Tokens(text) {
		pieces = append(pieces, entries[id])
	}
	return strings.Join(pieces, " ")
}

func TestTokens(t *testing.T) {
	w, entries := load(t)
	for text, want := range map[string]string{
		"":                       "",
		"  \n\t":                 "",
		"先投后股":                   "先 投 后 股",
		"第17条,5.2%":              "第 17 条 , 5 . 2 %",
		"embedding":              "em ##be ##dd ##ing",
		"GDP":                    "[UNK]", // case is the caller's
		"r&d":                    "r & d",
		"a\u200bb\x00c":          "abc", // control and format characters vanish
		"甲“乙”":                   "甲 [UNK] 乙 [UNK]",
		"[CLS]":                  "[ [UNK] ]",
		"龘":                      "[UNK]",
		strings.Repeat("a", 101): "[UNK]",
		"\xff甲\ufffd":            "甲",
		"かな":                     "か ##な",
	} {
		if got := cut(w, entries, text); got != want {
			t.Errorf("%q: %s, want %s", text, got, want)
		}
	}
}

func TestNewRefuses(t *testing.T) {
	for _, v := range []string{"", "[CLS]\n[SEP]\n", "甲\n乙"} {
		if _, err := New(v); err == nil {
			t.Errorf("vocabulary %q is accepted", v)
		}
	}
}

func FuzzTokens(f *testing.F) {
	w, entries := load(f)
	for _, s := range []string{"先投后股 17条", "embedding“", "\xff\x00", strings.Repeat("龘a", 60)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ids := w.Tokens(s)
		if n := utf8.RuneCountInString(s); len(ids) > n {
			t.Errorf("%d pieces of %d characters", len(ids), n)
		}
		rest := s
		for _, id := range ids {
			if id == w.UNK {
				return // what was there is not known
			}
			piece := strings.TrimPrefix(entries[id], "##")
			for _, r := range piece {
				i := strings.IndexRune(rest, r)
				if i < 0 {
					t.Fatalf("piece %s is not in the text, or out of order", piece)
				}
				rest = rest[i+utf8.RuneLen(r):]
			}
		}
	})
}
