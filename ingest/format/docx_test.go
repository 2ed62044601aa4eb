package format

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

// docxOf makes a Word file of the parts of an archive; parts are without
// their XML declaration and without the declarations of names.
func docxOf(t testing.TB, files []txtar.File) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		if !strings.HasSuffix(f.Name, ".xml") {
			continue
		}
		w, err := z.Create(f.Name)
		if err != nil {
			t.Fatal(err)
		}
		w.Write([]byte(`<?xml version="1.0" encoding="UTF-8"?>` + "\n"))
		w.Write(bytes.TrimSpace(f.Data))
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each case of testdata is a file to be read, the text that comes of it, and
// what is left out of it; its comment says what it shows.
func TestCases(t *testing.T) {
	cases, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(cases) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			in := map[string][]byte{}
			name := ""
			for _, f := range a.Files {
				in[f.Name] = f.Data
				if strings.HasPrefix(f.Name, "in.") {
					name = f.Name
				}
			}
			body := in[name]
			if name == "" {
				name, body = "in.docx", docxOf(t, a.Files)
			}
			text, err := Read(context.Background(), name, body, Options{Decode: decode})
			if want, ok := in["error"]; ok {
				if err == nil || !strings.Contains(err.Error(), strings.TrimSpace(string(want))) {
					t.Fatalf("error %v, want %s", err, want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got, want := strings.TrimRight(text.Body, "\n"), strings.TrimRight(string(in["text"]), "\n"); got != want {
				t.Errorf("%s\ngot:\n%s\nwant:\n%s", a.Comment, got, want)
			}
			if got, want := strings.Join(text.Dropped, "\n"), strings.TrimSuffix(string(in["dropped"]), "\n"); got != want {
				t.Errorf("dropped:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// A damaged part fails by name; nothing panics.
func TestDamagedDOCX(t *testing.T) {
	whole := docxOf(t, []txtar.File{{Name: "word/document.xml", Data: []byte(`<w:document><w:body><w:p><w:r><w:t>好</w:t></w:r></w:p></w:body></w:document>`)},
		{Name: "word/numbering.xml", Data: []byte(`<w:numbering><w:num></w:numbering>`)}})
	if _, err := readDOCX(whole); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "numbering.xml") {
		t.Error(err)
	}
	for n := range whole {
		if _, err := readDOCX(whole[:n]); err == nil {
			t.Fatalf("%d of %d bytes were read", n, len(whole))
		}
	}
	if _, err := readDOCX(docxOf(t, nil)); !errors.Is(err, ErrDamaged) {
		t.Error(err)
	}
}

// FuzzDOCX: no document part makes the reader panic, and all text of runs is
// in the body or in what was left out.
func FuzzDOCX(f *testing.F) {
	cases, _ := filepath.Glob("testdata/docx_*.txtar")
	for _, path := range cases {
		if a, err := txtar.ParseFile(path); err == nil {
			for _, p := range a.Files {
				if p.Name == "word/document.xml" {
					f.Add(string(p.Data))
				}
			}
		}
	}
	numbering, err := os.ReadFile("testdata/docx_numbering.txtar")
	if err != nil {
		f.Fatal(err)
	}
	a := txtar.Parse(numbering)
	f.Fuzz(func(t *testing.T, document string) {
		files := slices.DeleteFunc(slices.Clone(a.Files), func(p txtar.File) bool { return p.Name == "word/document.xml" })
		readDOCX(docxOf(t, append(files, txtar.File{Name: "word/document.xml", Data: []byte(document)})))
	})
}
