package bot

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"

	"zhengda/internal/zh"
)

//go:embed data/*.txt
var dataFS embed.FS

// Lexicon is the vocabulary of the bot: synonyms, places, patterns of
// questions, and what the program says. It is read from data files that an
// administrator can extend and is not changed afterwards.
type Lexicon struct {
	synonyms   map[string][]string // folded: what people say → what documents say
	english    map[string]string   // lower case
	places     map[string]string   // place → its province
	policy     []string            // names of policy instruments, longest first
	stop       map[string]bool
	t2s        map[rune]rune
	attrs      []*attribute
	forms      map[string]*regexp.Regexp
	groups     [][]string // words that one figure can be an amount of
	counters   [][]string // units that count the same things
	phrases    map[string]phrase
	shapes     []shape  // of all phrases, in both languages
	figureKeys []string // phrases that say one figure
	synKeys    []string // longest first
	engKeys    []string
	placeKeys  []string
}

type phrase struct{ zh, en *form }

// attribute is something a question can ask of a topic.
type attribute struct {
	name     string
	ask      *regexp.Regexp
	find     *regexp.Regexp // nil: nothing needed
	not      *regexp.Regexp // nil: nothing against it
	units    map[string]bool
	over     []string // attributes that it is a narrower kind of
	names    bool     // a name is asked for: words of the question do not satisfy it
	zhN, enN string   // its name in a refusal
}

// NewLexicon reads the built-in data and, where extra is not nil, files of the
// same names in it that add to them. It fails on a pattern or phrase that
// does not compile, naming file and line.
func NewLexicon(extra fs.FS) (*Lexicon, error) {
	x := &Lexicon{synonyms: map[string][]string{}, english: map[string]string{}, places: map[string]string{}, stop: map[string]bool{},
		t2s: map[rune]rune{}, forms: map[string]*regexp.Regexp{}, phrases: map[string]phrase{}}
	builtin, err := fs.Sub(dataFS, "data")
	if err != nil {
		return nil, err
	}
	for _, f := range []struct {
		name string
		read func(*Lexicon, []string) error
	}{{"t2s.txt", (*Lexicon).readT2S}, {"terms.txt", (*Lexicon).readTerms}, {"glossary_en.txt", (*Lexicon).readEnglish}, {"places.txt", (*Lexicon).readPlaces},
		{"policy_terms.txt", (*Lexicon).readPolicy}, {"stopwords.txt", (*Lexicon).readStop}, {"patterns.txt", (*Lexicon).readPatterns}, {"phrases.txt", (*Lexicon).readPhrases}} {
		lines, err := readLines(builtin, f.name)
		if err != nil {
			return nil, err
		}
		if extra != nil {
			more, err := readLines(extra, f.name)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return nil, err
			}
			lines = append(lines, more...)
		}
		if err := f.read(x, lines); err != nil {
			return nil, fmt.Errorf("lexicon: %s: %w", f.name, err)
		}
	}
	x.synKeys, x.engKeys, x.placeKeys = longest(x.synonyms), longest(x.english), longest(x.places)
	slices.SortFunc(x.policy, byLength)
	if err := x.checkOrders(); err != nil {
		return nil, fmt.Errorf("lexicon: patterns.txt: %w", err)
	}
	return x, nil
}

func readLines(fsys fs.FS, name string) ([]string, error) {
	b, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("lexicon: %w", err)
	}
	var out []string
	for line := range strings.Lines(string(b)) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			out = append(out, line)
		}
	}
	return out, nil
}

func byLength(a, b string) int {
	if len(a) != len(b) {
		return len(b) - len(a)
	}
	return strings.Compare(a, b)
}

func longest[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, byLength)
	return keys
}

func (x *Lexicon) readT2S(lines []string) error {
	for _, l := range lines {
		for pair := range strings.FieldsSeq(l) {
			if r := []rune(pair); len(r) == 2 {
				x.t2s[r[0]] = r[1]
			}
		}
	}
	return nil
}

func (x *Lexicon) readTerms(lines []string) error {
	for _, l := range lines {
		left, right, ok := strings.Cut(l, "=")
		if !ok {
			return fmt.Errorf("%q: want 词 = 词, 词", l)
		}
		k := zh.Squeeze(zh.Fold(left))
		for w := range strings.SplitSeq(zh.Fold(right), ",") {
			if w = zh.Squeeze(w); w != "" {
				x.synonyms[k] = append(x.synonyms[k], w)
			}
		}
	}
	return nil
}

func (x *Lexicon) readEnglish(lines []string) error {
	for _, l := range lines {
		left, right, ok := strings.Cut(l, "=")
		if !ok {
			return fmt.Errorf("%q: want word = 词", l)
		}
		x.english[strings.ToLower(strings.TrimSpace(left))] = strings.TrimSpace(right)
	}
	return nil
}

func (x *Lexicon) readPlaces(lines []string) error {
	for _, l := range lines {
		f := strings.Fields(l)
		for _, p := range f {
			x.places[p] = f[0]
		}
	}
	return nil
}

