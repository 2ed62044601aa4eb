package bot

import (
	"cmp"
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// evidence is one sentence of a clause that may answer.
type evidence struct {
	clause     *rag.Clause
	doc        *source
	start, end int    // rune offsets in the clause's text
	text       string // verbatim
	fold       string // folded, without white space
	passage    rag.Passage
	sentence   float64 // how like the question the sentence is, among all gathered
	dense      float64 // cosine to the question
	score      float64
}

const (
	clausesKept = 12 // clauses whose sentences are looked at
	searchDepth = 12
)

// gather finds the sentences that may answer q in scope, best first.
func (b *Bot) gather(ctx context.Context, c *corpus, q *question, docs []string) ([]evidence, error) {
	if len(docs) == 0 && c.partial {
		if docs = ids(c.docs); len(docs) == 0 {
			return nil, nil
		}
	}
	query := q.query()
	if found := c.among(docs); q.one && len(docs) > 0 {
		for _, t := range q.terms { // the place has told the documents
			if !slices.ContainsFunc(found, func(d *source) bool { return !d.isPlace(t.text) }) {
				query.Text = strings.ReplaceAll(query.Text, t.text, "")
			}
		}
	}
	query.Documents, query.K = docs, searchDepth
	passages, err := c.index.Search(ctx, query)
	if err != nil {
		return nil, err
	}
	if only := q.clauses(c, docs); len(only) > 0 {
		passages = keepClauses(c, passages, only)
	}
	return b.sentences(ctx, c, q, passages)
}

// query is what the index is asked: of a question in English, its translation.
func (q *question) query() rag.Query {
	if q.english {
		return rag.Query{Text: q.expanded}
	}
	return rag.Query{Text: q.search, Words: q.expanded}
}

// keepClauses restricts passages to the clauses that the question names.
func keepClauses(c *corpus, ps []rag.Passage, only []*rag.Clause) []rag.Passage {
	var out []rag.Passage
	for _, k := range only {
		p := rag.Passage{Clause: k, Document: c.byID[k.Document].Document}
		if i := slices.IndexFunc(ps, func(o rag.Passage) bool { return o.Clause.ID == k.ID }); i >= 0 {
			p = ps[i]
		}
		out = append(out, p)
	}
	return out
}

// sentences scores the sentences of the passages.
func (b *Bot) sentences(ctx context.Context, c *corpus, q *question, passages []rag.Passage) ([]evidence, error) {
	if len(passages) == 0 {
		return nil, nil
	}
	passages = passages[:min(len(passages), clausesKept)]
	clauses := make([]*rag.Clause, len(passages))
	at := map[string]rag.Passage{}
	for i, p := range passages {
		clauses[i] = p.Clause
		at[p.Clause.ID] = p
	}
	scored, err := c.index.Sentences(ctx, q.query(), clauses)
	if err != nil {
		return nil, err
	}
	out := make([]evidence, 0, len(scored))
	for _, s := range scored {
		text := string([]rune(s.Clause.Text)[s.Start:s.End])
		p := at[s.Clause.ID]
		out = append(out, evidence{clause: s.Clause, doc: c.byID[s.Clause.Document], start: s.Start, end: s.End, text: text,
			fold: zh.Squeeze(zh.Fold(text)), passage: p, sentence: s.Score, dense: s.Dense})
	}
	b.rank(q, out, passages[0].Score)
	return q.settle(c, out), nil
}

// Weights of what makes a sentence the one that answers, chosen on the
// development questions of seeds/questions.jsonl.
const (
	clauseWeight   = 1.5 // how far its clause is below the best clause
	sentenceWeight = .5
	namedWeight    = 1.2  // share of the question's terms in the sentence
	attrWeight     = .6   // the asked attribute stands in it
	titleWeight    = -1.5 // it is only the clause's run-in title
	toldWeight     = -2.0 // the earlier answer has told it
	emptyWeight    = -1.0 // it is a signature, a heading or a covering note
	shortSentence  = 8    // runes
	repeatWeight   = .15  // each time that it says what the question quotes
	numberWeight   = .6   // it holds a bare number of the question
	rowWeight      = 5.0  // it is the row of a table that this number opens
	phoneWeight    = 1.5  // it has the telephone number asked for
	rowNameWeight  = 2.5  // it is the row of a table that the question names
	codeWeight     = 2.0  // it says what this number stands for
	citedWeight    = 1.0  // it stands near a clause that the earlier answer cited
	orderWeight    = -2.0 // it speaks to a machine
)

// rank orders sentences by their clause, their own likeness to the question,
// the terms of the question in them, and the attribute asked for.
func (b *Bot) rank(q *question, es []evidence, best float64) {
	purpose := b.lex.form("ask_purpose", q.core)
	for i := range es {
		e := &es[i]
		read := e.fold
		if h, ok := header(*e); ok {
			read += "\n" + h.fold
		}
		e.score = clauseWeight*(e.passage.Score-best) + sentenceWeight*e.sentence + namedWeight*q.share(read)
		if len(q.attrs) > 0 && slices.ContainsFunc(q.attrs, func(a *attribute) bool { return a.in(e.fold, e.text) }) {
			e.score += attrWeight
		}
		if kind, asks := q.measure(); asks && slices.ContainsFunc(zh.Quantities(e.text), func(f zh.Quantity) bool { return !f.Date && !f.Ordinal && zh.Kind(f.Unit) == kind }) {
			e.score += attrWeight
		}
		if e.isTitle() {
			e.score += titleWeight
		}
		if q.told(*e) {
			e.score += toldWeight
		}
		if e.end-e.start < shortSentence || e.isRemark() || e.clause.Number == 0 && strings.HasPrefix(e.clause.Label, "通知") {
			e.score += emptyWeight
		}
		if b.lex.form("say_purpose", e.fold) && !purpose {
			e.score += emptyWeight
		}
		if q.has("phone") && phoneRE.MatchString(e.text) {
			e.score += phoneWeight
		}
		if q.namesRow(*e) {
			e.score += rowNameWeight
		}
		for _, n := range q.numbers {
			if cell, _, ok := strings.Cut(e.text, "\t"); ok && strings.TrimSpace(cell) == n {
				e.score += rowWeight
			} else if standsFor(e.fold, n) {
				e.score += codeWeight
			} else if slices.Contains(tokens(e.text), n) {
				e.score += numberWeight
			}
		}
		for _, t := range q.quoted {
			e.score += repeatWeight * float64(min(strings.Count(e.fold, t), 4))
		}
		if q.carried != nil && slices.ContainsFunc(q.cited, func(r ref) bool { return !r.chapter && abs(r.n-e.clause.Number) <= 2 }) {
			e.score += citedWeight
		}
	}
	slices.SortStableFunc(es, better)
	for i := range es[:min(len(es), clausesKept)] {
		if b.lex.orders(es[i].text) {
			es[i].score += orderWeight
		}
	}
	slices.SortStableFunc(es, better)
}

// better puts the higher score first, then reading order.
func better(a, b evidence) int {
	return cmp.Or(cmp.Compare(b.score, a.score), strings.Compare(a.clause.ID, b.clause.ID), a.start-b.start)
}

// phoneRE finds a telephone number.
var phoneRE = regexp.MustCompile(`\d{3,4}[-—－]\d{7,8}|1\d{10}|(^|\D)(12\d{3}|\d{7,8}|400-?\d{3}-?\d{4})(\D|$)`)

// namesRow reports the row of a table whose name, its first cell that is no
// number, q says.
func (q *question) namesRow(e evidence) bool {
	cells := strings.Split(zh.Fold(e.text), "\t")
	if len(cells) < 2 {
		return false
	}
	for _, cell := range cells {
		cell = zh.Squeeze(cell)
		if hanCount(cell) > 0 {
			return hanCount(cell) >= 2 && strings.Contains(q.core, cell)
		}
	}
	return false
}

// standsFor reports that the text says what the code n means: 3表示….
func standsFor(text, n string) bool {
	for rest, found := text, true; found; {
		var before string
		if before, rest, found = strings.Cut(rest, n); found && !strings.HasSuffix(before, "第") && !endsInDigit(before) {
			for _, w := range []string{"表示", "代表", "是指", "为", "指"} {
				if strings.HasPrefix(rest, w) {
					return true
				}
			}
		}
	}
	return false
}

func endsInDigit(s string) bool {
	return s != "" && (s[len(s)-1] >= '0' && s[len(s)-1] <= '9' || s[len(s)-1] == '.')
}

// measure is the kind of figure that q asks for (多少平方米, 多厚), "" for a
// number of things; asks is false when it asks for none.
func (q *question) measure() (kind string, asks bool) {
	for _, w := range []struct{ words, kind string }{{"多厚多长多宽多高多远多深", "长度"}, {"多重", "重量"}, {"几岁", "年龄"}} {
		r := []rune(w.words)
		for i := 0; i+2 <= len(r); i += 2 {
			if strings.Contains(q.core, string(r[i:i+2])) && !(string(r[i:i+2]) == "多长" && strings.Contains(q.core, "多长时间")) {
				return w.kind, true
			}
		}
	}
	if kind := askedKind(q.core); kind != "" {
		return kind, true
	}
	return "", q.forms["count"]
}

// tokens splits a text at everything but digits, letters and points.
func tokens(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r == '.')
	})
}

