package ingest

import (
	"context"
	"encoding/json"
	"fmt"
	"path"
	"strconv"
	"strings"
	"unicode"

	"zhengda/ingest/format"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// revision is part of every file's key: raise it when reading or parsing
// changes, so that files that did not change are read again.
const revision = "2"

// prepared is a file that has been read and parsed, and waits for its turn.
type prepared struct {
	source
	known *knownFile // the file was read before, as it is
	key   string
	bytes int

	id, title, format string
	original          []byte
	text              string
	parsed            []byte // Parsed as JSON
	doc               rag.Document
	hash              string // of what the document says
	size, lost        int    // runes in clauses; runes that belong nowhere
	warnings          []ReportWarning
}

// prepare reads one source. It is safe to call from several goroutines.
func (l *Library) prepare(ctx context.Context, s source, over MetaValues, known map[string]knownFile) prepared {
	p := prepared{source: s}
	if s.skip || s.err != nil {
		return p
	}
	p.err = l.load(ctx, &p, over, known)
	return p
}

func (l *Library) load(ctx context.Context, p *prepared, over MetaValues, known map[string]knownFile) error {
	if p.stamp != "" {
		p.stamp += " " + l.setting(p.name, over)
		if k, ok := known[p.name]; ok && k.stamp == p.stamp {
			p.known, p.key = &k, k.key
			return nil
		}
	}
	body, err := p.read()
	if err != nil {
		return err
	}
	p.bytes = len(body)
	side, err := p.sidecar()
	if err != nil {
		return fmt.Errorf("元数据文件: %w", describe(err))
	}
	p.key = l.keyOf(p.name, body, side, over)
	if k, ok := known[p.name]; ok && k.key == p.key {
		p.known = &k
		return nil
	}
	var meta MetaValues
	if len(side) > 0 {
		if meta, err = parseSidecar(side); err != nil {
			return err
		}
	}
	p.original = body
	text, err := format.Read(ctx, p.name, body, format.Options{Decode: Decode, PDFToText: l.o.PDFToText})
	if err != nil {
		return err
	}
	if len(text.Body) > maxText {
		return fmt.Errorf("文字太多(%d MB),上限 %d MB,请分成几份", len(text.Body)>>20, maxText>>20)
	}
	return p.parse(text, meta, over)
}

// maxText bounds the text of one document, in bytes, and so the memory that
// reading it takes.
const maxText = 16 << 20

// keyOf identifies a file's content and everything else that decides how it
// is read.
func (l *Library) keyOf(name string, body, side []byte, over MetaValues) string {
	return hash(strings.Join([]string{l.setting(name, over), path.Base(name), hash(string(body)), hash(string(side))}, "\x1e"))
}

// setting identifies what decides how a file is read beside what is in it.
func (l *Library) setting(name string, over MetaValues) string {
	if over == (MetaValues{}) && !strings.EqualFold(path.Ext(name), ".pdf") {
		return revision
	}
	reader := ""
	if strings.EqualFold(path.Ext(name), ".pdf") && l.o.PDFToText != "" {
		reader = "pdftotext"
	}
	flags, _ := json.Marshal(over) // plain fields cannot fail
	return revision + " " + reader + " " + string(flags)
}

// parse turns text into the document.
func (p *prepared) parse(text format.Text, side, over MetaValues) error {
	parsed := Parse(text.Body)
	p.format, p.text = text.Format, text.Body
	titled := parsed.Document("")
	p.title = firstNonEmpty(over.Title, side.Title, squeezeHan(titled.Title), squeezeHan(text.Title), stem(p.name))
	p.id = DocumentID(p.title) // by what the file says, so that another name of the file is no other document
	if over.Title+side.Title == "" && !titleLike([]rune(p.title)) && saysTitle(stem(p.name)) {
		p.title = stem(p.name)
	}
	p.doc = parsed.Document(p.id)
	p.doc.Title = p.title
	p.doc.Meta = describeDocument(&p.doc, text, p.name)
	for _, m := range []MetaValues{side, over} {
		if err := m.apply(&p.doc.Meta); err != nil {
			return err
		}
	}
	var err error
	if p.parsed, err = json.Marshal(parsed); err != nil {
		return fmt.Errorf("encode parse: %w", err)
	}
	for i := range p.doc.Clauses {
		p.size += visibleRunes(p.doc.Clauses[i].Text)
	}
	p.lost = lostRunes(parsed, text.Body)
	p.hash = documentHash(&p.doc)
	p.warn(text, parsed)
	return nil
}

// warn collects what reading, parsing and linting have to say.
func (p *prepared) warn(text format.Text, parsed Parsed) {
	for _, w := range text.Warnings {
		p.warnings = append(p.warnings, ReportWarning{Kind: w.Kind, Text: w.Text})
	}
	dropped := text.Dropped
	for _, w := range parsed.Warnings {
		if w.Kind == Dropped && visibleRunes(w.Text) > 0 {
			dropped = append(dropped, w.Text)
		}
	}
	if n := len(dropped); n > 0 {
		p.warnings = append(p.warnings, ReportWarning{Kind: Dropped, Text: fmt.Sprintf("未收入 %d 处:%s", n, brief(dropped))})
	}
	for _, f := range append(parseFindings(parsed, &p.doc), Lint([]rag.Document{p.doc})...) {
		p.warnings = append(p.warnings, f.warning())
	}
}

// brief lists the beginnings of texts.
func brief(texts []string) string {
	var b strings.Builder
	for i, s := range texts {
		if i == 8 {
			b.WriteString(" …")
			break
		}
		r := []rune(strings.Join(strings.Fields(s), " "))
		if s = string(r); len(r) > 24 {
			s = string(r[:24]) + "…"
		}
		b.WriteString("「" + s + "」")
	}
	return b.String()
}

// documentHash is the hash of what a reader gets from the document: not of
// its file, its offsets or its markup.
func documentHash(d *rag.Document) string {
	var b strings.Builder
	m := d.Meta
	m.Source = ""
	meta, _ := json.Marshal(m) // plain fields cannot fail
	b.WriteString(d.Title)
	b.Write(meta)
	for i := range d.Clauses {
		b.WriteString(clauseHash(&d.Clauses[i]))
	}
	return hash(b.String())[:16]
}

// lostRunes counts the visible runes of the source that belong to no part of p.
func lostRunes(p Parsed, source string) int {
	r := []rune(source)
	take := func(start, end int) {
		for i := max(start, 0); i < min(end, len(r)); i++ {
			r[i] = ' '
		}
	}
	for _, c := range p.Chapters {
		take(c.Start, c.End)
	}
	for _, c := range p.Clauses {
		take(c.Start, c.End)
	}
	for _, c := range p.Preamble {
		take(c.Start, c.End)
	}
	for _, w := range p.Warnings {
		if w.Range != nil {
			take(w.Range.Start, w.Range.End)
		}
	}
	left := map[rune]int{}
	for _, c := range r {
		if visible(c) {
			left[c]++
		}
	}
	for _, c := range p.Title {
		left[c]--
	}
	n := 0
	for _, k := range left {
		n += max(k, 0)
	}
	return n
}

func visibleRunes(s string) (n int) {
	for _, r := range s {
		if !unicode.IsSpace(r) {
			n++
		}
	}
	return n
}

func firstNonEmpty(list ...string) string {
	for _, s := range list {
		if t := strings.Join(strings.Fields(s), " "); t != "" {
			return t
		}
	}
	return ""
}

// saysTitle reports a name of a file that people gave it to say what is in it.
func saysTitle(stem string) bool {
	han := 0
	for _, r := range stem {
		switch {
		case zh.IsHan(r):
			han++
		case r == '_' || r < 0x80 && unicode.IsLetter(r):
			return false
		}
	}
	return han >= 6
}

// stem is the file's name without folders and ending.
func stem(name string) string {
	if i := strings.LastIndexAny(name, `/\!`); i >= 0 {
		name = name[i+1:]
	}
	return strings.TrimSuffix(name, path.Ext(name))
}

func itoa(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
