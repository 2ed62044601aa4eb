package bot

import (
	"regexp"
	"slices"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
)

// verdicts are the opening words of an answer for what a question asks: may
// one, must one, is there, is it so.
var verdicts = []struct{ form, yes, no string }{
	{"has", "exists", "absent"}, {"can", "can", "cannot"}, {"need", "needed", "notneeded"}, {"", "yes", "no"},
}

// A sentence is too far from the question to decide it where its clause has less
// than this share of the question's terms, and the cosine of the two is below.
const (
	foreignShare  = .1
	foreignCosine = .6
)

// yesNo answers with a verdict and the sentence that decides it. Where code
// cannot tell that the sentence decides, it says so instead of a verdict.
func (b *Bot) yesNo(c *corpus, q *question, es []evidence) draft {
	b.decide(q, es)
	e := es[0]
	d := draft{notes: b.fixNotes(q)}
	v := b.verdict(c, q, e)
	if key, a := q.bounded(e); key != "" {
		d.frame(b.lex.say(q.english, key, a))
	} else {
		d.frame(b.lex.say(q.english, v, args{}))
	}
	b.add(c, q, &d, e)
	if v == "partly" {
		b.addOthers(c, q, &d, es[:1], es)
	}
	return d
}

// decide moves the sentence to the head of es that decides what one may or must:
// where the best one neither allows nor forbids, the next one that does and says
// as much of the question.
func (b *Bot) decide(q *question, es []evidence) {
	rules := func(e evidence) bool { return b.lex.form("negword", e.fold) || b.lex.form("rule", e.fold) }
	if !q.forms["can"] && !q.forms["need"] || rules(es[0]) {
		return
	}
	for _, e := range es {
		if e.score < es[0].score-decideReach {
			return
		}
		if rules(e) && q.share(e.fold) >= q.share(es[0].fold)/2 {
			lead(es, e)
			return
		}
	}
}

// decideReach is how far below the best sentence, in points of its score, one
// that decides may be.
const decideReach = 1.0

func (b *Bot) verdict(c *corpus, q *question, e evidence) string {
	v := verdicts[len(verdicts)-1]
	for _, o := range verdicts {
		if q.forms[o.form] {
			v = o
			break
		}
	}
	if q.share(c.folded(e.clause)) < foreignShare && e.dense < foreignCosine {
		return "partly"
	}
	if b.apart(c, q, e) || q.elsewhere(c, e) || v.form == "has" && q.unquoted(c, e) {
		return v.no
	}
	seg := q.segment(e)
	if b.lex.form("excuses", seg) || e.doc.repealed(q.day(b.now())) {
		return "partly"
	}
	neg, may := b.lex.forms["negword"], b.lex.forms["permit"]
	denies := b.denies(seg)
	switch asked := neg.MatchString(eitherRE.ReplaceAllString(q.core, "")); {
	case denies && !asked, !denies && q.forms["confirm"] && q.forms["unsaid"]:
		return v.no
	case q.forms["done"] && b.lex.form("planned", seg) && !b.lex.form("done", seg):
		return "planned"
	case q.forms["only"] && !b.lex.form("only", seg):
		return "partly"
	case v.form == "has" && q.absentObject(c, e), v.form != "has" && q.absent(c, b.lex, e):
		return "partly"
	case v.form == "can" && !may.MatchString(e.fold):
		return "partly"
	}
	return v.yes
}

// denies reports a denial that no permission stands before in its part between
// commas: 可以在禁止…的路段行驶 allows.
func (b *Bot) denies(text string) bool {
	for _, g := range segments([]rune(text), 0, len([]rune(text))) {
		s := string([]rune(text)[g.Start:g.End])
		no := b.lex.forms["negword"].FindStringIndex(s)
		may := b.lex.forms["rule"].FindStringIndex(s)
		if no != nil && (may == nil || may[1] > no[0]) {
			return true
		}
	}
	return false
}

// bounded compares the one figure of the question with the one bound of its
// kind in the sentence: 5人 with 不少于10人. The key is "" where there is not one
// of each.
func (q *question) bounded(e evidence) (key string, a args) {
	if len(q.figures) != 1 || q.forms["confirm"] || q.forms["has"] {
		return "", nil
	}
	f, bound, n := q.figures[0], zh.Quantity{}, 0
	for _, g := range zh.Quantities(e.text) {
		if months(g).Unit == months(f).Unit && !g.Date && !g.Ordinal {
			bound = g
			n++
		}
	}
	if n != 1 || bound.Cmp == zh.EQ || bound.Cmp == "" || f.Cmp != zh.EQ && f.Cmp != "" || f.Unit == "" {
		return "", nil
	}
	r := []rune(e.text)
	words := string(r[bound.Start:bound.End])
	if i := strings.Index(string(r), bound.Hedge+words); i >= 0 {
		words = bound.Hedge + words
	} else if strings.Contains(string(r), words+bound.Hedge) {
		words += bound.Hedge
	}
	key = "beyond"
	if meets(months(f).Value.Cmp(months(bound).Value), bound.Cmp) {
		key = "within"
	}
	return key, args{"Asked": string([]rune(q.figureText())[f.Start:f.End]), "Quote": words}
}

