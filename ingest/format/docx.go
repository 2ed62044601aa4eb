package format

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"
)

// maxPart bounds the parts of a document that are read.
const maxPart = 96 << 20

// readDOCX reads a Word document as it prints with its changes accepted.
func readDOCX(b []byte) (Text, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return Text{}, fmt.Errorf("%w: DOCX 打不开: %w", ErrDamaged, err)
	}
	w := &word{zip: z, list: numbering{abstract: map[string]*abstractNum{}, nums: map[string]*num{}, styles: map[string]*style{},
		counters: map[string]*[9]int{}, started: map[string]bool{}}, notes: map[string]*node{}}
	main, err := w.load()
	if err != nil {
		return Text{}, err
	}
	for _, line := range w.blocks(main.child("body")) {
		w.body.WriteString(line)
		w.body.WriteByte('\n')
	}
	w.t.Body = w.body.String()
	w.headers()
	return w.t, nil
}

// word is a Word document being read.
type word struct {
	zip   *zip.Reader
	list  numbering
	notes map[string]*node // footnotes and endnotes by kind and id
	t     Text
	body  strings.Builder
	join  string   // text of a paragraph whose end mark was deleted
	after []string // lines to follow the paragraph: notes and text boxes
	inTOC bool
}

// load reads the parts; only the text itself must be there.
func (w *word) load() (*node, error) {
	main, err := w.part("word/document.xml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: DOCX 里没有 word/document.xml", ErrDamaged)
	}
	if err != nil {
		return nil, err
	}
	for name, read := range map[string]func(*node){
		"word/styles.xml":    w.list.parseStyles,
		"word/numbering.xml": w.list.parseNumbering,
		"word/footnotes.xml": w.readNotes,
		"word/endnotes.xml":  w.readNotes,
	} {
		root, err := w.part(name)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		read(root)
	}
	return main, nil
}

func (w *word) part(name string) (*node, error) {
	f, err := w.zip.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if s, err := f.Stat(); err == nil && s.Size() > maxPart {
		return nil, fmt.Errorf("%w: %s 展开后有 %d MB", ErrDamaged, name, s.Size()>>20)
	}
	return parseXML(io.LimitReader(f, maxPart), name)
}

func (w *word) readNotes(root *node) {
	for _, n := range root.kids {
		if t := n.attr("type"); t == "" || t == "normal" {
			w.notes[n.name+n.attr("id")] = n
		}
	}
}

// headers lists what stands at the head and foot of every page.
func (w *word) headers() {
	seen := map[string]bool{}
	for _, f := range w.zip.File {
		base := path.Base(f.Name)
		if !strings.HasPrefix(f.Name, "word/") || !(strings.HasPrefix(base, "header") || strings.HasPrefix(base, "footer") || base == "comments.xml") ||
			path.Ext(base) != ".xml" {
			continue
		}
		root, err := w.part(f.Name)
		if err != nil {
			continue
		}
		if s := squeeze(plain(root)); s != "" && !seen[s] {
			seen[s] = true
			w.t.Dropped = append(w.t.Dropped, s)
		}
	}
}

// plain is all text below n.
func plain(n *node) string {
	var b strings.Builder
	var walk func(*node)
	walk = func(n *node) {
		b.WriteString(n.text)
		for _, c := range alternatives(n) {
			walk(c)
		}
	}
	walk(n)
	return b.String()
}

// alternatives are the children of n, of an mc:AlternateContent only one
// branch: the fallback says the same again.
func alternatives(n *node) []*node {
	if n.name != "AlternateContent" {
		return n.kids
	}
	for _, c := range n.kids {
		if c.name == "Choice" && hasText(c) {
			return c.kids
		}
	}
	if c := n.child("Fallback"); c != nil {
		return c.kids
	}
	return nil
}

func hasText(n *node) bool {
	if n.text != "" {
		return true
	}
	for _, c := range n.kids {
		if hasText(c) {
			return true
		}
	}
	return false
}

// blocks returns the lines of a body, cell, note or text box.
func (w *word) blocks(n *node) (out []string) {
	if n == nil {
		return nil
	}
	for _, c := range alternatives(n) {
		switch c.name {
		case "p":
			out = append(out, w.paragraph(c)...)
		case "tbl":
			out = append(out, render(w.grid(c))...)
		case "sdt":
			was := w.inTOC
			g := c.child("sdtPr").child("docPartObj").child("docPartGallery").attr("val")
			w.inTOC = was || g == "Table of Contents"
			out = append(out, w.blocks(c.child("sdtContent"))...)
			w.inTOC = was
		case "del", "moveFrom":
			w.drop(plain(c))
		case "ins", "moveTo", "customXml", "smartTag", "AlternateContent":
			out = append(out, w.blocks(c)...)
		}
	}
	return out
}

