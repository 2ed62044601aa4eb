package ingest

import (
	"archive/zip"
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const goodRule = "测试市好办法\n\n第一条 为了测试，制定本办法。\n\n第二条 本办法适用于本市。\n\n第三条 本办法自2024年1月1日起施行。\n"

// zipOf makes an archive of names and contents.
func zipOf(t *testing.T, files ...string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Every bad file is named with what is wrong with it; the good one beside it
// is published; nothing else is.
func TestBadInput(t *testing.T) {
	word := zipOf(t, "[Content_Types].xml", "<Types/>", "word/document.xml", "<w:document><w:body><w:p><w:r><w:t>半截")
	cases := []struct{ name, body, want string }{
		{"空.txt", " \n\n\t", "没有文字"},
		{"二进制.txt", "\x00\x01\x02\x7fELF\x00\x00", "不是文本"},
		{"坏.docx", string(word), "word/document.xml"},
		{"不是.docx", "不是 DOCX", "DOCX 打不开"},
		{"旧.doc", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600), "另存为 .docx"},
		{"加密.docx", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + strings.Repeat("\x00", 600) + "E\x00n\x00c\x00r\x00y\x00p\x00t\x00e\x00d\x00P\x00a\x00c\x00k\x00a\x00g\x00e\x00", "密码"},
		{"坏.pdf", "%PDF-1.4\nnothing here", "PDF"},
		{"找不到.html", "<html><head><title>404 Not Found</title></head><body><h1>404 Not Found</h1><hr>nginx</body></html>", "错误页"},
		{"登录.html", "<html><body><form>用户名<input><input type=password></form><p>统一身份认证平台</p></body></html>", "登录"},
		{"坏.zip", "PK\x03\x04 broken", "压缩包"},
		{"炸弹.zip", string(zipOf(t, "a.txt", strings.Repeat("零", 6<<20))), "炸弹"},
		{"越界.zip", string(zipOf(t, "../../etc/a.txt", goodRule)), "越出"},
		{"套娃.zip", string(zipOf(t, "b.zip", "PK")), "压缩包里的压缩包"},
	}
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	for _, c := range cases {
		write(t, dir, "in/"+c.name, c.body)
	}
	write(t, dir, "in/好.txt", goodRule)
	write(t, dir, "in/图.jpg", "\xff\xd8\xff")
	big, err := os.Create(filepath.Join(dir, "in", "大.txt"))
	if err != nil {
		t.Fatal(err)
	}
	if err := big.Truncate(500 << 20); err != nil {
		t.Fatal(err)
	}
	big.Close()
	if err := os.Symlink("环", filepath.Join(dir, "in", "环")); err != nil {
		t.Skip("no symbolic links")
	}
	if err := os.Symlink("..", filepath.Join(dir, "in", "回头")); err != nil {
		t.Fatal(err)
	}
	r, err := l.Ingest(context.Background(), []string{filepath.Join(dir, "in")}, IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	errors := map[string]string{}
	for _, d := range r.Documents {
		name, _, _ := strings.Cut(d.File, "!")
		errors[filepath.Base(name)] = d.Error
	}
	cases = append(cases, struct{ name, body, want string }{"大.txt", "", "文件太大(500 MB)"}, struct{ name, body, want string }{"环", "", "符号链接成环"},
		struct{ name, body, want string }{"回头", "", "符号链接成环"})
	for _, c := range cases {
		if !strings.Contains(errors[c.name], c.want) {
			t.Errorf("%s: %q, want %q", c.name, errors[c.name], c.want)
		}
	}
	if e := errors["好.txt"]; e != "" || r.Added != 1 || len(active(t, l)) != 1 {
		t.Errorf("the good file: %q, %d added", e, r.Added)
	}
	if r.Failed != len(cases) {
		t.Errorf("%d failed, want %d", r.Failed, len(cases))
	}
	if len(r.Skipped) != 1 || filepath.Base(r.Skipped[0]) != "图.jpg" {
		t.Errorf("skipped: %v", r.Skipped)
	}
}

// A path that is not there fails by name.
func TestMissingPath(t *testing.T) {
	l := open(t, t.TempDir())
	r, err := l.Ingest(context.Background(), []string{"没有.txt", filepath.Join(seedDir, "seed.txt")}, IngestOptions{})
	if err != nil || r.Failed != 1 || r.Added != 1 || r.Documents[0].Error != "文件不存在" {
		t.Errorf("%+v %v", r, err)
	}
}

// A file that is written to while it is read is not taken as it is.
func TestChangingFile(t *testing.T) {
	p := write(t, t.TempDir(), "a.txt", strings.Repeat(goodRule, 1000))
	if _, err := readStable(p, 1<<20); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	done := make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				f, err := os.OpenFile(p, os.O_APPEND|os.O_WRONLY, 0)
				if err != nil {
					t.Error(err)
					return
				}
				f.WriteString("再来一行\n")
				f.Close()
			}
		}
	}()
	changing := false
	for range 200 {
		if _, err := readStable(p, 64<<20); err != nil && strings.Contains(err.Error(), "变化") {
			changing = true
			break
		}
	}
	close(stop)
	<-done
	if !changing {
		t.Skip("the file never changed between two looks")
	}
}

// Names in an archive made on Chinese Windows are in GB18030.
func TestArchiveNames(t *testing.T) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	w, err := z.CreateHeader(&zip.FileHeader{Name: "\xb9\xe6\xb6\xa8.txt", NonUTF8: true, Method: zip.Deflate})
	if err != nil {
		t.Fatal(err)
	}
	w.Write([]byte(goodRule))
	z.Close()
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	r := ingestOK(t, l, IngestOptions{}, write(t, dir, "a.zip", b.String()))
	if !strings.HasSuffix(r.Documents[0].File, "a.zip!规定.txt") {
		t.Errorf("file: %s", r.Documents[0].File)
	}
}

// Watch publishes what comes into a folder, and what changes there, once it
// has come to rest.
func TestWatch(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	in := filepath.Join(dir, "in")
	write(t, dir, "in/a.txt", goodRule)
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	reports := make(chan Report, 8)
	done := make(chan error)
	go func() {
		done <- l.Watch(ctx, []string{in}, WatchOptions{Interval: 10 * time.Millisecond, Report: func(r Report, err error) {
			if err != nil {
				t.Error(err)
			}
			reports <- r
		}})
	}()
	next := func(what string) Report {
		select {
		case r := <-reports:
			return r
		case <-ctx.Done():
			t.Fatalf("no report of %s", what)
			return Report{}
		}
	}
	if r := next("what was there"); r.Added != 1 {
		t.Errorf("%+v", r)
	}
	write(t, dir, "in/b.txt", strings.Replace(goodRule, "好办法", "又一办法", 1))
	if r := next("a new file"); r.Added != 1 || len(r.Documents) != 1 {
		t.Errorf("%+v", r)
	}
	write(t, dir, "in/a.txt", strings.Replace(goodRule, "适用于本市", "适用于全省", 1))
	if r := next("a changed file"); r.Changed != 1 {
		t.Errorf("%+v", r)
	}
	cancel()
	if err := <-done; err != context.Canceled {
		t.Error(err)
	}
}