// meets reports that a figure that compares so with a bound keeps it.
func meets(c int, bound zh.Cmp) bool {
	switch bound {
	case zh.GE:
		return c >= 0
	case zh.GT:
		return c > 0
	case zh.LE:
		return c <= 0
	}
	return c < 0
}

// months turns years into months, so that the two compare.
func months(f zh.Quantity) zh.Quantity {
	if f.Unit == "年" {
		f.Unit, f.Value = "个月", f.Value.Mul(decimal.NewFromInt(12))
	}
	return f
}

// eitherRE are the questions in which a denial denies nothing: 有没有, 能不能.
var eitherRE = regexp.MustCompile(`有没有|是不是|能不能|可不可以|会不会|要不要|用不用|该不该|需不需要|行不行|对不对|算不算`)

// elsewhere reports a place of the question that the clause does not name,
// though the question says where to look.
func (q *question) elsewhere(c *corpus, e evidence) bool {
	return len(q.refs) > 0 && slices.ContainsFunc(q.places, func(p string) bool {
		return !strings.Contains(c.folded(e.clause), p) && !strings.Contains(e.doc.title, p)
	})
}

// segment is the part of a sentence between commas that holds most of the
// question, folded; all of a short sentence.
func (q *question) segment(e evidence) string {
	r := []rune(e.clause.Text)
	if e.end-e.start < 60 {
		return e.fold
	}
	best, text := -1.0, e.fold
	for _, g := range segments(r, e.start, e.end) {
		f := zh.Squeeze(zh.Fold(string(r[g.Start:g.End])))
		if w := q.share(f); w > best {
			best, text = w, f
		}
	}
	return text
}

// unquoted reports that the clause, and all of its document, lacks what the
// question quotes.
func (q *question) unquoted(c *corpus, e evidence) bool {
	return len(q.quoted) > 0 && !slices.ContainsFunc(q.quoted, func(t string) bool {
		t = zh.Squeeze(t)
		return strings.Contains(c.folded(e.clause), t) || len([]rune(t)) > 2 && c.contains(t, []string{e.doc.ID})
	})
}

var hasRE = regexp.MustCompile(`有没有|有无|是否有|有`)

// absentObject reports that what the question asks for after 有没有 has a word
// that the clause does not have.
func (q *question) absentObject(c *corpus, e evidence) bool {
	i := hasRE.FindStringIndex(q.core)
	if i == nil {
		return false
	}
	object, text := q.core[i[1]:], c.folded(e.clause)
	return slices.ContainsFunc(q.terms, func(t term) bool {
		return len([]rune(t.text)) >= 2 && strings.Contains(object, t.text) && !t.in(text)
	})
}

// absent reports a term of the question that the clause does not have.
func (q *question) absent(c *corpus, lex *Lexicon, e evidence) bool {
	text := c.folded(e.clause)
	return slices.ContainsFunc(q.terms, func(t term) bool { return !t.in(text) && len([]rune(t.text)) >= 2 })
}

// apart reports that what the question puts together stands in the sentence in
// different parallel segments (支持甲区…,支持乙区…): two of its terms, each in a
// segment of its own that the other is not in.
func (b *Bot) apart(c *corpus, q *question, e evidence) bool {
	segs := actions(b.lex, e)
	if len(segs) < 3 {
		return false
	}
	at := -1
	for _, t := range q.terms {
		in := -1
		for i, s := range segs {
			if t.in(s) {
				if in >= 0 {
					in = -2
					break
				}
				in = i
			}
		}
		switch {
		case in < 0:
		case at < 0:
			at = in
		case at != in:
			return true
		}
	}
	return false
}

// actions are the folded segments of a sentence, each with a verb of its own;
// a segment without one belongs to the one before it.
func actions(lex *Lexicon, e evidence) []string {
	var out []string
	r := []rune(e.clause.Text)
	for _, g := range segments(r, e.start, e.end) {
		f := zh.Squeeze(zh.Fold(string(r[g.Start:g.End])))
		if len(out) > 0 && !lex.form("action", f) {
			out[len(out)-1] += f
			continue
		}
		out = append(out, f)
	}
	return out
}
