package bot

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"zhengda/bot/kpi"
	"zhengda/internal/zh"
)

//go:embed prompts
var promptFS embed.FS

// prompts is what is said to a model, in both languages.
type prompts struct {
	zh, en tongue
	tools  []toolSpec
	glue   glue
	orders []*regexp.Regexp
}

type tongue struct {
	system      string
	hash        string // SHA-256 of its three files and of those of both languages
	user, retry *form
}

// toolSpec is a tool as offered to a model.
type toolSpec struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// fields are what the templates can fill in.
type fields struct {
	History, Results, Evidence, Question, Problems string
}

// neededFields are those that an override must say whatever the others are.
var neededFields = map[string][]string{"user": {"Evidence", "Question"}, "retry": {"Problems"}}

// readPrompts reads the built-in prompts, each replaced by the file of its name
// in extra, and added to for glue.txt and orders.txt. A file that a model could
// not be asked with is an error that names it.
func readPrompts(extra fs.FS) (*prompts, error) {
	p := &prompts{}
	shared, err := p.readTools(extra)
	if err != nil {
		return nil, fmt.Errorf("tools.json: %w", err)
	}
	for _, f := range []struct {
		name string
		read func(line string, own bool) error
	}{{"glue.txt", p.glue.read}, {"orders.txt", p.readOrder}} {
		said, err := readWords(extra, f.name, f.read)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		shared += said
	}
	if err := p.zh.read(extra, "zh", shared); err != nil {
		return nil, err
	}
	return p, p.en.read(extra, "en", shared)
}

// readTools reads tools.json and adds query_kpi. It returns what it read.
func (p *prompts) readTools(extra fs.FS) (said string, err error) {
	if said, err = promptFile(extra, "tools.json"); err != nil {
		return "", err
	}
	var query toolSpec
	if err := errors.Join(json.Unmarshal([]byte(said), &p.tools), json.Unmarshal(kpi.Schema(), &query)); err != nil {
		return "", err
	}
	if len(p.tools) == 0 {
		return "", errors.New("no tools")
	}
	p.tools = append(p.tools, query)
	for i, t := range p.tools {
		var takes struct{ Type string }
		switch _, ok := toolFuncs[t.Name]; {
		case !ok || t.Description == "":
			return "", fmt.Errorf("no such tool %q, or nothing said of it", t.Name)
		case json.Unmarshal(t.Parameters, &takes) != nil || takes.Type != "object":
			return "", fmt.Errorf("the parameters of %s are no schema of an object", t.Name)
		case slices.ContainsFunc(p.tools[:i], func(o toolSpec) bool { return o.Name == t.Name }):
			return "", fmt.Errorf("%s is there twice, or the program's own", t.Name)
		}
	}
	return said + "\x00" + string(kpi.Schema()), nil
}

// readWords reads the lines of a built-in file, and of its name in extra. It
// returns what it read.
func readWords(extra fs.FS, name string, read func(line string, own bool) error) (said string, err error) {
	builtin, err := fs.Sub(promptFS, "prompts")
	if err != nil {
		return "", err
	}
	for _, from := range []fs.FS{builtin, extra} {
		if from == nil {
			continue
		}
		lines, err := readLines(from, name)
		if err != nil && (from == builtin || !errors.Is(err, fs.ErrNotExist)) {
			return "", err
		}
		for _, l := range lines {
			if !utf8.ValidString(l) {
				return "", errNotUTF8
			}
			if err := read(l, from == builtin); err != nil {
				return "", err
			}
			said += "\x00" + l
		}
	}
	return said, nil
}

var errNotUTF8 = errors.New("not UTF-8")

// ordinary are sentences as policy documents have them, which no line of
// orders.txt may keep from a model.
var ordinary = []string{
	"",
	"落实国家和省有关政策,支持企业加大研发投入,对首次认定的高新技术企业给予一次性奖励50万元。",
	"申报单位应当在每年9月30日前向市科技局提交材料,同一项目不得重复申报;逾期的,不予受理。",
	"探索开展“先投后股”试点工作,完善服务机制,推动科技成果转化和人才创业。",
	"Enterprises may apply for the subsidy, and the department answers within ten working days.",
}

func (p *prompts) readOrder(line string, _ bool) error {
	re, err := regexp.Compile(line)
	if err != nil {
		return err
	}
	for _, s := range ordinary {
		if re.MatchString(orderly(s)) {
			return fmt.Errorf("%q fits %q, which is no order", line, s)
		}
	}
	p.orders = append(p.orders, re)
	return nil
}

