package format

import (
	"context"
	"os"
	"strings"
	"testing"
)

// FuzzPages: no page or Markdown makes a reader panic, and reading the same
// twice gives the same.
func FuzzPages(f *testing.F) {
	for _, name := range []string{"testdata/html_page.txtar", "testdata/md.txtar", "../testdata/seed/seed.html"} {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(b))
	}
	f.Add("<table><tr><td rowspan=99 colspan=9999>a<td>b<tr><td>c<table><tr><td>d</table></table>")
	f.Add("<ol type=A start=-3><li value=x>a<ol><li>b</ol></ol>")
	f.Fuzz(func(t *testing.T, s string) {
		for _, name := range []string{"a.html", "a.md"} {
			a, err := Read(context.Background(), name, []byte(s), Options{Decode: decode})
			b, err2 := Read(context.Background(), name, []byte(s), Options{Decode: decode})
			if (err == nil) != (err2 == nil) || a.Body != b.Body {
				t.Errorf("%s: two readings differ", name)
			}
		}
	})
}

// FuzzLayout: setting lines back into paragraphs loses no visible character:
// each is in the text or in a line that was left out.
func FuzzLayout(f *testing.F) {
	f.Add("第一条 为了\n规范。\n    2\f    2\n第二条   甲      乙")
	f.Fuzz(func(t *testing.T, s string) {
		s = strings.ToValidUTF8(s, "?")
		l := layout{pages: strings.Split(s, "\f")}
		got := squeeze(l.text() + strings.Join(l.dropped, ""))
		if len([]rune(got)) != len([]rune(squeeze(s))) {
			t.Errorf("%q became %q", s, got)
		}
	})
}

// FuzzPDF: the built-in reader never panics and never hangs.
func FuzzPDF(f *testing.F) {
	b, err := os.ReadFile("../testdata/seed/seed.pdf")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b[:2000])
	f.Add([]byte("%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj 2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj 3 0 obj<</Type/Page/Contents 4 0 R>>endobj\ntrailer<</Root 1 0 R>>"))
	f.Fuzz(func(t *testing.T, b []byte) { builtin(context.Background(), b) })
}