// isRemark reports a sentence all in brackets: （农业农村部指导）.
func (e evidence) isRemark() bool {
	return (strings.HasPrefix(e.text, "（") || strings.HasPrefix(e.text, "(")) && !isItem(e.text)
}

// isTitle reports the run-in title of a clause, which says what it is about
// and nothing more.
func (e evidence) isTitle() bool {
	return e.start == 0 && e.clause.Title != "" && e.end <= len([]rune(e.clause.Title))+1
}

// told reports a sentence that the earlier answer quoted in part.
func (q *question) told(e evidence) bool {
	if q.carried == nil {
		return false
	}
	h := q.ask.History
	for i := len(h) - 1; i >= 0; i-- {
		if h[i].Role == "assistant" {
			told := zh.Squeeze(zh.Fold(h[i].Content))
			for _, f := range zh.Quantities(told) {
				if !f.Ordinal && !f.Date && f.Unit != "" && hasFigure(e.text, f) {
					return true
				}
			}
			s := common(told, e.fold)
			return len([]rune(s)) >= 8 || len([]rune(s))*2 > len([]rune(e.fold))
		}
	}
	return false
}

// share is the weight of the question's terms that stand in the text, 0 to 1.
func (q *question) share(text string) float64 {
	var have, all float64
	for _, t := range q.terms {
		all += t.weight()
		if t.in(text) {
			have += t.weight()
		}
	}
	if all == 0 {
		return 0
	}
	return have / all
}

