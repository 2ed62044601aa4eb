package main

import (
	"fmt"
	"strings"

	"zhengda/bot"
)

// answer shows an answer with its citations below it.
func (s *screen) answer(a bot.Answer, t tongue) {
	s.text("", "", plain(a.Text))
	if len(a.Citations) > 0 {
		s.line("")
		s.line("%s", s.paint(bold, t.say("answer.sources")))
	}
	several := false
	for _, c := range a.Citations {
		several = several || c.Document != a.Citations[0].Document
	}
	for _, c := range a.Citations {
		s.citation(c)
	}
	for _, w := range a.Warnings {
		if !strings.Contains(a.Text, w.Text) { // else the answer itself says it
			s.line("")
			s.text("", amber, "! "+w.Text)
		}
	}
	if len(a.Followups) > 0 {
		s.line("")
		s.line("%s", s.paint(faint, t.say("answer.followups")))
		for _, f := range a.Followups {
			s.text("  ", faint, f)
		}
	}
}

// citation shows label, title, headings, document and quote.
func (s *screen) citation(c bot.Citation) {
	head := fmt.Sprintf("[%d] %s", c.N, c.Label)
	if c.Title != "" {
		head += " " + c.Title
	}
	s.text("", bold, head)
	if len(c.Path) > 0 {
		s.text("    ", faint, strings.Join(c.Path, " › "))
	}
	s.text("    ", faint, "《"+c.Document+"》")
	s.text("    ", "", "“"+c.Quote+"”")
	if c.URL != "" {
		s.text("    ", faint, c.URL)
	}
}

// plain takes the marks of Markdown out that a terminal does not show.
func plain(markdown string) string {
	return strings.NewReplacer("**", "", "`", "").Replace(markdown)
}
