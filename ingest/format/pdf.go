package format

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"sort"
	"strings"
	"time"

	"github.com/ledongthuc/pdf"
)

// readPDF reads a PDF through pdftotext, or through the built-in reader when
// there is none or it fails.
func readPDF(ctx context.Context, b []byte, o Options) (Text, error) {
	timeout := o.Timeout
	if timeout <= 0 {
		timeout = time.Minute
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	var t Text
	var pages []string
	var err error
	if o.PDFToText != "" {
		t.Reader = "pdftotext"
		pages, err = poppler(ctx, b, o.PDFToText)
	} else {
		t.Reader = "ledongthuc/pdf"
		t.Warnings = append(t.Warnings, Warning{"pdf_reader", "未找到 pdftotext,改用内置的 PDF 阅读器:版面、表格和个别标点可能不准,建议安装 poppler-utils 后重新入库"})
		pages, err = builtin(ctx, b)
	}
	if err != nil {
		return Text{}, err
	}
	n := 0
	for _, p := range pages {
		n += visible(p)
	}
	if n < 8*len(pages) || n == 0 {
		return Text{}, ErrScanned
	}
	if n < 60*len(pages) {
		t.Warnings = append(t.Warnings, Warning{"little_text", fmt.Sprintf("%d 页只有 %d 个字,其中可能有扫描的页,需要先做文字识别(OCR)", len(pages), n)})
	}
	l := layout{pages: pages}
	t.Body = l.text()
	t.Dropped = l.dropped
	return t, nil
}

// maxPDFText bounds what is taken from one PDF.
const maxPDFText = 64 << 20

// poppler runs pdftotext on b and returns its pages.
func poppler(ctx context.Context, b []byte, path string) ([]string, error) {
	cmd := exec.CommandContext(ctx, path, "-layout", "-enc", "UTF-8", "-", "-")
	cmd.Stdin = bytes.NewReader(b)
	cmd.WaitDelay = time.Second
	out, errOut := &capped{max: maxPDFText}, &capped{max: 4096}
	cmd.Stdout, cmd.Stderr = out, errOut
	err := cmd.Run()
	switch msg := errOut.String(); {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w: 读取 PDF 超时: %w", ErrDamaged, ctx.Err())
	case strings.Contains(msg, "Incorrect password"), strings.Contains(msg, "Copying of text"):
		return nil, ErrEncrypted
	case err != nil && errors.Is(err, exec.ErrNotFound):
		return nil, fmt.Errorf("运行 pdftotext: %w", err)
	case err != nil:
		first, _, _ := strings.Cut(strings.TrimSpace(msg), "\n")
		return nil, fmt.Errorf("%w: PDF 打不开: %s", ErrDamaged, first)
	}
	s := strings.TrimSuffix(strings.ToValidUTF8(out.String(), "\ufffd"), "\f")
	return strings.Split(s, "\f"), nil
}

// capped is a buffer that keeps the first max bytes and refuses the rest.
type capped struct {
	bytes.Buffer
	max int
}

func (c *capped) Write(p []byte) (int, error) {
	if c.Len()+len(p) > c.max {
		return 0, errors.New("too much output")
	}
	return c.Buffer.Write(p)
}

// builtin reads b with the Go reader, which can panic and can loop.
func builtin(ctx context.Context, b []byte) ([]string, error) {
	type result struct {
		pages []string
		err   error
	}
	done := make(chan result, 1)
	go func() {
		var r result
		defer func() {
			if p := recover(); p != nil {
				r = result{nil, fmt.Errorf("%w: PDF 打不开: %v", ErrDamaged, p)}
			}
			done <- r
		}()
		r.pages, r.err = pagesOf(ctx, b)
	}()
	select {
	case r := <-done:
		return r.pages, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%w: 读取 PDF 超时: %w", ErrDamaged, ctx.Err())
	}
}

func pagesOf(ctx context.Context, b []byte) ([]string, error) {
	r, err := pdf.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		if errors.Is(err, pdf.ErrInvalidPassword) || strings.Contains(err.Error(), "encrypt") {
			return nil, ErrEncrypted
		}
		return nil, fmt.Errorf("%w: PDF 打不开: %w", ErrDamaged, err)
	}
	var pages []string
	for i := 1; i <= r.NumPage() && ctx.Err() == nil; i++ {
		p := r.Page(i)
		if p.V.IsNull() {
			pages = append(pages, "")
			continue
		}
		pages = append(pages, arrange(glyphsOf(p)))
	}
	return pages, ctx.Err()
}

// arrange sets the glyphs of a page as lines, two columns to the width of a
// Chinese character, as pdftotext -layout does.
func arrange(glyphs []glyph) string {
	sort.SliceStable(glyphs, func(i, j int) bool { return glyphs[i].y > glyphs[j].y })
	var rows [][]glyph
	for _, g := range glyphs {
		if strings.TrimSpace(g.s) == "" {
			continue
		}
		if n := len(rows); n > 0 && rows[n-1][0].y-g.y < max(g.size, 4)*0.45 {
			rows[n-1] = append(rows[n-1], g)
		} else {
			rows = append(rows, []glyph{g})
		}
	}
	left := leftEdge(rows)
	var b strings.Builder
	for i, row := range rows {
		sort.SliceStable(row, func(i, j int) bool { return row[i].x < row[j].x })
		size := max(row[0].size, 4)
		if i > 0 && rows[i-1][0].y-row[0].y > size*2.6 {
			b.WriteByte('\n')
		}
		end, last := left, rune(0)
		for k, g := range row {
			gap := (g.x - end) / (size / 2)
			if k == 0 && gap > 0.8 || gap > 1.5 {
				b.WriteString(strings.Repeat(" ", min(int(gap+0.5), 200)))
			} else if k > 0 && gap > 0.45 && !(wide(lastRune(g.s)) && wide(last)) {
				b.WriteByte(' ')
			}
			b.WriteString(g.s)
			last = lastRune(g.s)
			w := g.w
			if w <= 0 || w > size*3 {
				w = size * float64(displayWidth(g.s)) / 2
			}
			end = g.x + w
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func leftEdge(rows [][]glyph) float64 {
	left := 1e9
	for _, row := range rows {
		for _, g := range row {
			left = min(left, g.x)
		}
	}
	return left
}