// read takes one line of glue.txt: what the words are for, and the words. Words
// of others than the program must not have one of never.
func (g *glue) read(line string, own bool) error {
	words := strings.Fields(zh.Fold(line))
	if len(words) == 0 { // nothing visible
		return nil
	}
	lists := map[string]*[]string{"any": &g.any, "drop": &g.drop, "lead": &g.lead, "before": &g.before, "whole": &g.whole, "never": &g.never}
	to := lists[words[0]]
	if to == nil {
		return fmt.Errorf("%q is none of any, drop, lead, before, whole, never", words[0])
	}
	for _, w := range words[1:] {
		bad := func(n string) bool { return strings.Contains(w, n) }
		if !own && to != &g.whole && to != &g.never && (slices.ContainsFunc(g.never, bad) || strings.ContainsFunc(w, numeric)) {
			return fmt.Errorf("%q would change what a sentence says", w)
		}
	}
	*to = append(*to, words[1:]...)
	return nil
}

// read reads the files of a language; shared is what both are asked with.
func (t *tongue) read(extra fs.FS, lang, shared string) (err error) {
	if t.system, err = promptFile(extra, "system_"+lang+".md"); err != nil {
		return fmt.Errorf("system_%s.md: %w", lang, err)
	}
	all := t.system + "\x00" + shared
	for _, f := range []struct {
		name string
		to   **form
	}{{"user", &t.user}, {"retry", &t.retry}} {
		file := f.name + "_" + lang + ".md"
		text, err := promptFile(extra, file)
		if err == nil {
			*f.to, err = readForm(text, neededFields[f.name])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		all += "\x00" + text
	}
	sum := sha256.Sum256([]byte(all))
	t.hash = hex.EncodeToString(sum[:])
	return nil
}

// readForm reads a template and fills it in with what it needs alone, which
// must come out: more can only make more of it stand.
func readForm(text string, needs []string) (*form, error) {
	f, err := newForm(text)
	if err != nil {
		return nil, err
	}
	a := fields{}.args()
	for _, n := range needs {
		a[n] = "\x00" + n + "\x00"
	}
	out, err := f.fill(a)
	for _, n := range needs {
		if err == nil && !strings.Contains(out, "\x00"+n+"\x00") {
			err = fmt.Errorf("does not always say {{.%s}}", n)
		}
	}
	return f, err
}

// promptLimit is the longest prompt file, in runes.
const promptLimit = 8000

func promptFile(extra fs.FS, name string) (string, error) {
	b, err := fs.ReadFile(promptFS, "prompts/"+name)
	if err != nil {
		return "", err
	}
	if extra != nil {
		own, err := fs.ReadFile(extra, name)
		switch {
		case err == nil:
			b = own
		case !errors.Is(err, fs.ErrNotExist):
			return "", err
		}
	}
	s := strings.TrimSpace(string(b))
	switch n := utf8.RuneCountInString(s); {
	case !utf8.ValidString(s):
		return "", errNotUTF8
	case n == 0 || n > promptLimit:
		return "", fmt.Errorf("%d characters, want 1 to %d", n, promptLimit)
	}
	return s, nil
}

func fill(t *form, f fields) string {
	s, err := t.fill(f.args())
	if err != nil { // tried when it was read
		panic("bot: " + err.Error())
	}
	return s
}

func (f fields) args() args {
	return args{"History": f.History, "Results": f.Results, "Evidence": f.Evidence, "Question": f.Question, "Problems": f.Problems}
}

// tongue is the language to speak with a model about q.
func (p *prompts) tongue(q *question) *tongue {
	if q.english {
		return &p.en
	}
	return &p.zh
}

// plain is the text of a clause without what speaks to a machine, by ranges of
// runes: the sentences before it in its paragraph stay.
func (p *prompts) plain(text string) []zh.Span {
	r := []rune(text)
	var out []zh.Span
	until := 0 // end of a paragraph that is left out
	for _, s := range zh.Sentences(text) {
		if s.Start < until {
			continue
		}
		if p.ordered(string(r[s.Start:s.End])) {
			for until = s.End; until < len(r) && r[until] != '\n'; until++ {
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// quiet is a text without the lines that speak to a machine.
func (p *prompts) quiet(text string) string {
	return strings.Join(slices.DeleteFunc(strings.Split(text, "\n"), p.ordered), "\n")
}

func (p *prompts) ordered(s string) bool {
	s = orderly(s)
	for _, re := range p.orders {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}

// orderly is a text as the patterns of orders.txt read it.
func orderly(s string) string { return zh.Squeeze(zh.Fold(s)) + "\n" + zh.Fold(s) }
