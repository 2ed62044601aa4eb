package format

import (
	"context"
	"os"
	"os/exec"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// decode stands for ingest.Decode.
func decode(b []byte) (string, error) {
	if utf8.Valid(b) {
		return strings.TrimPrefix(string(b), "\ufeff"), nil
	}
	d, err := simplifiedchinese.GB18030.NewDecoder().Bytes(b)
	return string(d), err
}

func read(t *testing.T, name, pdftotext string) Text {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Read(context.Background(), name, b, Options{Decode: decode, PDFToText: pdftotext})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// The first document reads the same from every format, white space aside.
func TestSeedFormats(t *testing.T) {
	const dir = "../testdata/seed/"
	want := squeeze(read(t, dir+"seed.txt", "").Body)
	poppler, _ := exec.LookPath("pdftotext")
	for _, name := range []string{"seed.gb.txt", "seed.md", "seed.html", "seed.docx", "seed.lo.docx", "seed.pdf", "seed.pdf pdftotext"} {
		t.Run(name, func(t *testing.T) {
			file, with, _ := strings.Cut(name, " ")
			if with != "" {
				if poppler == "" {
					t.Skip("no pdftotext")
				}
				with = poppler
			}
			got := squeeze(read(t, dir+file, with).Body)
			if got != want {
				t.Errorf("differs at: %s", firstDifference(got, want))
			}
		})
	}
}

func firstDifference(got, want string) string {
	g, w := []rune(got), []rune(want)
	i := 0
	for i < len(g) && i < len(w) && g[i] == w[i] {
		i++
	}
	return string(g[max(0, i-20):min(len(g), i+40)]) + "\nwant: " + string(w[max(0, i-20):min(len(w), i+40)])
}
