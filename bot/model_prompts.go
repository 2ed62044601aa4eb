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
	hash        string // of all three files, SHA-256
	user, retry *form
}

// toolSpec is a tool as offered to a model.
type toolSpec struct {
	Name        string          `json:"name"`
	Description string          `json:"description"`
	Parameters  json.RawMessage `json:"parameters"`
}

// fields are what the templates can fill in; every override must use those
// marked as needed.
type fields struct {
	History, Results, Evidence, Question, Problems string
}

var neededFields = map[string][]string{"user": {".Evidence", ".Question"}, "retry": {".Problems"}}

// readPrompts reads the built-in prompts, each replaced by the file of its name
// in extra, and added to for glue.txt and orders.txt. A file that a model could
// not be asked with is an error that names it.
func readPrompts(extra fs.FS) (*prompts, error) {
	p := &prompts{}
	for lang, t := range map[string]*tongue{"zh": &p.zh, "en": &p.en} {
		if err := t.read(extra, lang); err != nil {
			return nil, err
		}
	}
	b, err := promptFile(extra, "tools.json")
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal([]byte(b), &p.tools); err != nil {
		return nil, fmt.Errorf("tools.json: %w", err)
	}
	var query toolSpec
	if err := json.Unmarshal(kpi.Schema(), &query); err != nil {
		return nil, fmt.Errorf("query_kpi: %w", err)
	}
	p.tools = append(p.tools, query)
	for _, t := range p.tools {
		if _, ok := toolFuncs[t.Name]; !ok || t.Description == "" || len(t.Parameters) == 0 {
			return nil, fmt.Errorf("tools.json: no such tool %q, or nothing said of it", t.Name)
		}
	}
	return p, p.readWords(extra)
}

func (p *prompts) readWords(extra fs.FS) error {
	builtin, err := fs.Sub(promptFS, "prompts")
	if err != nil {
		return err
	}
	for name, read := range map[string]func(line string, own bool) error{"glue.txt": p.glue.read, "orders.txt": p.readOrder} {
		for _, from := range []fs.FS{builtin, extra} {
			if from == nil {
				continue
			}
			lines, err := readLines(from, name)
			if err != nil && (from == builtin || !errors.Is(err, fs.ErrNotExist)) {
				return err
			}
			for _, l := range lines {
				if err := read(l, from == builtin); err != nil {
					return fmt.Errorf("%s: %w", name, err)
				}
			}
		}
	}
	return nil
}

func (p *prompts) readOrder(line string, _ bool) error {
	re, err := regexp.Compile(line)
	p.orders = append(p.orders, re)
	return err
}

// read takes one line of glue.txt: what the words are for, and the words. Words
// of others than the program must not have one of never.
func (g *glue) read(line string, own bool) error {
	words := strings.Fields(zh.Fold(line))
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

func (t *tongue) read(extra fs.FS, lang string) (err error) {
	if t.system, err = promptFile(extra, "system_"+lang+".md"); err != nil {
		return err
	}
	all := t.system
	for name, to := range map[string]**form{"user": &t.user, "retry": &t.retry} {
		file := name + "_" + lang + ".md"
		text, err := promptFile(extra, file)
		if err != nil {
			return err
		}
		for _, f := range neededFields[name] {
			if !strings.Contains(text, f) {
				return fmt.Errorf("%s: does not use {{%s}}", file, f)
			}
		}
		if *to, err = newForm(text); err == nil {
			_, err = (*to).fill(fields{}.args())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
	}
	for _, name := range []string{"user", "retry"} {
		text, _ := promptFile(extra, name+"_"+lang+".md")
		all += "\x00" + text
	}
	sum := sha256.Sum256([]byte(all))
	t.hash = hex.EncodeToString(sum[:])
	return nil
}

// promptLimit is the longest prompt file, in runes.
const promptLimit = 8000

func promptFile(extra fs.FS, name string) (string, error) {
	b, err := fs.ReadFile(promptFS, "prompts/"+name)
	if err != nil {
		return "", fmt.Errorf("%w", err)
	}
	if extra != nil {
		own, err := fs.ReadFile(extra, name)
		switch {
		case err == nil:
			b = own
		case !errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("%w", err)
		}
	}
	s := strings.TrimSpace(string(b))
	if n := len([]rune(s)); n == 0 || n > promptLimit {
		return "", fmt.Errorf("%s: %d characters, want 1 to %d", name, n, promptLimit)
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
	s = zh.Squeeze(zh.Fold(s)) + "\n" + zh.Fold(s)
	for _, re := range p.orders {
		if re.MatchString(s) {
			return true
		}
	}
	return false
}
