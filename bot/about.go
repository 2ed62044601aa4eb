package bot

import (
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// aboutRest is how many characters a question about a document as a whole may
// have beside the document's name and what it asks.
const aboutRest = 10

// about answers what is asked of a document as a whole: what it is for, since
// when it is in force, and whom it applies to; by the sentence that says so.
func (b *Bot) about(c *corpus, q *question, s scope) (draft, bool) {
	doc := c.theDocument(q, s)
	if doc == nil || len(q.refs) > 0 || q.forms["yesno"] {
		return draft{}, false
	}
	for _, kind := range []string{"purpose", "inforce", "applies"} {
		rest := doc.unnamed(q)
		m := b.lex.forms["ask_"+kind].FindString(rest)
		if m == "" || hanCount(rest)-hanCount(m) > aboutRest {
			continue
		}
		for i := range doc.Clauses {
			whole := wholeOf(&doc.Clauses[i], doc)
			for _, p := range sentencesOf(whole) {
				if e := whole.at(p); b.lex.form("say_"+kind, e.fold) {
					d := draft{notes: b.fixNotes(q)}
					b.tell(c, &d, q.shows(e.paragraph(), shortBudget))
					return d, true
				}
			}
		}
	}
	return draft{}, false
}

// unnamed is what q says without the name of the document, as far as it says it;
// with @ in its place where it says the end of the name, as 残疾人保障法.
func (s *source) unnamed(q *question) string {
	longest, sign := q.shortens(s), ""
	for _, n := range s.names {
		if w := common(q.core, n); len(w) > len(longest) {
			longest, sign = w, ""
			if strings.HasSuffix(n, w) {
				sign = "@"
			}
		}
	}
	if longest == "" {
		return q.core
	}
	return strings.Replace(q.core, longest, sign, 1)
}

// glossary answers what a word means by the sentence that says what it is: the
// longest word that the documents explain and that q asks about.
func (b *Bot) glossary(c *corpus, q *question, s scope) (draft, bool) {
	if !q.forms["define"] && len(q.quoted) == 0 || len(q.refs) > 0 {
		return draft{}, false
	}
	kind, figure := q.measure()
	asked := func(w string, e evidence) bool {
		if figure && slices.Contains(q.quoted, w) { // “批量”是多少公斤
			return slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return kind != "" && zh.Kind(f.Unit) == kind })
		}
		return q.forms["define"] && b.lex.asksMeaning(q.core, w)
	}
	var best evidence
	size := 0
	for _, d := range c.among(s.docs) {
		if d.fold(); !strings.Contains(d.all, "指") {
			continue
		}
		for i := range d.Clauses {
			whole := wholeOf(&d.Clauses[i], d)
			if !strings.Contains(c.folded(whole.clause), "指") {
				continue
			}
			for _, p := range sentencesOf(whole) {
				e := whole.at(p)
				if w := explained(e.fold); len(w) > size && asked(w, e) {
					best, size = e, len(w)
				}
			}
		}
	}
	if size == 0 {
		return draft{}, false
	}
	d := draft{notes: b.fixNotes(q)}
	if line := best.line(); line.end-line.start <= shortBudget {
		best = line
	}
	b.add(c, q, &d, best)
	return d, true
}

// explained is the word whose meaning the sentence gives: X in 本办法所称X,是指…;
// "" for none.
func explained(fold string) string {
	at := -1
	for _, w := range []string{"是指", "指的是", ",指", "特指"} {
		if i := strings.Index(fold, w); i > 0 && (at < 0 || i < at) {
			at = i
		}
	}
	if at < 0 {
		return ""
	}
	word := strings.TrimRight(fold[:at], `,:"`)
	for _, w := range []string{"所称的", "所称", "所指的", "所指", `"`, ")", "、", ".", ",", ":"} {
		if i := strings.LastIndex(word, w); i >= 0 {
			word = word[i+len(w):]
		}
	}
	if n := hanCount(word); n < 2 || n > 16 {
		return ""
	}
	return word
}

// asksMeaning reports that a question asks what the word w, and not a longer
// one with it, means.
func (x *Lexicon) asksMeaning(asked, w string) bool {
	for from := 0; ; {
		i := strings.Index(asked[from:], w)
		if i < 0 {
			return false
		}
		before, after := strings.TrimRight(asked[:from+i], `"`), strings.TrimLeft(asked[from+i+len(w):], `"`)
		if x.form("meaning_before", before) && !zh.IsHan(first(after)) || x.form("word_before", before) && x.form("meaning_behind", after) {
			return true
		}
		from += i + len(w)
	}
}

// first is the first rune of s, 0 of an empty one.
func first(s string) rune {
	for _, r := range s {
		return r
	}
	return 0
}
