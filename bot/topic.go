package bot

import (
	"math"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

// topic lists the words and phrases that carry what q is about, the corpus'
// own terms and the user's quotations first.
func (b *Bot) topic(c *corpus, q *question) []term {
	text := q.core
	if q.english {
		text = b.lex.translate(q.norm)
	}
	text = refRE.ReplaceAllString(refsRE.ReplaceAllString(text, "\n"), "\n")
	var out []term
	add := func(t string, named bool) {
		if t == "" || slices.ContainsFunc(out, func(o term) bool { return o.text == t }) {
			return
		}
		out = append(out, term{text: t, idf: c.index.IDF(t), named: named, alts: b.lex.synonyms[t]})
	}
	for _, s := range q.quoted {
		add(s, true)
	}
	for _, s := range q.titles {
		add(s, true)
	}
	rest := text
	for _, t := range c.terms {
		if strings.Contains(rest, t) && !b.lex.stop[t] {
			add(t, true)
			rest = strings.ReplaceAll(rest, t, "\n")
		}
	}
	for _, k := range b.lex.synKeys {
		if strings.Contains(rest, k) {
			add(k, false)
			rest = strings.ReplaceAll(rest, k, "\n")
		}
	}
	run := ""
	flush := func() {
		for _, w := range c.words(run) {
			if b.wordy(c, w) {
				add(w, false)
			}
		}
		run = ""
	}
	last := "" // the word before run
	for _, w := range c.index.Cut(rest) {
		if r := []rune(w); len(r) == 1 && zh.IsHan(r[0]) { // perhaps a part of a word that no dictionary knows
			run += w
			continue
		} else if len(r) >= 2 && !b.lex.stop[w] && !isNumber(w) {
			switch {
			case run != "" && last != "" && len(c.mentions(last+run+w, nil)) > 1: // 科技 型 中小企业
				out = out[:len(out)-1]
				w, run = last+run+w, ""
			case run != "":
				w, run = b.whole(c, run, w)
			}
			flush()
			n := len(out)
			add(w, false)
			if last = ""; len(out) > n {
				last = w
			}
			continue
		}
		flush()
		last = ""
	}
	flush()
	for i := range out {
		if q.onlyAsks(out[i].text) {
			out[i].idf *= askedDiscount
		}
	}
	return slices.DeleteFunc(out, func(t term) bool { return b.lex.stop[t.text] || q.counts(t.text) })
}

// onlyAsks reports a word that says what is asked, not what about: 电话.
func (q *question) onlyAsks(w string) bool {
	return slices.ContainsFunc(q.attrs, func(a *attribute) bool {
		return a.name == "phone" && a.ask.FindString(w) == w
	})
}

// askedDiscount is what a word that only says what is asked counts for.
const askedDiscount = .2

// counts reports a word that is the unit asked for: 万个 in 多少万个.
func (q *question) counts(w string) bool {
	if !strings.Contains(q.core, "多少"+w) && !strings.Contains(q.core, "几"+w) {
		return false
	}
	n := zh.Quantities("3" + w)
	return len(n) == 1 && n[0].End == 1+len([]rune(w))
}

// whole puts the character that the segmenter cut off back before w where the
// documents know both as one: 新 and 材料.
func (b *Bot) whole(c *corpus, run, w string) (word, rest string) {
	r := []rune(run)
	if len(r) == 0 || b.lex.stop[string(r[len(r)-1:])] {
		return w, run
	}
	if joined := string(r[len(r)-1:]) + w; len(c.mentions(joined, nil)) > 1 {
		return joined, string(r[:len(r)-1])
	}
	return w, run
}

// wordy reports that w may be a word: it begins with no stop word, and ends
// with one only where several clauses have it.
func (b *Bot) wordy(c *corpus, w string) bool {
	r := []rune(w)
	if b.lex.stop[string(r[:1])] {
		return false
	}
	return !b.lex.stop[string(r[len(r)-1:])] || len(c.mentions(w, nil)) > 1
}

// words finds what the documents know in a run of characters that the
// segmenter left alone: the longest strings of theirs, from the left.
func (c *corpus) words(run string) []string {
	r := []rune(run)
	var out []string
	for i := 0; i+2 <= len(r); {
		n := 0
		for i+n+2 <= len(r) && c.known(string(r[i+n:i+n+2])) {
			n++
		}
		for n++; n >= 2 && !c.contains(string(r[i:i+n]), nil); n-- {
		}
		if n < 2 {
			i++
			continue
		}
		out = append(out, string(r[i:i+n]))
		i += n
	}
	return out
}

// known reports a pair of characters that some clause has.
func (c *corpus) known(pair string) bool { return c.index.IDF(pair) < c.unknown }

// weigh makes the terms' weights those inside the documents of the scope, so
// that what every clause there says, as the title does, tells nothing.
func (c *corpus) weigh(q *question, s scope) {
	if len(s.docs) == 0 || len(s.docs) > 3 {
		return
	}
	ks := c.clausesOf(s.docs)
	for i := range q.terms {
		t := &q.terms[i]
		n := 0
		for _, k := range ks {
			if t.in(c.folded(k)) {
				n++
			}
		}
		t.idf = math.Log(1 + (float64(len(ks)-n)+.5)/(float64(n)+.5))
		for _, id := range s.docs {
			if c.byID[id].tells(*t) {
				t.idf *= titleDiscount
			}
		}
	}
}

// titleDiscount is what a term of the title counts for inside its document.
const titleDiscount = .3

func isNumber(s string) bool {
	_, ok := zh.Decimal(s)
	return ok
}

// in reports whether the folded text holds the term or one of its synonyms.
func (t term) in(text string) bool {
	return strings.Contains(text, t.text) || slices.ContainsFunc(t.alts, func(a string) bool { return strings.Contains(text, a) })
}

// weight is what finding the term counts for.
func (t term) weight() float64 {
	w := max(t.idf, .1)
	if t.named {
		w *= 1.5
	}
	return w
}
