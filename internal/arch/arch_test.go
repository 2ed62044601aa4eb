// Package arch holds the rules of who may import whom.
package arch

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// layers are the folders of the project, each with all below it that is not a
// layer itself, and the layers that each may import. Within a layer all may
// import each other. Arrows point down: rag knows no bot, bot and ingest do not
// know each other, channels know nothing of retrieval but its types.
var layers = map[string][]string{
	"cmd":           {"bot", "bot/kpi", "bot/web", "bot/slack", "bot/mcp", "ingest", "rag", "rag/embed", "seeds", "internal/eval", "internal/db", "internal/zh"},
	"seeds":         {"bot/kpi", "ingest", "rag", "rag/embed"}, // vectors are made at build time
	"bot":           {"bot/kpi", "rag", "internal/zh"},
	"bot/kpi":       {"rag", "internal/db", "internal/zh"},
	"bot/web":       {"bot", "bot/kpi", "rag", "internal/db", "internal/zh"},
	"bot/slack":     {"bot", "bot/kpi", "rag", "internal/db", "internal/zh"},
	"bot/mcp":       {"bot", "bot/kpi", "rag", "internal/db", "internal/zh"},
	"ingest":        {"rag", "internal/db", "internal/zh"},
	"rag":           {"rag/embed", "internal/zh"},
	"rag/embed":     {},
	"internal/eval": {"bot", "rag", "internal/zh"},
	"internal/db":   {},
	"internal/zh":   {},
	"internal/arch": {},
}

// modules that only some layers may import, tests included.
var modules = map[string][]string{
	"github.com/slack-go/slack":              {"bot/slack"},
	"github.com/modelcontextprotocol/go-sdk": {"bot/mcp"},
	"github.com/tmc/langchaingo":             {"rag/embed", "bot"}, // embeddings there, the chat model here
	"github.com/philippgille/chromem-go":     {"rag"},
	"github.com/go-ego/gse":                  {"rag"},
	"github.com/spf13/cobra":                 {"cmd"},
	"gonum.org/v1/plot":                      {"bot/kpi"},
	"github.com/jackc/pgx":                   {"bot/kpi"},
	"modernc.org/sqlite":                     {"internal/db"},
}

// surroundings are what only cmd may ask for: flags and environment.
var surroundings = []string{"Getenv", "LookupEnv", "Environ", "ExpandEnv", "Args"}

// programs are commands for those who build the project. They are not part of
// the product and may read their arguments.
var programs = []string{"rag/embed/internal/convert", "rag/embed/internal/measure", "rag/data", "seeds/internal/vectors"}

// source is one file of the project.
type source struct {
	dir, name string // dir is below the root, with forward strokes
	syntax    *ast.File
}

func (s source) test() bool   { return strings.HasSuffix(s.name, "_test.go") }
func (s source) path() string { return path.Join(s.dir, s.name) }

// sources reads the files themselves: what go list says would be cached.
// Nested modules are not part of the product.
func sources(t *testing.T) (list []source) {
	t.Helper()
	root := filepath.Join("..", "..")
	err := filepath.WalkDir(root, func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() {
			if p == root {
				return nil
			}
			if _, err := os.Stat(filepath.Join(p, "go.mod")); err == nil || e.Name() == "testdata" || strings.HasPrefix(e.Name(), ".") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(p) != ".go" {
			return nil
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), p, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(p))
		list = append(list, source{filepath.ToSlash(dir), e.Name(), syntax})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(list) < 20 {
		t.Fatalf("%d files found", len(list))
	}
	return list
}

// below reports whether p is dir or stands below it.
func below(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

// layer is the layer that a package belongs to, "" for none.
func layer(p string) (found string) {
	for l := range layers {
		if below(p, l) && len(l) > len(found) {
			found = l
		}
	}
	return found
}

// forbidden says why a file may not import p; "" that it may.
func forbidden(s source, p string) string {
	home := layer(s.dir)
	if home == "" {
		return "the folder is in no layer of package arch"
	}
	if p, ok := strings.CutPrefix(p, "zhengda/"); ok {
		to := layer(p)
		switch {
		case to == home, slices.Contains(layers[home], to):
			return ""
		case s.test() && to != "cmd" && to != "":
			return "" // tests may stand on more than what they test
		}
		return home + " may import " + strings.Join(layers[home], ", ")
	}
	for module, homes := range modules {
		if below(p, module) && !slices.Contains(homes, home) {
			return "only " + strings.Join(homes, " and ") + " may know " + module
		}
	}
	return ""
}

func TestImports(t *testing.T) {
	for _, s := range sources(t) {
		for _, i := range s.syntax.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			if why := forbidden(s, p); why != "" {
				t.Errorf("%s imports %s: %s", s.path(), p, why)
			}
		}
	}
}

// TestSurroundings finds flags and environment read outside cmd.
func TestSurroundings(t *testing.T) {
	for _, s := range sources(t) {
		if layer(s.dir) == "cmd" || s.test() || slices.ContainsFunc(programs, func(p string) bool { return below(s.dir, p) }) {
			continue
		}
		for _, i := range s.syntax.Imports {
			if i.Path.Value == `"flag"` {
				t.Errorf("%s reads flags", s.path())
			}
		}
		ast.Inspect(s.syntax, func(n ast.Node) bool {
			if x, ok := n.(*ast.SelectorExpr); ok && slices.Contains(surroundings, x.Sel.Name) {
				if p, ok := x.X.(*ast.Ident); ok && p.Name == "os" {
					t.Errorf("%s uses os.%s", s.path(), x.Sel.Name)
				}
			}
			return true
		})
	}
}

func TestForbidden(t *testing.T) {
	for _, c := range []struct {
		dir, file, imports string
		allowed            bool
	}{
		{"cmd/zhengda", "a.go", "zhengda/bot/slack", true},
		{"bot", "a.go", "zhengda/ingest", false},
		{"bot", "a_test.go", "zhengda/ingest", true},
		{"bot", "a_test.go", "zhengda/cmd/zhengda", false},
		{"ingest/format", "a.go", "zhengda/bot", false},
		{"ingest", "a.go", "zhengda/ingest/format", true},
		{"rag", "a.go", "zhengda/bot", false},
		{"rag/embed", "a.go", "zhengda/rag", false},
		{"rag/embed/internal/bert", "a.go", "zhengda/rag/embed/internal/wordpiece", true},
		{"bot/web", "a.go", "github.com/slack-go/slack/slackevents", false},
		{"bot/slack", "a.go", "github.com/slack-go/slack", true},
		{"bot/kpi", "a.go", "zhengda/bot", false},
		{"elsewhere", "a.go", "fmt", false},
	} {
		if why := forbidden(source{dir: c.dir, name: c.file}, c.imports); (why == "") != c.allowed {
			t.Errorf("%s/%s imports %s: %q", c.dir, c.file, c.imports, why)
		}
	}
}
