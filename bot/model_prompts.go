package bot

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"unicode/utf8"

	"zhengda/bot/kpi"
)

//go:embed prompts
var promptFS embed.FS

// prompts is what is said to a model, in both languages.
type prompts struct {
	zh, en tongue
	tools  []toolSpec
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
// in extra. A file that a model could not be asked with is an error that names
// it.
func readPrompts(extra fs.FS) (*prompts, error) {
	p := &prompts{}
	shared, err := p.readTools(extra)
	if err != nil {
		return nil, fmt.Errorf("tools.json: %w", err)
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

var errNotUTF8 = errors.New("not UTF-8")

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
