// Package format reads files as text: plain text, Markdown, HTML, DOCX and
// PDF. It keeps what a reader of the document sees, in reading order, one
// paragraph or table row a line, and lists what it leaves out.
package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"strings"
	"time"
)

// Errors that say why a file is no document. Read wraps them.
var (
	ErrUnsupported = errors.New("不支持的文件格式")
	ErrEncrypted   = errors.New("文件有密码,请取消密码后再入库")
	ErrScanned     = errors.New("PDF 里没有文字(扫描件),需要先做文字识别(OCR)")
	ErrErrorPage   = errors.New("这是错误页或登录页,不是文件正文")
	ErrDamaged     = errors.New("文件损坏")
)

// Text is a file as text.
type Text struct {
	Format string // txt, md, html, docx, pdf
	// Reader names the program that read it, where there is a choice.
	Reader string
	Body   string
	// Title and the rest are what the file says of itself outside its text;
	// empty when it does not.
	Title, Issuer, Number, Published, URL string
	// Dropped lists what is not in Body: navigation, running heads, deleted
	// text, hidden text.
	Dropped []string
	// Warnings tell what the reader of the document should know.
	Warnings []Warning
}

// Warning is something found while reading.
type Warning struct{ Kind, Text string }

// Options are what reading needs from outside.
type Options struct {
	// Decode turns bytes of unknown encoding into text.
	Decode func([]byte) (string, error)
	// PDFToText is the path of poppler's pdftotext; empty: the built-in reader.
	PDFToText string
	// Timeout bounds the reading of one PDF; 60 s when 0.
	Timeout time.Duration
}

// kinds maps the endings of file names to formats.
var kinds = map[string]string{
	".txt": "txt", ".text": "txt", ".md": "md", ".markdown": "md",
	".html": "html", ".htm": "html", ".xhtml": "html", ".shtml": "html",
	".docx": "docx", ".docm": "docx", ".pdf": "pdf",
	// Known, so that Read can say what to do with them.
	".doc": "doc", ".wps": "doc", ".rtf": "rtf", ".ofd": "ofd",
}

// Known reports whether the name ends as a document does.
func Known(name string) bool { return kinds[ext(name)] != "" }

// IsArchive reports whether the name ends as an archive of documents does.
func IsArchive(name string) bool { return ext(name) == ".zip" }

func ext(name string) string { return strings.ToLower(path.Ext(name)) }

// Read reads the file of that name. What the bytes are counts more than how
// the name ends. Errors wrap those of this package or of o.Decode.
func Read(ctx context.Context, name string, b []byte, o Options) (Text, error) {
	kind := sniff(name, b)
	var t Text
	var err error
	switch kind {
	case "docx":
		t, err = readDOCX(b)
	case "pdf":
		t, err = readPDF(ctx, b, o)
	case "doc":
		err = legacy(b)
	case "zip", "rtf", "ofd", "image":
		err = fmt.Errorf("%w: %s", ErrUnsupported, kind)
	default:
		var s string
		if s, err = o.Decode(b); err != nil {
			break
		}
		switch kind {
		case "html":
			t, err = readHTML(s)
		case "md":
			t = readMarkdown(s)
		default:
			t = Text{Body: s}
		}
	}
	if err != nil {
		return Text{}, err
	}
	t.Format = kind
	if kind != "docx" && kind != "pdf" {
		if phrase := errorPage(t.Title, t.Body); phrase != "" {
			return Text{}, fmt.Errorf("%w(%s)", ErrErrorPage, phrase)
		}
	}
	return t, nil
}

// sniff names the format of b.
func sniff(name string, b []byte) string {
	kind := kinds[ext(name)]
	head := b[:min(len(b), 1024)]
	switch {
	case bytes.Contains(head, []byte("%PDF-")):
		return "pdf"
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		if kind == "docx" || bytes.Contains(b[:min(len(b), 1<<16)], []byte("word/")) {
			return "docx"
		}
		if kind == "ofd" {
			return "ofd"
		}
		return "zip"
	case bytes.HasPrefix(b, []byte("\xd0\xcf\x11\xe0")):
		return "doc"
	case bytes.HasPrefix(b, []byte(`{\rtf`)):
		return "rtf"
	case bytes.HasPrefix(b, []byte("\x89PNG")), bytes.HasPrefix(b, []byte("\xff\xd8\xff")), bytes.HasPrefix(b, []byte("GIF8")):
		return "image"
	}
	low := bytes.ToLower(bytes.TrimLeft(head, "\ufeff \t\r\n"))
	if bytes.HasPrefix(low, []byte("<!doctype html")) || bytes.HasPrefix(low, []byte("<html")) {
		return "html"
	}
	switch kind {
	case "html", "md":
		return kind
	case "docx", "pdf":
		return kind // and the reader will say that it is damaged
	}
	return "txt"
}

// legacy says what a file in the old Office container is.
func legacy(b []byte) error {
	if bytes.Contains(b, utf16le("EncryptedPackage")) {
		return ErrEncrypted
	}
	return fmt.Errorf("%w: 旧版 .doc/.wps,请另存为 .docx 后再入库", ErrUnsupported)
}

func utf16le(s string) []byte {
	var b []byte
	for _, r := range s {
		b = append(b, byte(r), byte(r>>8))
	}
	return b
}
