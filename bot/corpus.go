package bot

import (
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/mozillazg/go-pinyin"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// corpus is what the bot derives from one index: where each document applies,
// which year it is about, and how its terms sound. It is made once per index.
type corpus struct {
	index   *rag.Index
	docs    []*source
	byID    map[string]*source
	sound   map[string][]string // fuzzy pinyin → terms of the corpus
	terms   []string            // vocabulary, longest first
	partial bool                // some documents are left out: a search must name the others
	unknown float64             // IDF of a term that no clause has
	places  []string            // places of documents, longest first
}

// source is one document with what decides whether a question means it.
type source struct {
	*rag.Document
	title  string   // folded
	place  string   // narrowest place it applies to; "" for national or unknown
	part   string   // the district or county of place that its title names; "" for none
	up     string   // the province of place
	year   int      // the year it is about; 0 unknown
	number string   // folded 文号
	names  []string // folded parts of the title by which people call it

	once  sync.Once
	texts map[*rag.Clause]string // folded, without white space
	all   string                 // the same, one clause a line

	told sync.Map // *rag.Clause → []zh.Span, the sentences that a model may be told
}

func newCorpus(x *rag.Index, lex *Lexicon) *corpus {
	c := &corpus{index: x, byID: map[string]*source{}, sound: map[string][]string{}}
	c.unknown = x.IDF("\x00")
	for _, d := range x.Documents() {
		s := newSource(d, lex)
		c.docs = append(c.docs, s)
		c.byID[d.ID] = s
		for _, p := range []string{s.place, s.part} {
			if p != "" && !slices.Contains(c.places, p) {
				c.places = append(c.places, p)
			}
		}
	}
	slices.SortFunc(c.places, byLength)
	for _, t := range x.Vocabulary() {
		if n := len([]rune(t.Text)); n >= 2 && n <= 12 {
			c.terms = append(c.terms, t.Text)
		}
	}
	slices.SortFunc(c.terms, byLength)
	for _, t := range c.terms {
		if p := sound(t); p != "" {
			c.sound[p] = append(c.sound[p], t)
		}
	}
	return c
}

func newSource(d *rag.Document, lex *Lexicon) *source {
	s := &source{Document: d, title: zh.Squeeze(zh.Fold(d.Title)), year: d.Meta.Year, number: zh.Squeeze(zh.Fold(d.Meta.Number))}
	if s.year == 0 {
		for _, q := range zh.Quantities(d.Title) {
			if q.Date && q.Unit == "年" {
				s.year = int(q.Value.IntPart())
			}
		}
	}
	if s.place = lex.placeIn(s.title); s.place == "" {
		s.place = ownPlace(d)
	}
	for _, from := range []string{d.Meta.Source, d.Meta.Issuer} {
		if s.place == "" {
			s.place = lex.placeIn(zh.Fold(from))
		}
	}
	if s.place == "" {
		s.place = lex.placeOften(d)
	}
	s.up = lex.places[s.place]
	for _, from := range []string{s.title, zh.Fold(d.Meta.Source), zh.Fold(d.Meta.Issuer)} {
		if m := partRE.FindStringSubmatch(from); m != nil && s.part == "" && s.place != "" && strings.HasPrefix(from, s.place) {
			s.part = m[1]
		}
	}
	s.names = titleNames(s.title)
	return s
}

// tells reports a term that tells the document, not a sentence in it: it stands in
// the title, or is the place.
func (s *source) tells(t term) bool {
	return t.in(s.title) || s.isPlace(t.text)
}

// isPlace reports a word that names the place of the document: 徐汇区.
func (s *source) isPlace(w string) bool {
	return slices.ContainsFunc([]string{s.place, s.part, s.up}, func(p string) bool {
		return p != "" && (w == p || hanCount(w) == hanCount(p)+1 && strings.HasPrefix(w, p) && strings.ContainsRune("省市区县", []rune(w)[len([]rune(p))]))
	})
}

// partRE finds the district or county of a city at the head of a title or issuer.
var partRE = regexp.MustCompile(`^\p{Han}{2,4}市(\p{Han}{2,3})[区县]`)

// titleNames are the names that a title contains: what stands in 《》, and the
// title without issuer and 关于…的通知.
func titleNames(title string) []string {
	names := []string{title}
	for rest := title; ; {
		_, after, ok := strings.Cut(rest, "《")
		if !ok {
			break
		}
		name, tail, ok := strings.Cut(after, "》")
		if !ok {
			break
		}
		names, rest = append(names, name), tail
	}
	if _, after, ok := strings.Cut(title, "关于"); ok {
		name := strings.TrimPrefix(strings.TrimPrefix(after, "印发"), "组织")
		names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "的通知"), "的意见"))
	}
	return names
}

// placeIn finds the narrowest place named in s: the city before its province.
func (x *Lexicon) placeIn(s string) string {
	found := ""
	for _, p := range x.placeKeys {
		if strings.Contains(s, p) && (found == "" || x.places[found] == found && x.places[p] == found) {
			found = p
		}
	}
	return found
}

