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
	places  []placeName         // places of documents, longest first
}

// source is one document with what decides whether a question means it.
type source struct {
	*rag.Document
	title string // folded
	place string // narrowest place it applies to; "" for national or unknown
	part  string // the district or county of place that its title names; "" for none
	up    string // the province of place

	placeNames []placeName
	year       int      // the year it is about; 0 unknown
	number     string   // folded 文号
	names      []string // folded parts of the title by which people call it

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
		for _, p := range s.placeNames {
			if !strings.HasSuffix(p.said, "区") && len(x.Cut(p.place)) == hanCount(p.place) { // no word that means something else
				p.said = p.place
			}
			if !slices.Contains(c.places, p) {
				c.places = append(c.places, p)
			}
		}
	}
	slices.SortFunc(c.places, func(a, b placeName) int { return byLength(a.said, b.said) })
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
	s.locate(d, lex)
	s.names = titleNames(s.title)
	return s
}

// placeName is how a question names a place of a document: by its name where an
// office of it signs the document or the name is no other word, else with its
// unit behind it (高新区).
type placeName struct{ said, place string }

// locate finds where the document applies: a place of the lists that its title,
// source or issuer names, one that only it names, or the place that it speaks of
// most; and the district or county of a city.
func (s *source) locate(d *rag.Document, lex *Lexicon) {
	heads := []string{s.title, zh.Squeeze(zh.Fold(d.Meta.Source)), zh.Squeeze(zh.Fold(d.Meta.Issuer))}
	for _, h := range heads {
		if s.place == "" {
			s.place = lex.placeIn(h)
		}
	}
	for _, h := range heads {
		if m := partRE.FindStringSubmatch(h); m != nil && s.part == "" && s.place != "" && strings.HasPrefix(h, s.place) && !noPlace(m[1], m[2]) {
			s.part = m[1]
			s.named(d, heads[1:], m[1], m[2])
		}
	}
	if s.place == "" {
		s.place = s.own(d, heads)
	}
	if s.place == "" {
		s.place = lex.placeOften(d)
	}
	s.up = lex.places[s.place]
}

// own is the city, county or district at the head of the title, or named in it
// where an office of it signs the document (栖霞岭 of 栖霞岭县农业农村局).
func (s *source) own(d *rag.Document, heads []string) string {
	title := []rune(s.title)
	for end, r := range title {
		unit := string(r)
		if !strings.ContainsRune("市县区", r) || end+1 < len(title) && strings.ContainsRune("场级值面民容政域内外辖直属", title[end+1]) {
			continue
		}
		for n := 2; n <= 4 && n <= end; n++ {
			name := string(title[end-n : end])
			if hanCount(name) < n || noPlace(name, unit) {
				break
			}
			if s.named(d, heads[1:], name, unit) || n == end && unit != "区" {
				return name
			}
		}
	}
	return ""
}

// named notes how questions name a place, and reports that an office of it signs
// the document.
func (s *source) named(d *rag.Document, heads []string, name, unit string) bool {
	full := name + unit
	office := regexp.MustCompile(`(^|市|\P{Han})` + full + `(人民政府|[\p{Han}]{2,10}?(局|厅|委员会|办公室))`)
	signs := slices.ContainsFunc(heads, office.MatchString) ||
		slices.ContainsFunc(d.Clauses, func(k rag.Clause) bool { return strings.Contains(k.Text, full) && office.MatchString(k.Text) })
	p := placeName{full, name}
	if signs {
		p.said = name
	}
	s.placeNames = append(s.placeNames, p)
	return signs
}

// noPlace reports words before 市, 县 or 区 with which they name no place: 城市,
// 夜市, 小区, 高新区.
func noPlace(name, unit string) bool {
	r := []rune(name)
	ends := map[string]string{"市": "城都夜早超股门楼菜集黑上退入全本各", "县": "大强困各全本", "区": "园社校景库灾矿牧林山地小开发新验范税管业务护治街辖片段保各全本"}
	return strings.ContainsRune(ends[unit], r[len(r)-1]) || strings.ContainsAny(name, "各全")
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
var partRE = regexp.MustCompile(`^\p{Han}{2,4}市(\p{Han}{2,3}?)(区|县)`)

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