// in reports whether the attribute stands in a sentence: a figure of its
// units, or its wording.
func (a *attribute) in(fold, text string) bool {
	if len(a.units) > 0 {
		for _, f := range zh.Quantities(text) {
			if a.units[f.Unit] {
				return true
			}
		}
	}
	return a.find != nil && a.find.MatchString(fold)
}

// clauses are those that the question names: 第17条, all of 第六章.
func (q *question) clauses(c *corpus, docs []string) []*rag.Clause {
	var out []*rag.Clause
	for _, r := range q.refs {
		if !r.chapter {
			out = append(out, c.numbered(r, docs)...)
		}
	}
	return out
}

// numbered finds the clauses of a number: printed as 第n条, n. or （n）.
func (c *corpus) numbered(r ref, docs []string) []*rag.Clause {
	var out []*rag.Clause
	for _, k := range c.clausesOf(docs) {
		if r.label != "" {
			if k.Label == r.label {
				out = append(out, k)
			}
			continue
		}
		if k.Number != r.n || r.sub > 0 && !strings.Contains(k.Label, "之"+zh.FormatNumeral(r.sub)) || r.sub == 0 && strings.Contains(k.Label, "条之") {
			continue
		}
		out = append(out, k)
	}
	return out
}

func yearText(y int) string { return strconv.Itoa(y) + "年" }

func abs(n int) int { return max(n, -n) }
