package bot

import (
	"regexp"
	"slices"
	"strings"
	"unicode"

	"zhengda/internal/zh"
)

// question is what code reads out of an Ask.
type question struct {
	ask         Ask
	english     bool
	norm        string // folded, simplified, typos corrected, no white space between Chinese
	core        string // norm without greetings
	search      string // what the index is asked: core, the carried topic, expansions
	expanded    string // words that documents use for what the question says
	fixes       []fix
	quoted      []string // folded contents of “…” and 「…」
	titles      []string // folded contents of 《…》
	refs        []ref
	years       []int
	places      []string
	figures     []zh.Quantity // neither dates nor ordinals
	numbers     []string      // bare numbers: 编号17
	attrs       []*attribute
	forms       map[string]bool
	terms       []term
	carried     *question // the earlier question that this one goes on with
	cited       []ref     // clauses that the earlier answer named
	own         int       // terms of its own, when it goes on with carried
	citedTitles []string
	called      [][]rune // words that end with a kind of document, as a title does
	one         bool     // it is one of the things that a question compares
	within      []string // IDs of the documents that it is answered from; empty: all
}

type fix struct{ from, to string }

// ref names a clause or chapter: 第17条, 第六章, 第(四十三)条.
type ref struct {
	n       int
	chapter bool
	sub     int    // 之一
	label   string // of a standard: 5.9
}

// term is a word or phrase of the question that carries its topic.
type term struct {
	text  string  // folded
	idf   float64 // 0: not in the corpus
	named bool    // quoted by the user or a term of the corpus
	alts  []string
}

var (
	refRE    = regexp.MustCompile(`第[(]?([0-9零〇○一二三四五六七八九十百千两]+)[)]?(条|章|部分)(?:之([一二三四五六七八九十]+))?`)
	refsRE   = regexp.MustCompile(`第[(]?[0-9零一二三四五六七八九十百]+[)]?(?:(?:、|,|和|与|及|以及)第?[(]?[0-9零一二三四五六七八九十百]+[)]?)+([条章])`)
	dottedRE = regexp.MustCompile(`(^|[^0-9.])([0-9]{1,2}(?:\.[0-9]{1,2}){1,3})(条|款|节|讲|说|规定|写)`)
	refEnRE  = regexp.MustCompile(`\b(clause|article|chapter)\s*(\d+)\b`)
	quotedRE = regexp.MustCompile(`"([^"]{1,60})"|'([^']{2,60})'`)
	titleRE  = regexp.MustCompile(`《([^》]{2,80})》`)
	latinRE  = regexp.MustCompile(`[a-z][a-z' -]*[a-z]`)
	numberRE = regexp.MustCompile(`〔?\[?\(?(\d{4})\)?\]?〕?(\d{1,4})号`)
)

// read understands one question against the corpus.
func (b *Bot) read(c *corpus, a Ask) *question {
	q := &question{ask: a, forms: map[string]bool{}}
	text := b.lex.simplify(zh.Fold(a.Question))
	q.english = mostlyEnglish(text)
	text = joinHan(text)
	text = b.correct(c, q, text)
	q.norm = text
	q.core = b.lex.strip(text)
	q.expanded = b.lex.expand(q)
	full := q.core + " " + q.expanded
	for k, re := range b.lex.forms {
		if re.MatchString(q.core) || k == "followup" && re.MatchString(q.norm) {
			q.forms[k] = true
		}
	}
	for _, at := range b.lex.attrs {
		if at.ask.MatchString(q.core) {
			q.attrs = append(q.attrs, at)
		}
	}
	q.attrs = narrowest(q.attrs)
	q.readNames()
	q.places = b.lex.placesIn(full)
	for _, p := range c.places {
		if strings.Contains(q.core, p.said) && !slices.ContainsFunc(q.places, func(o string) bool { return strings.Contains(o, p.place) }) {
			q.places = append(q.places, p.place)
		}
	}
	q.readFigures()
	q.terms = b.topic(c, q)
	q.search = q.core
	return q
}

// narrowest leaves out the attributes that another one is a narrower kind of:
// a day, where the deadline is asked for by its day.
func narrowest(attrs []*attribute) []*attribute {
	return slices.DeleteFunc(slices.Clone(attrs), func(a *attribute) bool {
		return slices.ContainsFunc(attrs, func(o *attribute) bool { return slices.Contains(o.over, a.name) })
	})
}

