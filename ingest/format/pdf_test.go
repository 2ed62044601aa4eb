package format

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"
)

// A PDF of pictures needs OCR, one with a password is refused, whichever
// reader is there. locked.pdf is made by qpdf --encrypt.
func TestPDFRefused(t *testing.T) {
	poppler, _ := exec.LookPath("pdftotext")
	for name, want := range map[string]error{"testdata/scanned.pdf": ErrScanned, "testdata/locked.pdf": ErrEncrypted} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, with := range []string{"", poppler} {
			if _, err := Read(context.Background(), name, b, Options{Decode: decode, PDFToText: with}); !errors.Is(err, want) {
				t.Errorf("%s by %q: %v, want %v", name, with, err, want)
			}
		}
	}
}

// Lines become paragraphs: a full line goes on in the next, a short or an
// indented one does not; a number that a line happens to begin with is none
// of the document's; running heads and page numbers go, rows become cells.
func TestLayout(t *testing.T) {
	page := func(n, lines string) string {
		return "              测试市管理办法汇编\n\n" + lines + "\n                    - " + n + " -\n"
	}
	l := layout{pages: []string{
		page("1", "                       测试市管理办法\n\n    第一条   为了规范管理工作，支持企业发展，根据有关法律法规，结合本市\n实际情况，制定本办法，对符合条件的每家企业每年给予的补助最多不超过\n2.5 万元，从\n"),
		page("2", "资金总额为 300 万元，由市财政统筹安排，并且每年按照项目进展情况拨付，其中\n1.2 亿元用于 A 类项目。\n    第二条   本办法适用于本市行政区域。\n"),
		page("3", "    第三条   标准如下：\n\n   类别          金额          条件\n   甲类          50 万元       通过认定\n"),
	}}
	const want = `测试市管理办法
第一条　为了规范管理工作，支持企业发展，根据有关法律法规，结合本市实际情况，制定本办法，对符合条件的每家企业每年给予的补助最多不超过2.5万元，从
资金总额为300万元，由市财政统筹安排，并且每年按照项目进展情况拨付，其中1.2亿元用于A类项目。
第二条　本办法适用于本市行政区域。
第三条　标准如下：
类别	金额	条件
甲类	50万元	通过认定
`
	if got := l.text(); got != want {
		t.Errorf("got:\n%s", got)
	}
	if got := strings.Join(l.dropped, "|"); got != "测试市管理办法汇编|- 1 -|测试市管理办法汇编|- 2 -|测试市管理办法汇编|- 3 -" {
		t.Errorf("dropped: %s", got)
	}
}