// ownPlace is the city or county that no list of places has: the one that the
// title begins with, or that it names and an office of which signs the document
// (栖霞岭 of 栖霞岭县农业农村局).
func ownPlace(d *rag.Document) string {
	title := []rune(zh.Squeeze(zh.Fold(d.Title)))
	for end, unit := range title {
		district := unit == '区' && end <= 4 && !strings.ContainsRune("园社校景库灾矿牧林山地小开发新验范税管段", title[max(end-1, 0)])
		if unit != '市' && unit != '县' && !district || end+1 < len(title) && strings.ContainsRune("场级值面民容政域内外辖直属", title[end+1]) {
			continue
		}
		for n := 2; n <= 4 && n <= end; n++ {
			name := string(title[end-n : end])
			if strings.ContainsFunc(name, func(r rune) bool { return !zh.IsHan(r) || strings.ContainsRune("大强困各全", r) }) || unit == '市' && strings.HasSuffix(name, "城") {
				break
			}
			office := regexp.MustCompile(`(^|\P{Han})` + name + string(unit) + `(人民政府|[\p{Han}]{2,8}(局|厅|委员会|办公室))`)
			if n == end || office.MatchString(d.Meta.Source) || office.MatchString(d.Meta.Issuer) ||
				slices.ContainsFunc(d.Clauses, func(k rag.Clause) bool { return office.MatchString(k.Text) }) {
				return name
			}
		}
	}
	return ""
}

// placeOften is the place that a document without one in its title speaks of
// most: at least four times, and in most of the mentions of places.
func (x *Lexicon) placeOften(d *rag.Document) string {
	count, total := map[string]int{}, 0
	for i := range d.Clauses {
		for _, p := range x.placeKeys {
			if n := strings.Count(d.Clauses[i].Text, p); n > 0 {
				count[p] += n
				total += n
			}
		}
	}
	best := ""
	for p, n := range count {
		if best == "" || n > count[best] || n == count[best] && p < best {
			best = p
		}
	}
	if count[best] >= 4 && count[best]*3 >= total*2 {
		return best
	}
	return ""
}

// fold makes the folded texts of the document when they are first looked at.
func (s *source) fold() {
	s.once.Do(func() {
		s.texts = make(map[*rag.Clause]string, len(s.Clauses))
		var all strings.Builder
		for i := range s.Clauses {
			f := zh.Squeeze(zh.Fold(s.Clauses[i].Text))
			s.texts[&s.Clauses[i]] = f
			all.WriteString(f)
			all.WriteByte('\n')
		}
		s.all = all.String()
	})
}

// folded is the text of a clause, folded and without white space.
func (c *corpus) folded(k *rag.Clause) string {
	s := c.byID[k.Document]
	s.fold()
	return s.texts[k]
}

// has reports whether the title or a clause of the document holds the folded
// term.
func (s *source) has(term string) bool {
	s.fold()
	return strings.Contains(s.title, term) || strings.Contains(s.all, term)
}

// mentions are the clauses of the given documents (all when none are given)
// whose text contains the folded term, in reading order.
func (c *corpus) mentions(term string, docs []string) []*rag.Clause {
	var out []*rag.Clause
	for _, s := range c.among(docs) {
		if s.fold(); !strings.Contains(s.all, term) {
			continue
		}
		for i := range s.Clauses {
			if strings.Contains(s.texts[&s.Clauses[i]], term) {
				out = append(out, &s.Clauses[i])
			}
		}
	}
	return out
}

// contains reports whether the given documents mention the folded term at all.
func (c *corpus) contains(term string, docs []string) bool {
	return slices.ContainsFunc(c.among(docs), func(s *source) bool { return s.has(term) })
}

// among are the documents of these IDs; all when there are none.
func (c *corpus) among(ids []string) []*source {
	if len(ids) == 0 {
		return c.docs
	}
	out := make([]*source, 0, len(ids))
	for _, id := range ids {
		if s, ok := c.byID[id]; ok {
			out = append(out, s)
		}
	}
	return out
}

var pinyinArgs = pinyin.NewArgs()

// sound is the pinyin of a Chinese word without tones, with the finals and
// initials that people confuse made equal; "" when a rune has no reading.
func sound(s string) string {
	var b strings.Builder
	for _, r := range s {
		p := pinyin.SinglePinyin(r, pinyinArgs)
		if len(p) == 0 {
			return ""
		}
		b.WriteString(confuse(p[0]))
		b.WriteByte(' ')
	}
	return b.String()
}

// confuse maps a syllable to the one that it is most often confused with:
// zh, ch, sh to z, c, s, and -ng to -n.
func confuse(p string) string {
	for _, i := range []string{"zh", "ch", "sh"} {
		if strings.HasPrefix(p, i) {
			p = i[:1] + p[2:]
		}
	}
	if strings.HasSuffix(p, "ng") && !strings.HasSuffix(p, "ong") {
		p = p[:len(p)-1]
	}
	return p
}

// plainPinyin is the pinyin of a word, in one piece, as people type it.
func plainPinyin(s string) string {
	var b strings.Builder
	for _, r := range s {
		p := pinyin.SinglePinyin(r, pinyinArgs)
		if len(p) == 0 {
			return ""
		}
		b.WriteString(p[0])
	}
	return b.String()
}