// simplify maps traditional characters to simplified ones.
func (x *Lexicon) simplify(s string) string {
	return strings.Map(func(r rune) rune {
		if t, ok := x.t2s[r]; ok {
			return t
		}
		return r
	}, s)
}

// strip removes greetings and polite openings.
func (x *Lexicon) strip(s string) string {
	for range 3 {
		t := x.forms["lead"].ReplaceAllString(s, "")
		if t == s || len([]rune(t)) < 2 {
			break
		}
		s = t
	}
	return strings.TrimSpace(s)
}

// mostlyEnglish reports a question in English, Chinese names in it
// notwithstanding.
func mostlyEnglish(s string) bool {
	words, han := 0, 0
	for w := range strings.FieldsSeq(s) {
		if w[0] >= 'a' && w[0] <= 'z' {
			words++
		}
	}
	for _, r := range s {
		if zh.IsHan(r) {
			han++
		}
	}
	return words >= 2 && words*2 >= han && englishWord.MatchString(s)
}

var englishWord = regexp.MustCompile(`\b(the|is|are|what|which|who|how|when|where|does|do|for|of|in|to|any|there|and|can|please|tell|give|ignore|all|about|me|my|many|much|hello|hi)\b`)

// joinHan removes white space that touches a Chinese character.
func joinHan(s string) string {
	r := []rune(strings.Join(strings.Fields(s), " "))
	out := r[:0:0]
	for i, c := range r {
		if c == ' ' && (i > 0 && !latinOrDigit(r[i-1]) || i+1 < len(r) && !latinOrDigit(r[i+1])) {
			continue
		}
		out = append(out, c)
	}
	return string(out)
}

func latinOrDigit(r rune) bool { return r < 0x80 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }

// correct replaces words that sound like a term of the corpus but do not stand
// in it, and pinyin, by that term.
func (b *Bot) correct(c *corpus, q *question, text string) string {
	if !q.english {
		text = latinRE.ReplaceAllStringFunc(text, func(s string) string {
			if t := c.fromPinyin(s); t != "" {
				q.fixes = append(q.fixes, fix{s, t})
				return t
			}
			return s
		})
	}
	r := []rune(text)
	for n := min(8, len(r)); n >= 3; n-- {
		for i := 0; i+n <= len(r); i++ {
			w := string(r[i : i+n])
			if t := c.soundsLike(w); t != "" {
				q.fixes = append(q.fixes, fix{w, t})
				copy(r[i:i+n], []rune(t))
				i += n - 1
			}
		}
	}
	return string(r)
}

// soundsLike returns the term of the corpus that w is a misspelling of: the
// same sound, at least half of its characters right, and w nowhere in the
// corpus.
func (c *corpus) soundsLike(w string) string {
	for _, r := range w {
		if !zh.IsHan(r) {
			return ""
		}
	}
	p := sound(w)
	if p == "" {
		return ""
	}
	for _, t := range c.sound[p] {
		if t == w {
			return ""
		}
		if alike(w, t)*2 >= len([]rune(t)) && !c.contains(w, nil) {
			return t
		}
	}
	return ""
}

// alike counts the runes that two words of one length share by position.
func alike(a, b string) int {
	x, y := []rune(a), []rune(b)
	n := 0
	for i := range min(len(x), len(y)) {
		if x[i] == y[i] {
			n++
		}
	}
	return n
}

// fromPinyin reads syllables, spaced or not, as a term of the corpus.
func (c *corpus) fromPinyin(s string) string {
	if len(s) < 5 {
		return ""
	}
	want := strings.NewReplacer(" ", "", "'", "", "-", "").Replace(s)
	for p, ts := range c.sound {
		if len(p) >= len(want)/2 && len([]rune(ts[0])) >= 2 && plainPinyin(ts[0]) == want {
			return ts[0]
		}
	}
	return ""
}

// readNames finds quotations, titles and numbered clauses.
func (q *question) readNames() {
	for _, m := range quotedRE.FindAllStringSubmatch(q.norm, -1) {
		q.quoted = append(q.quoted, m[1]+m[2])
	}
	for _, m := range titleRE.FindAllStringSubmatch(q.norm, -1) {
		q.titles = append(q.titles, zh.Squeeze(m[1]))
	}
	for _, m := range kindRE.FindAllString(q.core, calledMost) {
		q.called = append(q.called, []rune(m))
	}
	q.refs = refsIn(q.norm)
}

