package ingest

import (
	"fmt"
	"slices"
	"strings"

	"zhengda/rag"
)

// Document gives the document with clauses that carry stable IDs. Its title is
// that of the one document a covering notice carries, which is then no chapter,
// else its own. Paragraphs of the preamble come first, as clauses with Number 0.
func (p Parsed) Document(id string) rag.Document {
	d := rag.Document{ID: id, Title: p.Title}
	if p.Subject != "" {
		d.Title = p.Subject
	}
	for _, c := range p.Chapters {
		if c.Label != "" || p.Subject == "" || c.Title != p.Subject {
			d.Chapters = append(d.Chapters, c.Chapter)
		}
	}
	seen := map[string]int{}
	add := func(c rag.Clause, key string) {
		for base := key; seen[key] > 0; {
			seen[base]++
			key = fmt.Sprintf("%s~%d", base, seen[base])
		}
		seen[key]++
		c.ID, c.Document = id+"#"+key, id
		d.Clauses = append(d.Clauses, c)
	}
	for _, q := range p.Preamble {
		add(rag.Clause{Label: q.Label, Text: q.Text, Start: q.Start, End: q.End}, strings.NewReplacer("第", "", "段", "").Replace(q.Label))
	}
	for _, c := range p.Clauses {
		key := c.key
		if key == "" {
			key = c.Label
		}
		add(rag.Clause{Label: c.Label, Number: c.Number, Title: c.Title, Path: slices.Clone(c.Path), Text: c.Text, Start: c.Start, End: c.End}, key)
	}
	return d
}

// beginning is how many runes of a clause Tree shows.
const beginning = 46

// Tree shows how the document was read, for the terminal: title, preamble,
// headings, clauses with the beginning of their text, warnings but those of
// mere markup.
func (p Parsed) Tree() string {
	var b strings.Builder
	title := p.Title
	if title == "" {
		title = "（无标题）"
	}
	fmt.Fprintln(&b, title)
	if p.Subject != "" {
		fmt.Fprintf(&b, "所载文件:%s\n", p.Subject)
	}
	for _, q := range p.Preamble {
		fmt.Fprintf(&b, "  [%s] %s\n", q.Label, start(q.Text))
	}
	chapters := p.Chapters
	for _, c := range p.Clauses {
		for len(chapters) > 0 && chapters[0].Start <= c.Start {
			chapters[0].tree(&b)
			chapters = chapters[1:]
		}
		fmt.Fprintf(&b, "%s%s  %s\n", strings.Repeat("  ", len(c.Path)+1), c.Label, start(c.Text))
	}
	for _, c := range chapters {
		c.tree(&b)
	}
	shown := slices.DeleteFunc(slices.Clone(p.Warnings), func(w Warning) bool {
		return w.Kind == Dropped && strings.Trim(w.Text, "#*") == ""
	})
	if len(shown) > 0 {
		fmt.Fprintf(&b, "提示 %d 条\n", len(shown))
	}
	for _, w := range shown {
		fmt.Fprintf(&b, "  %s [%d,%d) %s\n", w.Kind, w.Start, w.End, start(w.Text))
	}
	return b.String()
}

func (c Chapter) tree(b *strings.Builder) {
	fmt.Fprintf(b, "%s■ %s\n", strings.Repeat("  ", len(c.Path)+1), strings.TrimSpace(c.Label+" "+c.Title))
}

// start is the beginning of s on one line.
func start(s string) string {
	r := []rune(strings.NewReplacer("\n", " ⏎ ", "\t", " │ ").Replace(s))
	if len(r) > beginning {
		return string(r[:beginning]) + "…"
	}
	return string(r)
}
