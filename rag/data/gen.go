//go:build ignore

// Gen writes dict.txt.gz, the dictionary of package rag, from the simplified
// Chinese dictionary inside the gse module that go.mod names. The result
// depends on nothing else and is the same byte for byte on every run.
//
//	go generate ./rag
package main

import (
	"bufio"
	"bytes"
	"cmp"
	"compress/gzip"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

type word struct {
	text string
	freq int
}

func main() {
	log.SetFlags(0)
	size := flag.Int("n", 20000, "number of words, the most frequent first")
	out := flag.String("o", "data/dict.txt.gz", "output file")
	flag.Parse()

	dir, err := exec.Command("go", "list", "-mod=mod", "-m", "-f", "{{.Dir}}", "github.com/go-ego/gse").Output()
	if err != nil {
		log.Fatalf("find gse: %v", err)
	}
	words, err := read(filepath.Join(strings.TrimSpace(string(dir)), "data/dict/zh/s_1.txt"))
	if err != nil {
		log.Fatal(err)
	}
	slices.SortFunc(words, func(a, b word) int {
		return cmp.Or(b.freq-a.freq, strings.Compare(a.text, b.text))
	})
	words = words[:min(*size, len(words))]

	var packed bytes.Buffer
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	for _, w := range words {
		fmt.Fprintf(z, "%s %d\n", w.text, w.freq)
	}
	if err := z.Close(); err != nil {
		log.Fatal(err)
	}
	if err := os.WriteFile(*out, packed.Bytes(), 0o644); err != nil {
		log.Fatal(err)
	}
	log.Printf("%s: %d words of frequency %d and more, %d bytes", *out, len(words), words[len(words)-1].freq, packed.Len())
}

// read keeps the words of two characters and more that are Chinese throughout:
// gse cuts single characters, numbers and Latin words without a dictionary,
// and a word with punctuation in it would be a token with punctuation in it.
func read(name string) ([]word, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var words []word
	for s := bufio.NewScanner(f); s.Scan(); {
		fields := strings.Fields(s.Text())
		if len(fields) < 2 || utf8.RuneCountInString(fields[0]) < 2 ||
			strings.ContainsFunc(fields[0], func(r rune) bool { return !unicode.Is(unicode.Han, r) }) {
			continue
		}
		freq, err := strconv.Atoi(fields[1])
		if err != nil {
			return nil, fmt.Errorf("%s: frequency of %q: %w", name, fields[0], err)
		}
		words = append(words, word{fields[0], freq})
	}
	return words, nil
}