func (x *Lexicon) readPolicy(lines []string) error {
	for _, l := range lines {
		x.policy = append(x.policy, strings.Fields(zh.Fold(l))...)
	}
	return nil
}

func (x *Lexicon) readStop(lines []string) error {
	for _, l := range lines {
		for w := range strings.FieldsSeq(l) {
			x.stop[w] = true
		}
	}
	return nil
}

// readPatterns reads [attribute] sections and the section [forms].
func (x *Lexicon) readPatterns(lines []string) error {
	text := map[string]map[string]string{}
	var order []string
	section := ""
	for _, l := range lines {
		if strings.HasPrefix(l, "[") && strings.HasSuffix(l, "]") && !strings.Contains(l, "=") {
			if section = l[1 : len(l)-1]; text[section] == nil {
				text[section] = map[string]string{}
				order = append(order, section)
			}
			continue
		}
		k, v, ok := strings.Cut(l, "=")
		if !ok || section == "" {
			return fmt.Errorf("%q: want key = pattern below a [section]", l)
		}
		k, v = strings.TrimSpace(k), strings.TrimSpace(v)
		if old := text[section][k]; old != "" {
			v = old + "|" + v
		}
		text[section][k] = v
	}
	for _, s := range order {
		switch s {
		case "groups":
			x.groups = wordLines(text[s])
			continue
		case "counters":
			x.counters = wordLines(text[s])
			continue
		}
		if s == "forms" {
			for k, v := range text[s] {
				re, err := regexp.Compile(v)
				if err != nil {
					return fmt.Errorf("[forms] %s: %w", k, err)
				}
				x.forms[k] = re
			}
			continue
		}
		a, err := newAttribute(s, text[s])
		if err != nil {
			return fmt.Errorf("[%s]: %w", s, err)
		}
		x.attrs = append(x.attrs, a)
	}
	return nil
}

// wordLines are the lines of a section of words, by key.
func wordLines(section map[string]string) [][]string {
	var out [][]string
	for _, k := range slices.Sorted(maps.Keys(section)) {
		out = append(out, strings.Fields(strings.ReplaceAll(section[k], "|", " ")))
	}
	return out
}

func newAttribute(name string, t map[string]string) (*attribute, error) {
	a := &attribute{name: name, zhN: t["zh"], enN: t["en"], units: map[string]bool{}, over: strings.Fields(t["over"]), names: t["names"] != ""}
	var err error
	if a.ask, err = regexp.Compile(t["ask"]); err != nil {
		return nil, err
	}
	for key, to := range map[string]**regexp.Regexp{"find": &a.find, "not": &a.not} {
		if f := t[key]; f != "" {
			if *to, err = regexp.Compile(f); err != nil {
				return nil, err
			}
		}
	}
	for u := range strings.FieldsSeq(t["unit"]) {
		a.units[u] = true
	}
	return a, nil
}

// attr is the attribute of that name; there is always one of each built-in
// name.
func (x *Lexicon) attr(name string) *attribute {
	return x.attrs[slices.IndexFunc(x.attrs, func(a *attribute) bool { return a.name == name })]
}

// form reports whether the folded question s has the form named.
func (x *Lexicon) form(name, s string) bool {
	re := x.forms[name]
	return re != nil && re.MatchString(s)
}

func (x *Lexicon) readPhrases(lines []string) error {
	key := ""
	for _, l := range lines {
		if strings.HasPrefix(l, "[") && strings.HasSuffix(l, "]") {
			key = l[1 : len(l)-1]
			continue
		}
		lang, text, ok := strings.Cut(l, "=")
		if !ok || key == "" {
			return fmt.Errorf("%q: want zh = or en = below a [key]", l)
		}
		t, err := newForm(strings.TrimPrefix(text, " "))
		if err != nil {
			return fmt.Errorf("[%s]: %w", key, err)
		}
		turned, err := newShape(key, strings.TrimPrefix(text, " "))
		if err != nil {
			return fmt.Errorf("[%s]: %w", key, err)
		}
		if strings.Contains(text, "{{.Name}}") && strings.Contains(text, "{{.Target}}") || strings.Contains(text, "{{.Monthly}}") {
			if !slices.Contains(x.figureKeys, key) {
				x.figureKeys = append(x.figureKeys, key)
			}
		} else {
			x.shapes = append(x.shapes, turned)
		}
		p := x.phrases[key]
		if strings.TrimSpace(lang) == "en" {
			p.en = t
		} else {
			p.zh = t
		}
		x.phrases[key] = p
	}
	return nil
}

// args fills a phrase.
type args map[string]any

// say fills the phrase named key in the language of the question. An unknown
// key or a missing argument is a programming error that the tests find.
func (x *Lexicon) say(english bool, key string, a args) string {
	p, ok := x.phrases[key]
	if !ok {
		panic("bot: no phrase " + key)
	}
	t := p.zh
	if english && p.en != nil {
		t = p.en
	}
	s, err := t.fill(a)
	if err != nil {
		panic("bot: [" + key + "]: " + err.Error())
	}
	return s
}
