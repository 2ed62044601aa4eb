package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/simplifiedchinese"
	utf16 "golang.org/x/text/encoding/unicode"
)

// Errors of Decode.
var (
	// ErrEmpty says that the input holds no visible character.
	ErrEmpty = errors.New("文件没有文字 (no text)")
	// ErrBinary says that the input is no text in a known encoding.
	ErrBinary = errors.New("不是文本文件 (not a text file)")
)

// Decode turns the bytes of a text file into a string without byte-order
// mark. It knows UTF-8, UTF-16 with a mark, and GB18030; no guess is made
// where GB18030 would need replacement characters. The error is ErrEmpty or
// ErrBinary, wrapped.
func Decode(b []byte) (string, error) {
	s, err := decode(b)
	if err != nil {
		return "", fmt.Errorf("decode %d bytes: %w", len(b), err)
	}
	if strings.IndexFunc(s, visible) < 0 {
		return "", fmt.Errorf("decode %d bytes: %w", len(b), ErrEmpty)
	}
	return s, nil
}

func decode(b []byte) (string, error) {
	switch {
	case bytes.HasPrefix(b, []byte{0xEF, 0xBB, 0xBF}):
		b = b[3:]
	case bytes.HasPrefix(b, []byte{0xFF, 0xFE}), bytes.HasPrefix(b, []byte{0xFE, 0xFF}):
		return decodeWith(utf16.UTF16(utf16.LittleEndian, utf16.UseBOM), b)
	}
	if !utf8.Valid(b) {
		return decodeWith(simplifiedchinese.GB18030, b)
	}
	if binary(b) {
		return "", ErrBinary
	}
	return string(b), nil
}

func decodeWith(e encoding.Encoding, b []byte) (string, error) {
	d, err := e.NewDecoder().Bytes(b)
	if err != nil || bytes.ContainsRune(d, utf8.RuneError) || binary(d) {
		return "", ErrBinary
	}
	return string(d), nil
}

// binary reports whether UTF-8 text holds a NUL, or control characters in
// more than one of a hundred places.
func binary(b []byte) bool {
	controls := 0
	for _, c := range b {
		switch {
		case c == 0:
			return true
		case c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != '\v':
			controls++
		}
	}
	return controls*100 > len(b)
}

// visible reports whether r leaves ink on paper: neither white space nor a
// control character nor one of zero width.
func visible(r rune) bool {
	return !unicode.IsSpace(r) && !unicode.IsControl(r) && !(r >= 0x200b && r <= 0x200f) && r != 0x2060 && r != 0xfeff
}
