package bot_test

import (
	"errors"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/fstest"

	"zhengda/bot"
)

// prompted is a model with an own prompt file.
func prompted(name, text string) (*bot.Model, error) {
	down := &http.Client{Transport: transport(func(*http.Request) (*http.Response, error) { return nil, http.ErrServerClosed })}
	return bot.NewModel(bot.ModelConfig{BaseURL: "http://service/v1", Name: "m", HTTPClient: down, Prompts: fstest.MapFS{name: {Data: []byte(text)}}})
}

// TestBadOverride shows that a prompt that could not be used is refused, and
// named.
func TestBadOverride(t *testing.T) {
	const tool = `{"name":"search_policy","description":"x","parameters":{"type":"object"}}`
	for _, c := range [][2]string{
		{"system_zh.md", " "},
		{"system_zh.md", "\xd5\xfe\xb4\xf0\xb9\xe6\xd4\xf2"}, // GBK
		{"system_en.md", strings.Repeat("long ", 2000)},
		{"user_zh.md", "问题:{{.Question}}"},
		{"user_zh.md", "材料 .Evidence 问题 .Question"},
		{"user_zh.md", "{{.Evidence}}{{if .Question}}问题{{end}}"},
		{"user_zh.md", "{{if .Problems}}{{.Evidence}}{{.Question}}{{end}}"},
		{"user_zh.md", "{{if .History}}{{.Evidence}}{{end}}{{.Question}}"},
		{"user_zh.md", "{{if .Results}}{{.Evidence}}{{end}}{{.Question}}"},
		{"user_en.md", "{{.Evidence}}{{.Question}}{{.Secret}}"},
		{"retry_en.md", "{{.Problems"},
		{"retry_zh.md", "{{if .History}}{{.Problems}}{{end}}"},
		{"tools.json", "["},
		{"tools.json", "[]"},
		{"tools.json", "null"},
		{"tools.json", `[{"name":"rm_rf","description":"x","parameters":{"type":"object"}}]`},
		{"tools.json", `[{"name":"search_policy","description":"","parameters":{"type":"object"}}]`},
		{"tools.json", `[{"name":"search_policy","description":"x"}]`},
		{"tools.json", `[{"name":"search_policy","description":"x","parameters":5}]`},
		{"tools.json", `[{"name":"search_policy","description":"x","parameters":{"type":"string"}}]`},
		{"tools.json", "[" + tool + "," + tool + "]"},
		{"tools.json", `[{"name":"query_kpi","description":"x","parameters":{"type":"object"}}]`},
	} {
		if _, err := prompted(c[0], c[1]); !errors.Is(err, bot.ErrPrompts) || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%s %q: %v", c[0], c[1], err)
		}
	}
}

// TestPromptHash shows that the hash of a receipt changes with every file that
// shapes the exchange in that language, and that such files are accepted.
func TestPromptHash(t *testing.T) {
	tools, err := os.ReadFile("prompts/tools.json")
	if err != nil {
		t.Fatal(err)
	}
	hash := func(name, text string) string {
		t.Helper()
		m, err := prompted(name, text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return ask(t, botWith(t, m, corpus), bot.Ask{Question: "「先投后股」写在哪一条?原话怎么说?"}).Receipt.Prompt
	}
	seen := map[string]string{hash("other", ""): "no file"}
	for name, text := range map[string]string{"system_zh.md": "只用材料作答。", "user_zh.md": "{{.Evidence}}\n{{if .Results}}{{.Results}}{{end}}\n{{.Question}}", "retry_zh.md": "{{.Problems}}",
		"tools.json": strings.Replace(string(tools), "检索条款", "找条款", 1)} {
		h := hash(name, text)
		if len(h) != 64 || seen[h] != "" {
			t.Errorf("%s: hash %s as with %s", name, h, seen[h])
		}
		seen[h] = name
	}
	if h := hash("system_en.md", "Only the material."); seen[h] != "no file" {
		t.Errorf("a file of the other language changes the hash to %s", h)
	}
}