func refsIn(s string) []ref {
	var out []ref
	s = refsRE.ReplaceAllStringFunc(s, spellRefs)
	for _, m := range refRE.FindAllStringSubmatch(s, -1) {
		if n, ok := zh.Numeral(m[1]); ok {
			sub, _ := zh.Numeral(m[3])
			out = append(out, ref{n: n, chapter: m[2] != "条", sub: sub})
		}
	}
	for _, m := range dottedRE.FindAllStringSubmatch(s, -1) {
		out = append(out, ref{label: m[2]})
	}
	for _, m := range refEnRE.FindAllStringSubmatch(s, -1) {
		if n, ok := zh.Numeral(m[2]); ok {
			out = append(out, ref{n: n, chapter: m[1] == "chapter"})
		}
	}
	return out
}

// spellRefs writes each of several numbers in full: 第4、10条 as 第4条、第10条.
func spellRefs(s string) string {
	r := []rune(s)
	kind := string(r[len(r)-1:])
	var out []string
	for _, n := range numeralRE.FindAllString(s, -1) {
		out = append(out, "第"+n+kind)
	}
	return strings.Join(out, "、")
}

var numeralRE = regexp.MustCompile(`[0-9]+|[零一二三四五六七八九十百]+`)

// readFigures separates years from amounts.
func (q *question) readFigures() {
	text := numberRE.ReplaceAllString(q.core, "")
	text = dottedRE.ReplaceAllString(refsRE.ReplaceAllString(text, ""), "$1$3")
	for _, f := range zh.Quantities(text) {
		switch {
		case f.Date && f.Unit == "年":
			q.years = append(q.years, int(f.Value.IntPart()))
		case f.Date || f.Ordinal || f.Unit == "章":
		case f.Unit == "":
			q.numbers = append(q.numbers, string([]rune(text)[f.Start:f.End]))
			q.figures = append(q.figures, f)
		case askedUnit(text, f):
		default:
			q.figures = append(q.figures, f)
		}
	}
}

// askedUnit reports figures that only count what is asked for: 哪三项, 两处,
// 这两部.
func askedUnit(s string, f zh.Quantity) bool {
	r := []rune(s)
	if f.Start > 0 && strings.ContainsRune("哪这那几前后另", r[f.Start-1]) {
		return true
	}
	return !strings.ContainsAny(string(r[f.Start:f.End]), "0123456789") && f.Scale == "" && len([]rune(string(r[f.Start:f.End]))) <= 2
}

// placesIn lists the places that s names; a province that only introduces its
// city (广东省东莞市) is none of its own.
func (x *Lexicon) placesIn(s string) []string {
	var out []string
	rest := s
	for _, p := range x.placeKeys {
		if strings.Contains(rest, p) {
			out = append(out, p)
			rest = strings.ReplaceAll(rest, p, "\x00")
		}
	}
	return slices.DeleteFunc(out, func(p string) bool {
		return slices.ContainsFunc(out, func(o string) bool {
			return o != p && x.places[o] == p && (strings.Contains(s, p+o) || strings.Contains(s, p+"省"+o))
		})
	})
}

// expand translates English and adds the synonyms of what q says.
func (x *Lexicon) expand(q *question) string {
	var out []string
	if q.english {
		out = append(out, x.translate(q.norm))
	}
	rest := q.core
	for _, k := range x.synKeys {
		if strings.Contains(rest, k) {
			out = append(out, x.synonyms[k]...)
			rest = strings.ReplaceAll(rest, k, "\x00")
		}
	}
	return strings.Join(out, " ")
}

// translate replaces the English words of s, or their plurals, that the glossary knows and drops
// the others; Chinese stays.
func (x *Lexicon) translate(s string) string {
	for _, k := range x.engKeys {
		if strings.Contains(s, k) {
			re := regexp.MustCompile(`\b` + regexp.QuoteMeta(k) + `(?:e?s)?\b`)
			s = re.ReplaceAllString(s, x.english[k])
		}
	}
	var out strings.Builder
	for _, r := range s {
		if zh.IsHan(r) || unicode.IsDigit(r) || r == '%' || r == '"' {
			out.WriteRune(r)
		} else if r == ' ' || r == ',' || r == '?' {
			out.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(out.String()), " ")
}
