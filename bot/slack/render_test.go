package slack

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"zhengda/bot"
)

// checkRendered renders a and says what is wrong with what comes out.
func checkRendered(t testing.TB, a bot.Answer, l look) []message {
	t.Helper()
	msgs := render(a, l)
	if len(msgs) == 0 {
		t.Fatal("nothing rendered")
	}
	var all, texts strings.Builder
	for _, m := range msgs {
		b, err := json.Marshal(m.blocks)
		if err != nil {
			t.Fatal(err)
		}
		if bad := overLimits(clamp(m.text, maxText), string(b)); len(bad) > 0 {
			t.Errorf("beyond the limits: %v", bad)
		}
		all.Write(b)
		texts.WriteString(m.text)
	}
	plain := ""
	for _, m := range bare(msgs) {
		if bad := overLimits(m.text, ""); len(bad) > 0 {
			t.Errorf("plain text beyond the limits: %v", bad)
		}
		plain += m.text
	}
	if plain != texts.String() {
		t.Error("the plain text is not all of it")
	}
	for i, c := range a.Citations {
		if !strings.Contains(plain, footnote(c.N)) {
			t.Errorf("citation %d is lost", c.N)
		}
		if l.id != "" && !strings.Contains(all.String(), fmt.Sprintf(`"%s:%d"`, l.id, i)) {
			t.Errorf("citation %d cannot be opened", c.N)
		}
	}
	if m := regexp.MustCompile(`<[!@#][^>]*>`).FindString(plain); m != "" {
		t.Errorf("%q calls somebody", m)
	}
	if m := regexp.MustCompile(`(?i)[@＠](here|channel|everyone)\b`).FindString(plain + all.String()); m != "" {
		t.Errorf("%q calls everybody", m)
	}
	return msgs
}

func TestRenderHostile(t *testing.T) {
	long := strings.Repeat("这是一句很长的话，没有尽头；", 3000)
	many := bot.Answer{Text: "多。"}
	for i := range 300 {
		many.Text += fmt.Sprintf("第%d句。[%d]", i, i+1)
		many.Citations = append(many.Citations, bot.Citation{N: i + 1, Document: "文件", Label: fmt.Sprintf("第%d条", i), Quote: long})
		many.Figures = append(many.Figures, bot.Figure{Name: long, Target: "1", Actual: "2", Unit: "家", AsOf: long, Source: long})
		many.Warnings = append(many.Warnings, bot.Warning{Text: "注意[1]" + long[:300]})
		many.Followups = append(many.Followups, long)
	}
	for name, a := range map[string]bot.Answer{
		"empty":      {},
		"blank":      {Text: " \n\u200b**  ** "},
		"long":       {Text: long + "[1]", Citations: []bot.Citation{{N: 1, Document: long, Label: long, Title: long, Quote: long}}},
		"no breaks":  {Text: strings.Repeat("字", 20000)},
		"one word":   {Text: strings.Repeat("a", 20000)},
		"emoji":      {Text: strings.Repeat("👍🏽", 9000)},
		"marks only": {Text: strings.Repeat("[1]", 4000), Citations: []bot.Citation{{N: 1}}},
		"escapes":    {Text: strings.Repeat("&<>", 5000)},
		"links":      {Text: strings.Repeat("[名](https://e.example/"+strings.Repeat("x", 700)+")", 30)},
		"shouts":     {Text: "<!here> <!channel> <@U1> <#C1> @here @channel @Everyone ＠here <!subteam^S1> <https://evil|good>"},
		"binary":     {Text: "\x00\xff\xfe坏\x80[1]", Citations: []bot.Citation{{N: 1, Quote: "\xff"}}},
		"many":       many,
	} {
		t.Run(name, func(t *testing.T) { checkRendered(t, a, look{id: "0123456789abcdef0123", share: true}) })
	}
}

func allText(msgs []message) (s string) {
	for _, m := range msgs {
		s += m.text
	}
	return s
}

func TestMrkdwn(t *testing.T) {
	for in, want := range map[string]string{
		"## 结论\n- **先投后股**试点[1][2]":     "\u200b*结论*\u200b\n• \u200b*先投后股*\u200b试点〔1〕[2]",
		"a<b & [网](https://x.example/)": "a&lt;b &amp; <https://x.example/|网>",
		"> 引文":                          "> 引文",
		"见[1](https://x.example)":       "见<https://x.example|1>",
		"[坏](javascript:alert(1))":      "[坏](javascript:alert(1))",
	} {
		if got := mrkdwn(in, map[int]bool{1: true}); got != want {
			t.Errorf("%q: %q; want %q", in, got, want)
		}
	}
}

// TestWarnings: a warning is shown once, with its sign, also where the answer
// says it itself.
func TestWarnings(t *testing.T) {
	a := bot.Answer{Text: "目标13000家。[1]\n两处不一致。", Citations: []bot.Citation{{N: 1, Document: "文件", Label: "第1条", Quote: "13000家"}},
		Warnings: []bot.Warning{{Text: "两处不一致。"}, {Text: "数据较旧。"}}}
	text := allText(checkRendered(t, a, look{id: "x"}))
	if strings.Count(text, "两处不一致") != 1 || !strings.Contains(text, "\n:warning: 两处不一致。") || !strings.Contains(text, "\n:warning: 数据较旧。") {
		t.Errorf("shown: %s", text)
	}
}