// drop records text that is left out.
func (w *word) drop(s string) {
	if s = strings.TrimSpace(s); s != "" {
		w.t.Dropped = append(w.t.Dropped, s)
	}
}

// paragraph returns the paragraph's lines: its text with its list number,
// then the notes and text boxes anchored in it.
func (w *word) paragraph(p *node) []string {
	pPr := p.child("pPr")
	var b strings.Builder
	w.inline(p, &b)
	text := w.join + b.String()
	w.join = ""
	if strings.TrimSpace(text) != "" || pPr.child("numPr") != nil {
		if id, lvl := w.list.listOf(pPr); id != "" && id != "0" && strings.TrimSpace(text) != "" {
			text = w.list.next(id, lvl) + text
		}
	}
	after := w.after
	w.after = nil
	if pPr.child("rPr").child("del") != nil { // the next paragraph continues it
		w.join = text
		return after
	}
	if w.inTOC || w.contents(pPr) {
		w.drop(text)
		return after
	}
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimRight(line, " \t\u3000"); strings.TrimSpace(line) != "" {
			out = append(out, line)
		}
	}
	return append(out, after...)
}

// contents reports whether the paragraph is a line of a table of contents.
func (w *word) contents(pPr *node) bool {
	s := w.list.styles[pPr.child("pStyle").attr("val")]
	return s != nil && len(s.name) == 5 && strings.HasPrefix(s.name, "toc ")
}

// inline appends the text of runs.
func (w *word) inline(n *node, b *strings.Builder) {
	for _, c := range alternatives(n) {
		switch c.name {
		case "t":
			b.WriteString(c.text)
		case "tab":
			b.WriteByte('\t')
		case "br", "cr":
			if c.attr("type") == "" || c.attr("type") == "textWrapping" {
				b.WriteByte('\n')
			}
		case "noBreakHyphen":
			b.WriteByte('-')
		case "del", "moveFrom":
			w.drop(plain(c))
		case "footnoteReference":
			w.note("footnote", c.attr("id"))
		case "endnoteReference":
			w.note("endnote", c.attr("id"))
		case "txbxContent":
			join := w.join
			w.join = ""
			after := w.after
			w.after = nil
			lines := w.blocks(c)
			w.after = append(after, lines...)
			w.join = join
		case "ruby":
			if base := c.child("rubyBase"); base != nil {
				w.inline(base, b)
			}
		case "r":
			if on(c.child("rPr").child("vanish")) {
				w.drop(plain(c))
				continue
			}
			w.inline(c, b)
		case "pPr", "rPr", "instrText", "delText", "tbl", "sdtPr":
		default:
			w.inline(c, b)
		}
	}
}

// note appends a footnote or endnote after the paragraph that refers to it.
func (w *word) note(kind, id string) {
	n := w.notes[kind+id]
	if n == nil {
		return
	}
	delete(w.notes, kind+id) // a note referred to twice stands once
	after := w.after
	w.after = nil
	lines := w.blocks(n)
	if len(lines) > 0 {
		lines[0] = "注：" + strings.TrimSpace(lines[0])
	}
	w.after = append(after, lines...)
}

// grid reads a table, with merged cells repeated in every place they cover.
func (w *word) grid(tbl *node) (grid [][]cell) {
	for _, tr := range rowsOf(tbl) {
		pr := tr.child("trPr")
		if pr.child("del") != nil {
			w.drop(plain(tr))
			continue
		}
		var row []cell
		for range min(atoi(pr.child("gridBefore").attr("val"), 0), maxColumns) {
			row = append(row, cell{})
		}
		for _, tc := range cellsOf(tr) {
			tcPr := tc.child("tcPr")
			c := cell{text: strings.Join(w.blocks(tc), "\n"), header: on(pr.child("tblHeader"))}
			if m := tcPr.child("vMerge"); m != nil && m.attr("val") != "restart" && len(grid) > 0 {
				if up := grid[len(grid)-1]; len(row) < len(up) {
					c.text = up[len(row)].text
				}
			}
			for i := range min(max(atoi(tcPr.child("gridSpan").attr("val"), 1), 1), maxColumns) {
				c.span = i > 0
				if len(row) < maxColumns {
					row = append(row, c)
				}
			}
		}
		grid = append(grid, row)
	}
	return grid
}

func rowsOf(n *node) (out []*node) { return wrapped(n, "tr") }

func cellsOf(n *node) (out []*node) { return wrapped(n, "tc") }

// wrapped are the children of that name, those inside content controls and
// custom markup too.
func wrapped(n *node, name string) (out []*node) {
	for _, c := range alternatives(n) {
		switch c.name {
		case name:
			out = append(out, c)
		case "sdt", "sdtContent", "customXml", "ins", "moveTo", "AlternateContent":
			out = append(out, wrapped(c, name)...)
		}
	}
	return out
}
