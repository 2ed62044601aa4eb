package bot

import (
	"slices"
	"strconv"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// structure answers questions about the make-up of a document: how many
// chapters and clauses, which clauses a chapter has.
func (b *Bot) structure(c *corpus, q *question, s scope) (draft, bool) {
	doc := c.theDocument(q, s)
	if doc == nil {
		return draft{}, false
	}
	if n := doc.asked(); q.forms["pairs"] && n > 0 {
		var d draft
		d.frame(b.lex.say(q.english, "pairs", args{"Title": shortTitle(doc.Title), "N": n}))
		return d, true
	}
	if d, ok := b.partsOf(q, doc); ok {
		return d, true
	}
	var d draft
	if q.forms["structure"] && len(q.clauses(c, ids([]*source{doc}))) == 0 && (!q.chapterNamed() || q.forms["chapters"]) {
		d = b.count(q, doc)
	}
	if n := len(doc.Clauses); n > 0 && b.lex.form("last", q.core) && !q.forms["chapters"] {
		d.titled(c, doc, &doc.Clauses[n-1])
	}
	for _, r := range q.chapterRefs(doc, b.lex) {
		if !q.forms["members"] && !q.forms["structure"] && !q.forms["whole"] {
			return draft{}, false
		}
		ch, members := doc.chapter(r.n)
		if ch == nil {
			return b.refuse(q, "nochapter", args{"Label": "第" + zh.FormatNumeral(r.n) + "章", "Title": shortTitle(doc.Title)}), true
		}
		d.frame(b.lex.say(q.english, "chapter", args{"Label": chapterLabel(*ch), "Title": ch.Title, "N": len(members), "Labels": labels(members)}))
		for _, k := range members[:min(len(members), 12)] {
			d.titled(c, doc, k)
		}
	}
	return d, len(d.lines) > 0
}

// partsOf answers which parts a chapter has that q names by its title.
func (b *Bot) partsOf(q *question, doc *source) (draft, bool) {
	if !q.forms["parts"] || q.chapterNamed() {
		return draft{}, false
	}
	for _, ch := range doc.topChapters() {
		title := zh.Squeeze(zh.Fold(ch.Title))
		if subs := doc.partsBelow(ch); hanCount(title) >= 3 && strings.Contains(q.core, title) && len(subs) > 1 {
			var d draft
			d.frame(b.lex.say(q.english, "parts", args{"Title": ch.Title, "N": len(subs), "List": headings(subs)}))
			return d, true
		}
	}
	return draft{}, false
}

// partsBelow are the headings right below a chapter.
func (s *source) partsBelow(top rag.Chapter) []rag.Chapter {
	var out []rag.Chapter
	for _, ch := range s.Chapters {
		if len(ch.Path) == 1 && ch.Number > 0 && strings.HasPrefix(ch.Path[0], top.Label) && strings.HasSuffix(ch.Path[0], top.Title) {
			out = append(out, ch)
		}
	}
	return out
}

// headings names headings in order, each with its label.
func headings(chs []rag.Chapter) string {
	var out []string
	for _, ch := range chs {
		out = append(out, ch.Label+ch.Title)
	}
	return strings.Join(out, ";")
}

// theDocument is the one that a question about structure means.
func (c *corpus) theDocument(q *question, s scope) *source {
	switch {
	case len(s.docs) == 1:
		return c.byID[s.docs[0]]
	case len(c.docs) == 1:
		return c.docs[0]
	case len(s.groups) == 1 && s.named:
		return c.byID[s.groups[0][0]]
	}
	return nil
}

func (q *question) chapterNamed() bool {
	return slices.ContainsFunc(q.refs, func(r ref) bool { return r.chapter })
}

// chapterRefs are the chapters that q names: 第六章, the first and last ones.
func (q *question) chapterRefs(doc *source, lex *Lexicon) []ref {
	var out []ref
	for _, r := range q.refs {
		if r.chapter {
			out = append(out, r)
		}
	}
	if len(out) == 0 && strings.Contains(q.core, "章") && len(doc.Chapters) > 1 {
		for _, w := range []struct {
			words []string
			n     int
		}{{[]string{"一头", "首章", "开头一章", "头一章", "最前"}, doc.Chapters[0].Number}, {[]string{"一尾", "末章", "最后一章", "收尾", "结尾一章"}, doc.Chapters[len(doc.Chapters)-1].Number}} {
			if slices.ContainsFunc(w.words, func(s string) bool { return strings.Contains(q.core, s) }) {
				out = append(out, ref{n: w.n, chapter: true})
			}
		}
	}
	return out
}

// count says how many chapters and clauses a document has.
func (b *Bot) count(q *question, doc *source) draft {
	chapters, clauses, before := doc.counts()
	rest := ""
	if before > 0 {
		rest = b.lex.say(q.english, "structurepre", args{"N": before})
	}
	var d draft
	title := shortTitle(doc.Title)
	if chapters == 0 {
		d.frame(b.lex.say(q.english, "structureflat", args{"Title": title, "Clauses": clauses}))
		return d
	}
	d.frame(b.lex.say(q.english, "structure", args{"Title": title, "Chapters": chapters, "Clauses": clauses, "Rest": rest}))
	if list := chapterList(doc); len([]rune(list)) < 400 {
		d.frame(b.lex.say(q.english, "chapters", args{"List": list}))
	}
	return d
}

// counts are the chapters, the clauses, and the unnumbered paragraphs before
// the first clause. A numbered heading with items below it, as （七） with 1. and
// 2., is one clause.
func (s *source) counts() (chapters, clauses, before int) {
	seen := map[string]bool{}
	for _, k := range s.Clauses {
		if len(k.Path) > 0 && strings.HasPrefix(k.Path[0], annex) {
			continue
		}
		switch {
		case k.Number == 0 && clauses == 0:
			before++
		case k.Number == 0 || s.nested(k):
		case len(k.Path) > 1 && s.itemHeading(k.Path):
			if h := strings.Join(k.Path[:2], "\n"); !seen[h] {
				seen[h] = true
				clauses++
			}
		default:
			clauses++
		}
	}
	return len(s.topChapters()), clauses, before
}

// itemHeading reports a path whose second heading is numbered as an item, not
// as a section (第一节).
func (s *source) itemHeading(path []string) bool {
	return slices.ContainsFunc(s.Chapters, func(ch rag.Chapter) bool {
		return len(ch.Path) == 1 && ch.Number > 0 && ch.Path[0] == path[0] && strings.HasPrefix(path[1], ch.Label) && isItem(ch.Label+ch.Title)
	})
}

// asked is how many questions a document of questions and answers has.
func (s *source) asked() int {
	n := 0
	for i := range s.Clauses {
		for _, p := range zh.Sentences(s.Clauses[i].Text) {
			if isAsked(evidence{clause: &s.Clauses[i], doc: s}.at(p)) {
				n++
			}
		}
	}
	return n
}

// chapterList names all chapters in order.
func chapterList(s *source) string {
	var out []string
	for _, ch := range s.topChapters() {
		out = append(out, chapterLabel(ch)+" "+ch.Title)
	}
	return strings.Join(out, ";")
}

// annex begins the label of what is appended to a document.
const annex = "附件"

// topChapters are the numbered headings of the highest level, annexes left
// out.
func (s *source) topChapters() []rag.Chapter {
	var out []rag.Chapter
	for _, ch := range s.Chapters {
		if len(ch.Path) == 0 && ch.Number > 0 && !strings.HasPrefix(ch.Label, annex) {
			out = append(out, ch)
		}
	}
	return out
}

// nested reports an outline item below another clause of its document:
// 十、（一） below 十、.
func (s *source) nested(k rag.Clause) bool {
	return slices.ContainsFunc(s.Clauses, func(o rag.Clause) bool {
		return o.Number > 0 && len(o.Label) < len(k.Label) && strings.HasPrefix(k.Label, o.Label)
	})
}

// chapter finds the heading numbered n and the clauses below it.
func (s *source) chapter(n int) (*rag.Chapter, []*rag.Clause) {
	for i := range s.Chapters {
		ch := &s.Chapters[i]
		if ch.Number != n || len(ch.Path) > 0 {
			continue
		}
		var members []*rag.Clause
		for j := range s.Clauses {
			k := &s.Clauses[j]
			if len(k.Path) > 0 && strings.Contains(k.Path[0], ch.Title) && strings.HasPrefix(zh.Squeeze(k.Path[0]), zh.Squeeze(ch.Label)) {
				members = append(members, k)
			}
		}
		return ch, members
	}
	return nil, nil
}

func chapterLabel(ch rag.Chapter) string {
	if strings.HasPrefix(ch.Label, "第") {
		return ch.Label
	}
	return "第" + ch.Label + "章"
}

// labels writes 第4条、第5条 in short: 第4—7条 where they follow each other.
func labels(ks []*rag.Clause) string {
	if len(ks) > 2 && ks[len(ks)-1].Number-ks[0].Number == len(ks)-1 && strings.HasPrefix(ks[0].Label, "第") {
		return strings.TrimSuffix(ks[0].Label, "条") + "—" + strings.TrimPrefix(ks[len(ks)-1].Label, "第")
	}
	var out []string
	for _, k := range ks {
		out = append(out, k.Label)
	}
	return strings.Join(out, "、")
}

// titled quotes the beginning of a clause: its title, or its first segment.
func (d *draft) titled(c *corpus, doc *source, k *rag.Clause) {
	r := []rune(k.Text)
	end := len([]rune(k.Title))
	if end == 0 || end > len(r) || string(r[:end]) != k.Title {
		end = min(len(r), 40)
		if g := segments(r, 0, len(r)); len(g) > 0 {
			end = min(end, g[0].End)
		}
	}
	if end > 0 {
		d.quote(c.label(k), span{clause: k, doc: doc, start: 0, end: end, shown: oneLine(string(r[:end]))})
	}
}

// wholeClause answers 第17条讲什么 with the text of the clause, and says so
// where there is no such clause.
func (b *Bot) wholeClause(c *corpus, q *question, s scope) (draft, bool) {
	var asked []ref
	for _, r := range q.refs {
		if !r.chapter {
			asked = append(asked, r)
		}
	}
	if len(asked) == 0 {
		return draft{}, false
	}
	doc := c.theDocument(q, s)
	var d draft
	for _, r := range asked {
		ks := c.numbered(r, s.docs)
		if len(ks) == 0 && (doc != nil || len(s.docs) > 0) {
			return b.noClause(c, q, s, doc, r), true
		}
		if !q.forms["whole"] || len(ks) == 0 || len(ks) > 3 || q.claims(ks) {
			return draft{}, false
		}
		for _, k := range ks {
			b.wholeText(c, &d, k)
		}
	}
	return d, true
}

func (b *Bot) noClause(c *corpus, q *question, s scope, doc *source, r ref) draft {
	if doc == nil {
		doc = c.byID[s.docs[0]]
	}
	first, last, n := doc.numberedRange()
	have := ""
	if n > 0 {
		have = b.lex.say(q.english, "noclauserange", args{"First": first, "Last": last, "N": n})
	}
	label := "第" + strconv.Itoa(r.n) + "条"
	if r.label != "" {
		label = r.label
	}
	if strings.Contains(first, "一") {
		label = "第" + zh.FormatNumeral(r.n) + "条"
	}
	return b.refuse(q, "noclause", args{"Label": label, "Title": shortTitle(doc.Title), "Range": have})
}

// numberedRange gives the labels of the first and the last numbered clause, and
// how many there are.
func (s *source) numberedRange() (first, last string, n int) {
	for _, k := range s.Clauses {
		if k.Number > 0 {
			if n == 0 {
				first = k.Label
			}
			last = k.Label
			n++
		}
	}
	return first, last, n
}

// wholeText quotes a clause up to the budget, at a sentence's end.
func (b *Bot) wholeText(c *corpus, d *draft, k *rag.Clause) {
	r := []rune(k.Text)
	end := len(r)
	if end > listBudget {
		end = 0
		for _, s := range zh.Sentences(k.Text) {
			if s.End > listBudget && end > 0 {
				break
			}
			end = min(s.End, listBudget)
		}
	}
	shown := oneLine(string(r[:end]))
	if end < len(r) {
		shown += ellipsis
	}
	d.quote(c.label(k), span{clause: k, doc: c.byID[k.Document], start: 0, end: end, shown: shown})
}
