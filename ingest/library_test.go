package ingest

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"zhengda/internal/zh"
	"zhengda/rag"
)

const seedDir = "testdata/seed"

func open(t testing.TB, dir string) *Library {
	t.Helper()
	clock := time.Date(2024, 6, 1, 8, 0, 0, 0, time.UTC)
	poppler, _ := exec.LookPath("pdftotext")
	l, err := Open(dir, Options{Who: "tester", PDFToText: poppler, Now: func() time.Time { clock = clock.Add(time.Second); return clock }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// write puts a file into a new folder, under the name given.
func write(t testing.TB, dir, name, text string) string {
	t.Helper()
	p := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(p), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(p, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return p
}

// ingestOK ingests one file and fails the test when that fails.
func ingestOK(t testing.TB, l *Library, o IngestOptions, paths ...string) Report {
	t.Helper()
	r, err := l.Ingest(context.Background(), paths, o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Failed > 0 {
		t.Fatalf("failed: %+v", r.Documents)
	}
	return r
}

func active(t testing.TB, l *Library) []rag.Document {
	t.Helper()
	docs, _, err := l.Active(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return docs
}

func firstDocument(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(seedDir, "seed.txt"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Every format of the first document gives the same clauses: 27, and two
// paragraphs before them, equal in label, headings and text, white space
// aside.
func TestSeedInEveryFormat(t *testing.T) {
	l := open(t, t.TempDir())
	ingestOK(t, l, IngestOptions{}, filepath.Join(seedDir, "seed.txt"))
	want := active(t, l)[0]
	if n := numbered(want); n != 27 || len(want.Chapters) != 8 {
		t.Fatalf("%d clauses, %d chapters", n, len(want.Chapters))
	}
	for _, name := range []string{"seed.gb.txt", "seed.md", "seed.html", "seed.docx", "seed.lo.docx", "seed.pdf", "seed.zip", "builtin seed.pdf"} {
		t.Run(name, func(t *testing.T) {
			l := open(t, t.TempDir())
			name, builtin := strings.CutPrefix(name, "builtin ")
			if builtin {
				l.o.PDFToText = ""
			}
			r := ingestOK(t, l, IngestOptions{}, filepath.Join(seedDir, name))
			if builtin && !slices.ContainsFunc(r.Documents[0].Warnings, func(w ReportWarning) bool { return w.Kind == "pdf_reader" }) {
				t.Error("no word of the reader that was used")
			}
			got := active(t, l)[0]
			if got.ID != want.ID {
				t.Errorf("ID %s, want %s", got.ID, want.ID)
			}
			if len(got.Clauses) != len(want.Clauses) {
				t.Fatalf("%d clauses, want %d", len(got.Clauses), len(want.Clauses))
			}
			for i := range got.Clauses {
				g, w := got.Clauses[i], want.Clauses[i]
				if g.Label != w.Label || g.Title != w.Title || g.ID != w.ID || zh.Squeeze(strings.Join(g.Path, "/")) != zh.Squeeze(strings.Join(w.Path, "/")) {
					t.Errorf("clause %d is %s %q %v, want %s %q %v", i, g.ID, g.Title, g.Path, w.ID, w.Title, w.Path)
				}
				if zh.Squeeze(g.Text) != zh.Squeeze(w.Text) {
					t.Errorf("%s reads\n%s\nwant\n%s", w.Label, g.Text, w.Text)
				}
			}
		})
	}
}

func numbered(d rag.Document) (n int) {
	for _, c := range d.Clauses {
		if c.Number > 0 {
			n++
		}
	}
	return n
}

// One clause changed: the report names that clause alone, one text is new to
// the index, the new text is active, and rollback brings the old one back.
func TestOneClauseChanged(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	before := ingestOK(t, l, IngestOptions{}, write(t, dir, "要点.txt", firstDocument(t)))
	if d := before.Documents[0]; d.Status != Added || d.Embedded != 29 || d.Version != "1" || len(d.Clauses.Added) != 29 {
		t.Fatalf("added: %+v", d)
	}
	edited := strings.Replace(firstDocument(t), "全国重点实验室8家", "全国重点实验室10家", 1)
	file := write(t, dir, "要点.txt", edited)

	dry := ingestOK(t, l, IngestOptions{DryRun: true}, file)
	if d := dry.Documents[0]; d.Status != Changed || !slices.Equal(d.Clauses.Changed, []string{"第6条"}) {
		t.Errorf("dry run: %+v", d)
	}
	if g, _ := l.Generation(ctx); g != before.Generation {
		t.Error("the dry run published")
	}

	r := ingestOK(t, l, IngestOptions{}, file)
	d := r.Documents[0]
	if d.Status != Changed || d.Version != "2" || d.Previous != "1" || d.Embedded != 1 || d.Clauses.Unchanged != 28 ||
		!slices.Equal(d.Clauses.Changed, []string{"第6条"}) || len(d.Clauses.Added)+len(d.Clauses.Removed)+len(d.Clauses.Moved) != 0 {
		t.Errorf("changed: %+v", d)
	}
	if c := d.Changes[0]; !slices.Equal(c.Classes, []Class{NumberChanged}) || !slices.Contains(c.Words, Edit{"+", "10"}) || !slices.Contains(c.Words, Edit{"-", "8"}) {
		t.Errorf("change: %+v", c)
	}
	if r.Generation != before.Generation+1 {
		t.Errorf("generation %d after %d", r.Generation, before.Generation)
	}
	if text := textOf(active(t, l)[0], "第6条"); !strings.Contains(text, "实验室10家") {
		t.Errorf("active text: %s", text)
	}

	again := ingestOK(t, l, IngestOptions{}, file)
	if again.Unchanged != 1 || again.Generation != r.Generation {
		t.Errorf("second time: %+v", again)
	}

	start := time.Now()
	v, err := l.Rollback(ctx, "西安市科学技术局2024", "")
	if err != nil || v.Number != 1 {
		t.Fatalf("rollback: %+v %v", v, err)
	}
	if took := time.Since(start); took > time.Second {
		t.Errorf("rollback took %v", took)
	}
	if text := textOf(active(t, l)[0], "第6条"); !strings.Contains(text, "实验室8家") {
		t.Errorf("text after rollback: %s", text)
	}
	lines, err := l.Audit(ctx, d.ID, 0)
	if err != nil || len(lines) != 3 || lines[0].Action != "rollback" || lines[0].Version != 1 || lines[0].Previous != 2 || lines[0].Who != "tester" || lines[0].Hash == "" {
		t.Errorf("audit: %+v %v", lines, err)
	}
	if h, err := l.History(ctx, d.ID); err != nil || len(h) != 2 || h[0].Active || !h[1].Active {
		t.Errorf("history: %+v %v", h, err)
	}
	if c, err := l.Diff(ctx, d.ID, "1", "2"); err != nil || len(c) != 1 {
		t.Errorf("diff: %+v %v", c, err)
	}
	shown, err := l.Show(ctx, d.ID, "2")
	if err != nil || string(shown.Original) != edited || shown.Document.Version != "2" {
		t.Errorf("show: %v", err)
	}
}

func textOf(d rag.Document, label string) string {
	for _, c := range d.Clauses {
		if c.Label == label {
			return c.Text
		}
	}
	return ""
}

// A removed document is in no answer, keeps its history, and comes back.
func TestRemove(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	file := filepath.Join(seedDir, "seed.txt")
	id := ingestOK(t, l, IngestOptions{}, file).Documents[0].ID
	if _, err := l.Remove(ctx, id); err != nil {
		t.Fatal(err)
	}
	if n := len(active(t, l)); n != 0 {
		t.Errorf("%d documents after removal", n)
	}
	if all, _ := l.Documents(ctx, true); len(all) != 1 || !all[0].Removed {
		t.Errorf("documents: %+v", all)
	}
	if h, err := l.History(ctx, id); err != nil || len(h) != 1 {
		t.Errorf("history: %+v %v", h, err)
	}
	if r := ingestOK(t, l, IngestOptions{NewOnly: true}, file); r.Unchanged != 1 || len(active(t, l)) != 0 {
		t.Errorf("a watched folder brought it back: %+v", r)
	}
	if r := ingestOK(t, l, IngestOptions{}, file); r.Added != 1 || r.Documents[0].Version != "1" || len(active(t, l)) != 1 {
		t.Errorf("ingested again: %+v", r)
	}
	if _, err := l.Remove(ctx, id); err != nil {
		t.Fatal(err)
	}
	if v, err := l.Rollback(ctx, id, ""); err != nil || v.Number != 1 || len(active(t, l)) != 1 {
		t.Errorf("rollback of a removed document: %+v %v", v, err)
	}
}

// What looks like an accident is refused, said, and done with Force.
func TestRefusals(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	file := write(t, dir, "要点.txt", firstDocument(t))
	ingestOK(t, l, IngestOptions{}, file)
	cut := firstDocument(t)[:len(firstDocument(t))/3]
	write(t, dir, "要点.txt", strings.ToValidUTF8(cut, ""))
	r, err := l.Ingest(context.Background(), []string{file}, IngestOptions{})
	if err != nil || r.Failed != 1 || !strings.Contains(r.Documents[0].Error, "一半") || r.Documents[0].File != file {
		t.Fatalf("%+v %v", r, err)
	}
	if n := numbered(active(t, l)[0]); n != 27 {
		t.Errorf("%d clauses after the refusal", n)
	}
	if r := ingestOK(t, l, IngestOptions{Force: true}, file); r.Changed != 1 || r.Documents[0].Warnings[len(r.Documents[0].Warnings)-1].Kind != "forced" {
		t.Errorf("forced: %+v", r)
	}
}

// In one run a title stands for one document; one 文号 on two is said.
func TestDuplicates(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	rule := func(title, number, body string) string {
		return title + "\n\n" + number + "\n\n第一条 为了" + body + "，制定本办法。\n\n第二条 本办法适用于本市。\n\n第三条 本办法自2024年1月1日起施行。\n"
	}
	write(t, dir, "in/a.txt", rule("测试市创新券管理办法", "测科发〔2024〕5号", "支持创新"))
	write(t, dir, "in/b.txt", rule("测试市“创新券”管理办法", "测科发〔2024〕5号", "鼓励创新"))
	write(t, dir, "in/c.txt", rule("测试市孵化器管理办法", "测科发〔2024〕5号", "孵化企业"))
	write(t, dir, "in/d.txt", rule("测试市创新券管理办法", "测科发〔2024〕5号", "支持创新"))
	r, err := l.Ingest(context.Background(), []string{filepath.Join(dir, "in")}, IngestOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Added != 2 || r.Failed != 1 || r.Unchanged != 1 {
		t.Fatalf("%+v", r)
	}
	if e := r.Documents[1].Error; !strings.Contains(e, "a.txt") || !strings.Contains(e, "标题相同") {
		t.Errorf("second of one title: %q", e)
	}
	if w := r.Documents[2].Warnings; !slices.ContainsFunc(w, func(w ReportWarning) bool { return w.Kind == "duplicate_number" }) {
		t.Errorf("second of one 文号: %+v", w)
	}
}

// A sidecar file and flags go over what the text says; a wrong one is refused
// by name.
func TestMetadata(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	file := write(t, dir, "x.txt", "测试市科学技术局2023年度工作要点\n\n一、抓创新\n\n1.培育企业。年内培育高新技术企业100家。\n\n2.建设平台。建设平台5个。\n")
	write(t, dir, "x.yaml", "issued: 2023-02-01\neffective: 2023-03-01\naudience: staff\n")
	ingestOK(t, l, IngestOptions{Meta: MetaValues{URL: "https://example.test/x"}}, file)
	m := active(t, l)[0].Meta
	if m.Audience != "staff" || m.Effective.Format(time.DateOnly) != "2023-03-01" || m.URL == "" || m.Year != 2023 || m.Issuer != "测试市科学技术局" {
		t.Errorf("meta: %+v", m)
	}
	write(t, dir, "x.yaml", "audience: nobody\n")
	r, err := l.Ingest(ctx, []string{file}, IngestOptions{})
	if err != nil || r.Failed != 1 || !strings.Contains(r.Documents[0].Error, "nobody") {
		t.Errorf("wrong sidecar: %+v %v", r, err)
	}
	if _, err := l.Ingest(ctx, []string{file}, IngestOptions{Meta: MetaValues{Issued: "2024-02-30"}}); err == nil {
		t.Error("an impossible day was taken")
	}
}

// A document that another supersedes goes out of force that day.
func TestSupersedes(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	write(t, dir, "in/old.txt", "测试市奖励办法\n\n第一条 为了奖励，制定本办法。\n\n第二条 本办法自2012年8月1日起施行。\n")
	write(t, dir, "in/new.txt", "测试市科技奖励办法\n\n第一条 为了奖励科技，制定本办法。\n\n第二条 本办法自2017年8月1日起施行。《测试市奖励办法》同时废止。\n")
	ingestOK(t, l, IngestOptions{}, filepath.Join(dir, "in"))
	for _, d := range active(t, l) {
		want := time.Time{}
		if d.Title == "测试市奖励办法" {
			want = time.Date(2017, 8, 1, 0, 0, 0, 0, time.UTC)
		}
		if !d.Meta.Repealed.Equal(want) {
			t.Errorf("%s: repealed %v, want %v", d.Title, d.Meta.Repealed, want)
		}
	}
}

func TestFind(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	ingestOK(t, l, IngestOptions{}, filepath.Join(seedDir, "seed.txt"))
	for _, name := range []string{DocumentID("西安市科学技术局2024年度科技创新工作要点"), "西安市科学技术局 2024年度科技创新工作要点", "2024年度科技创新"} {
		if e, err := l.Find(ctx, name); err != nil || e.Version != "1" {
			t.Errorf("%s: %+v %v", name, e, err)
		}
	}
	if _, err := l.Find(ctx, "没有的文件"); !errors.Is(err, ErrUnknown) {
		t.Error(err)
	}
}

// The built-in documents fill a library once.
func TestSeed(t *testing.T) {
	ctx := context.Background()
	l := open(t, t.TempDir())
	fsys := fstest.MapFS{"要点.txt": {Data: []byte(firstDocument(t))}, "kpis.csv": {Data: []byte("code,name\n")}}
	for i, want := range []int{1, 0} {
		if r, err := l.Seed(ctx, fsys); err != nil || r.Added != want {
			t.Errorf("time %d: %+v %v", i, r, err)
		}
	}
	if len(active(t, l)) != 1 {
		t.Error("not there")
	}
}

// IDs are readable and do not depend on how a title is spelt.
func TestDocumentID(t *testing.T) {
	a, b := DocumentID("西安市科学技术局2024年度科技创新工作要点"), DocumentID("西安市科学技术局２０２４年度 科技创新工作要点")
	if a != b || !strings.HasPrefix(a, "xaskxjsj") || !strings.Contains(a, "-2024-") {
		t.Error(a, b)
	}
	if a == DocumentID("西安市科学技术局2023年度科技创新工作要点") {
		t.Error("two years, one ID")
	}
}

// Two runs at once: one waits and says so, and both are done.
func TestTwoRunsQueue(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, dir)
	release, err := l.lock(ctx, func() {})
	if err != nil {
		t.Fatal(err)
	}
	other := open(t, dir)
	waiting := make(chan bool, 1)
	done := make(chan error)
	go func() {
		_, err := other.Ingest(ctx, []string{filepath.Join(seedDir, "seed.txt")}, IngestOptions{Progress: func(p Progress) {
			if p.Waiting {
				waiting <- true
			}
		}})
		done <- err
	}()
	<-waiting
	release()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if len(active(t, l)) != 1 {
		t.Error("not published")
	}
}

// A run that ends early publishes nothing, and keeps what it read.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	for _, name := range []string{"甲", "乙", "丙", "丁", "戊", "己", "庚", "辛"} {
		write(t, dir, "in/"+name+".txt", "测试市"+name+"管理办法\n\n第一条 为了"+name+"，制定本办法。\n\n第二条 本办法适用于本市。\n")
	}
	ctx, cancel := context.WithCancel(context.Background())
	_, err := l.Ingest(ctx, []string{filepath.Join(dir, "in")}, IngestOptions{Progress: func(p Progress) {
		if p.Done == 3 {
			cancel()
		}
	}})
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if n := len(active(t, l)); n != 0 {
		t.Errorf("%d documents published", n)
	}
	known, err := l.knownFiles(context.Background())
	if err != nil || len(known) < 3 {
		t.Errorf("%d files kept, %v", len(known), err)
	}
	if r := ingestOK(t, l, IngestOptions{}, filepath.Join(dir, "in")); r.Added != 8 {
		t.Errorf("resumed: %+v", r)
	}
}

// A full disk: nothing is published, the error says so, readers go on.
func TestFullDisk(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	l := open(t, filepath.Join(dir, "data"))
	ingestOK(t, l, IngestOptions{}, filepath.Join(seedDir, "seed.txt"))
	l.db.SetMaxOpenConns(1)
	var pages int
	if err := l.db.QueryRow(`PRAGMA page_count`).Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := l.db.Exec(`PRAGMA max_page_count = ` + itoa(pages+2)); err != nil {
		t.Fatal(err)
	}
	file := write(t, dir, "要点.txt", strings.Replace(firstDocument(t), "8家", "9家", 1))
	_, err := l.Ingest(ctx, []string{file}, IngestOptions{})
	if err == nil || !strings.Contains(err.Error(), "磁盘已满") {
		t.Errorf("error: %v", err)
	}
	if docs := active(t, l); len(docs) != 1 || docs[0].Version != "1" {
		t.Errorf("active after: %d", len(docs))
	}
	if _, err := l.db.Exec(`PRAGMA max_page_count = 1000000`); err != nil {
		t.Fatal(err)
	}
	if r := ingestOK(t, l, IngestOptions{}, file); r.Changed != 1 {
		t.Errorf("after space was made: %+v", r)
	}
}

// BenchmarkPublish publishes a new version of six documents of 40 clauses.
func BenchmarkPublish(b *testing.B) {
	dir := b.TempDir()
	l := open(b, filepath.Join(dir, "data"))
	round := 0
	for b.Loop() {
		b.StopTimer()
		round++
		writeRound(b, filepath.Join(dir, "in"), round)
		b.StartTimer()
		ingestOK(b, l, IngestOptions{}, filepath.Join(dir, "in"))
	}
}