func TestTableOfFigures(t *testing.T) {
	msgs := checkRendered(t, withFigure(bot.Ask{Persona: bot.Staff}), look{id: "x"})
	b, _ := json.Marshal(msgs[0].blocks)
	for _, want := range []string{"≥13000家", "12100家 (93.1%)", "900家", "数据截至 2024-09-30 · 来源:统计"} {
		if !strings.Contains(string(b), want) {
			t.Errorf("the table lacks %s: %s", want, b)
		}
	}
	msgs = checkRendered(t, withFigure(bot.Ask{}), look{id: "x"})
	if b, _ := json.Marshal(msgs[0].blocks); strings.Contains(string(b), "实际") {
		t.Errorf("a table for the public: %s", b)
	}
}

func FuzzRender(f *testing.F) {
	f.Add("答[1]。", "引文", 2, 1, true)
	f.Add(strings.Repeat("甲。[2]", 300), "<!here>", 9, 40, false)
	f.Fuzz(func(t *testing.T, text, other string, citations, figures int, share bool) {
		a := bot.Answer{Text: text, Question: other, Followups: []string{other, text}, Warnings: []bot.Warning{{Text: other}, {Text: text}}}
		for i := range min(max(citations, 0), 60) {
			a.Citations = append(a.Citations, bot.Citation{N: i + 1, Document: other, Label: text, Title: other, Quote: text, Path: []string{other}})
		}
		for range min(max(figures, 0), 90) {
			a.Figures = append(a.Figures, bot.Figure{Name: other, Target: text, Actual: other, Unit: other, AsOf: text, Source: other})
		}
		checkRendered(t, a, look{id: "0123456789abcdef0123", share: share, asked: other})
	})
}

func FuzzSplit(f *testing.F) {
	f.Add("一句。〔1〕〔2〕二句；<https://x|y> &amp; *粗*", 20)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit = max(limit, 30); limit > 5000 || !utf8.ValidString(s) {
			t.Skip()
		}
		parts := split(s, limit)
		if strings.Join(parts, "") != s {
			t.Fatal("something is lost")
		}
		at := 0
		for _, p := range parts {
			if width(p) > limit {
				t.Fatalf("a part of %d; limit %d", width(p), limit)
			}
			at += len(p)
			for _, m := range regexp.MustCompile(`〔\d{1,4}〕`).FindAllStringIndex(s, -1) {
				if m[0] < at && at < m[1] {
					t.Fatalf("cut inside %s", s[m[0]:m[1]])
				}
			}
		}
	})
}

// FuzzRead feeds what Slack sends to the reader of events.
func FuzzRead(f *testing.F) {
	for _, e := range []map[string]any{mention("C1", ts1, "", "U1", "甲?"), said("D1", ts1, ts2, "U1", "<@U2|x> ?"), edited("C1", ts1, "", "U1", "乙", ts2), deleted("C1", ts1, "U1")} {
		b, _ := json.Marshal(callback(e))
		f.Add(b)
	}
	w := &who{team: fakeTeam, user: fakeBot}
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := parseEvent(b)
		if err != nil {
			return
		}
		if it := w.read(e, func(string) bool { return true }).item; it != nil {
			if it.TS == "" || it.Thread == "" || !it.Deleted && it.User == "" || strings.Contains(plain(it.Text), "<@"+fakeBot+">") {
				t.Errorf("item %+v", it)
			}
		}
	})
}

func TestParseCommand(t *testing.T) {
	for in, want := range map[string]string{"": "help|", "问 甲": "ask|甲", "甲 乙": "ask|甲 乙", "条 第17条": "clause|第17条", "第十七条": "clause|第十七条", "ASK x": "ask|x", "订阅　第17条": "subscribe|第17条", "指标": "kpi|"} {
		if v, rest := parseCommand("/zhengda", in); v+"|"+rest != want {
			t.Errorf("%q: %s|%s; want %s", in, v, rest, want)
		}
	}
}

func TestTexts(t *testing.T) {
	verb := regexp.MustCompile(`%[a-z]`)
	for key, s := range texts {
		if s[0] == "" || s[1] == "" {
			t.Errorf("%s is not in both languages", key)
		}
		if a, b := fmt.Sprint(verb.FindAllString(s[0], -1)), fmt.Sprint(verb.FindAllString(s[1], -1)); a != b {
			t.Errorf("%s: %s and %s", key, a, b)
		}
	}
}

// TestManifest holds the app manifest to what the program needs.
func TestManifest(t *testing.T) {
	b, err := os.ReadFile("../../slack/manifest.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Features struct {
			Commands  []struct{ Command string } `yaml:"slash_commands"`
			Shortcuts []struct {
				Callback string `yaml:"callback_id"`
			} `yaml:"shortcuts"`
		}
		OAuth    struct{ Scopes struct{ Bot []string } } `yaml:"oauth_config"`
		Settings struct {
			Events struct {
				Bot []string `yaml:"bot_events"`
			} `yaml:"event_subscriptions"`
		}
	}
	if err := yaml.Unmarshal(b, &m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.OAuth.Scopes.Bot, scopes) {
		t.Errorf("scopes %v; want %v", m.OAuth.Scopes.Bot, scopes)
	}
	for _, e := range []string{"app_mention", "message.channels", "message.groups", "message.im", "message.mpim", "app_home_opened", "assistant_thread_started"} {
		if !slices.Contains(m.Settings.Events.Bot, e) {
			t.Errorf("no event %s", e)
		}
	}
	if len(m.Features.Commands) != 2 || len(m.Features.Shortcuts) != 1 || m.Features.Shortcuts[0].Callback != shortcutBasis {
		t.Errorf("features %+v", m.Features)
	}
}
