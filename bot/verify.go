package bot

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"zhengda/internal/zh"
)

// Problem is one statement of an answer that does not verify.
type Problem struct {
	Line int    // of the answer's text, from 0; -1 for a citation
	Why  string // for logs and for a model's second attempt
}

// shape is a phrase turned round: an expression that matches what the phrase
// can say, with a group for every argument.
type shape struct {
	key string
	re  *regexp.Regexp
}

var argRE = regexp.MustCompile(`\\{\\{\\\.(\w+)\\}\\}`)

func newShape(key, source string) (shape, error) {
	pattern := argRE.ReplaceAllString(regexp.QuoteMeta(source), `(?P<$1>.*?)`)
	re, err := regexp.Compile(`^(?:` + pattern + `)$`)
	return shape{key, re}, err
}

// check verifies answers against one corpus and one question.
type check struct {
	b    *Bot
	c    *corpus
	a    *Answer
	said string // what the question and the earlier turns say, folded, and how it was read
}

// Verify checks every statement of a: each quote is verbatim at its offsets;
// each line is a known phrase or a quotation, and what fills the phrase stands
// in the cited clause, in the figures, in the question or in the make-up of
// the documents. It returns what fails; nothing when the answer stands.
func (b *Bot) Verify(ask Ask, a Answer) []Problem { return b.verify(b.derive(), ask, a) }

// verify is Verify against the corpus that the answer was made from, whatever
// has been published since.
func (b *Bot) verify(c *corpus, ask Ask, a Answer) []Problem {
	k := &check{b: b, c: c, a: &a, said: b.said(c, ask)}
	var out []Problem
	for _, cit := range a.Citations {
		if why := k.citation(cit); why != "" {
			out = append(out, Problem{-1, why})
		}
	}
	used := map[int]bool{}
	for i, l := range strings.Split(a.Text, "\n") {
		if why := k.line(l, used); why != "" {
			out = append(out, Problem{i, why})
		}
	}
	for _, cit := range a.Citations {
		if !used[cit.N] {
			out = append(out, Problem{-1, fmt.Sprintf("citation %d is not used", cit.N)})
		}
	}
	return out
}

// said is everything that the user has said, as read.
func (b *Bot) said(c *corpus, ask Ask) string {
	q := b.read(c, ask)
	parts := []string{zh.Fold(ask.Question), q.norm, q.core, q.expanded}
	for _, t := range ask.History {
		parts = append(parts, b.lex.simplify(zh.Fold(t.Content)), b.read(c, Ask{Question: t.Content}).norm)
	}
	return zh.Squeeze(strings.Join(parts, "\n"))
}

func (k *check) citation(cit Citation) string {
	cl, ok := k.c.index.Clause(cit.ClauseID)
	if !ok {
		return fmt.Sprintf("citation %d: no clause %q", cit.N, cit.ClauseID)
	}
	r := []rune(cl.Text)
	if cit.Start < 0 || cit.End > len(r) || cit.Start >= cit.End || string(r[cit.Start:cit.End]) != cit.Quote {
		return fmt.Sprintf("citation %d: the quote is not verbatim", cit.N)
	}
	if cit.Label != cl.Label || cit.Clause != cl.Number || cit.DocumentID != cl.Document {
		return fmt.Sprintf("citation %d: the label is not that of its clause", cit.N)
	}
	return ""
}

var markRE = regexp.MustCompile(`\[(\d+)\]`)

// line verifies one line and notes the citations that it uses.
func (k *check) line(l string, used map[int]bool) string {
	if why := k.quotation(l, used); why == "" {
		return ""
	}
	if k.figureLine(l) {
		return ""
	}
	why := "no phrase says this"
	for _, s := range k.b.lex.shapes {
		m := s.re.FindStringSubmatch(l)
		if m == nil {
			continue
		}
		if why = k.fill(s, m, used); why == "" {
			return ""
		}
	}
	return why
}

// quotation verifies “label:quote[n]” or “quote[n]”.
func (k *check) quotation(l string, used map[int]bool) string {
	m := markRE.FindAllStringSubmatchIndex(l, -1)
	if len(m) != 1 || m[0][1] != len(l) {
		return "not a quotation"
	}
	n, _ := strconv.Atoi(l[m[0][2]:m[0][3]])
	cit, ok := k.cited(n)
	if !ok {
		return "no such citation"
	}
	text := l[:m[0][0]]
	cl, ok := k.c.index.Clause(cit.ClauseID)
	if !ok {
		return "no such clause"
	}
	for _, label := range []string{k.c.label(cl), printed(cl)} {
		if rest, ok := strings.CutPrefix(text, label+":"); ok && verbatim(strings.TrimPrefix(rest, " "), cit.Quote) {
			used[n] = true
			return ""
		}
	}
	if !verbatim(text, cit.Quote) {
		return "not verbatim"
	}
	used[n] = true
	return ""
}

func (k *check) cited(n int) (Citation, bool) {
	if n < 1 || n > len(k.a.Citations) || k.a.Citations[n-1].N != n {
		return Citation{}, false
	}
	return k.a.Citations[n-1], true
}

// verbatim reports that shown is whole sentences of the quote in a row, or
// whole comma segments with …… where it was cut.
func verbatim(shown, quote string) bool {
	rest, edge, at := zh.Squeeze(quote), edges(quote), 0
	some := false
	for part := range strings.SplitSeq(shown, ellipsis) {
		if part = zh.Squeeze(part); part == "" {
			continue
		}
		i := strings.Index(rest, part)
		if !some && !strings.HasPrefix(shown, ellipsis) {
			for n := 0; i >= 0 && n >= 0 && !edge[i]; i += n + 1 {
				if n = strings.Index(rest[i+1:], part); n < 0 {
					return false
				}
			}
		}
		if i < 0 {
			return false
		}
		some = true
		at += i + len(part)
		rest = rest[i+len(part):]
	}
	return some && (edge[at] || strings.HasSuffix(shown, ellipsis))
}

// edges are the offsets in the squeezed quote at which a sentence of it begins
// or ends.
func edges(quote string) map[int]bool {
	out, at := map[int]bool{0: true}, 0
	r := []rune(quote)
	last := 0
	for _, s := range zh.Sentences(quote) {
		at += len(zh.Squeeze(string(r[last:s.Start])))
		out[at] = true
		at += len(zh.Squeeze(string(r[s.Start:s.End])))
		out[at], last = true, s.End
	}
	out[at+len(zh.Squeeze(string(r[last:])))] = true
	return out
}
