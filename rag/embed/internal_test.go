package embed

import (
	"bufio"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"zhengda/rag/embed/internal/wordpiece"
)

// TestTokensMatchOriginal compares with the Python tokenizers library.
func TestTokensMatchOriginal(t *testing.T) {
	words, err := wordpiece.New(builtinVocabulary)
	if err != nil {
		t.Fatal(err)
	}
	texts, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	golden, err := os.Open("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer golden.Close()
	lines := bufio.NewScanner(golden)
	for text := range strings.SplitSeq(strings.TrimSuffix(string(texts), "\n"), "\n") {
		if !lines.Scan() {
			t.Fatal("golden.jsonl has fewer lines than golden.txt")
		}
		var want struct{ Tokens []int32 }
		if err := json.Unmarshal(lines.Bytes(), &want); err != nil {
			t.Fatal(err)
		}
		got := append([]int32{words.CLS}, words.Tokens(Fold(text))...)
		if got = append(got, words.SEP); !slices.Equal(got, want.Tokens) {
			t.Errorf("%s:\n got %d\nwant %d", text, got, want.Tokens)
		}
	}
}

func TestWindows(t *testing.T) {
	for _, n := range []int{0, 1, window, window + 1, 2*window - overlap, 2*window - overlap + 1, 5000} {
		tokens := make([]int32, n)
		for i := range tokens {
			tokens[i] = int32(i)
		}
		all := windows(tokens)
		end := 0 // the first token not yet covered
		for i, w := range all {
			if len(w) > window || n > window && len(w) < window {
				t.Errorf("%d tokens: window %d has %d", n, i, len(w))
			}
			if i > 0 && end-int(w[0]) < overlap {
				t.Errorf("%d tokens: windows %d and %d share %d", n, i-1, i, end-int(w[0]))
			}
			if len(w) > 0 {
				end = int(w[len(w)-1]) + 1
			}
		}
		if end != n {
			t.Errorf("%d tokens: the windows end at %d", n, end)
		}
		if most := 1 + max(0, n-overlap)/(window-overlap); len(all) > most {
			t.Errorf("%d tokens: %d windows, at most %d are needed", n, len(all), most)
		}
	}
}

// TestSourceNamesFiles checks that SOURCE.md describes the files beside it.
func TestSourceNamesFiles(t *testing.T) {
	source, err := os.ReadFile("model/SOURCE.md")
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string]string{"weights.bin": builtinWeights, "vocab.txt": builtinVocabulary} {
		line := fmt.Sprintf("| `%s` | %d bytes, SHA-256 `%x` |", name, len(data), sha256.Sum256([]byte(data)))
		if !strings.Contains(string(source), line) {
			t.Errorf("SOURCE.md lacks %s", line)
		}
	}
	if size := len(builtinWeights) + len(builtinVocabulary); size > 26e6 {
		t.Errorf("the model has %d bytes", size)
	}
}

func TestFold(t *testing.T) {
	for in, want := range map[string]string{
		"ＧＤＰ　８％":      "gdp 8%",
		"“甲”‘乙’":      `"甲"'乙'`,
		"①ﬁ㎡":         "1fim2",
		"《条例》—〔2019〕": "《条例》-〔2019〕",
	} {
		if got := Fold(in); got != want {
			t.Errorf("Fold(%q) = %q, want %q", in, got, want)
		}
	}
}
