package ingest

import (
	"errors"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"
)

func TestDecode(t *testing.T) {
	const text = "第一条　为了发展〇，制定本办法。\r\n"
	gb, err := simplifiedchinese.GB18030.NewEncoder().String(text)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, in, want string
		err            error
	}{
		{"utf-8", text, text, nil},
		{"byte-order mark", "\xef\xbb\xbf" + text, text, nil},
		{"gb18030", gb, text, nil},
		{"utf-16", "\xff\xfe\x2c\x7b\x00\x4e", "第一", nil},
		{"empty", "", "", ErrEmpty},
		{"blank", " \r\n\u3000\t\ufeff", "", ErrEmpty},
		{"mark only", "\xef\xbb\xbf", "", ErrEmpty},
		{"nul", "第一条\x00", "", ErrBinary},
		{"picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR", "", ErrBinary},
		{"neither", "\xff\xff\xff\xff\x80", "", ErrBinary},
	} {
		got, err := Decode([]byte(c.in))
		if got != c.want || !errors.Is(err, c.err) {
			t.Errorf("%s: %q, %v", c.name, got, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("\xb5\xda\xd2\xbb\xcc\xf5"))
	f.Add([]byte("第一条"))
	f.Fuzz(func(t *testing.T, b []byte) {
		s, err := Decode(b)
		if (err == nil) != (s != "") {
			t.Fatalf("%q, %v", s, err)
		}
	})
}
