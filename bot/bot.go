package bot

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"zhengda/bot/kpi"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// MaxQuestion is the longest question that is read, in runes; what follows is
// cut off before anything else is done.
const MaxQuestion = 2000

// Config is what a Bot is made of.
type Config struct {
	// Index returns the index to answer from; it may return another one from
	// call to call, and each question uses one throughout.
	Index   func() *rag.Index
	Lexicon *Lexicon
	KPI     *kpi.Tool        // nil: no indicators
	Model   *Model           // nil: built-in answers only
	Now     func() time.Time // nil: time.Now

	// Stage is told, with the context of Ask, what an answer has come to:
	// StageSearch, then StageCheck, then StageCompose where a model picks sentences.
	Stage func(ctx context.Context, stage string) // nil: nobody is told
}

// Stages of an answer.
const (
	StageSearch  = "search"
	StageCheck   = "check"
	StageCompose = "compose"
)

// Bot answers questions. It is safe for concurrent use.
type Bot struct {
	index  func() *rag.Index
	lex    *Lexicon
	kpi    *kpi.Tool
	model  *Model
	now    func() time.Time
	stage  func(context.Context, string)
	corpus atomic.Pointer[corpus]
}

// New makes a Bot.
func New(c Config) *Bot {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Stage == nil {
		c.Stage = func(context.Context, string) {}
	}
	return &Bot{index: c.Index, lex: c.Lexicon, kpi: c.KPI, model: c.Model, now: c.Now, stage: c.Stage}
}

// HasModel reports that a model may word the answers.
func (b *Bot) HasModel() bool { return b.model != nil }

// Builtin is the same bot without a model.
func (b *Bot) Builtin() *Bot {
	return New(Config{Index: b.index, Lexicon: b.lex, KPI: b.kpi, Now: b.now, Stage: b.stage})
}

// Ask answers one question. It fails only when ctx ends; what the corpus does
// not give is a refusal, not an error.
func (b *Bot) Ask(ctx context.Context, a Ask) (Answer, error) {
	start := b.now()
	b.stage(ctx, StageSearch)
	if utf8.RuneCountInString(a.Question) > MaxQuestion {
		a.Question = string([]rune(a.Question)[:MaxQuestion])
	}
	c := b.derive()
	q := b.read(c, a)
	b.carry(c, q)
	day := q.day(start)
	c, err := b.revive(ctx, c, c.view(q, day), q, day)
	if err != nil {
		return Answer{}, fmt.Errorf("answer: %w", err)
	}
	d, err := b.compose(ctx, c, q)
	base := d
	base.lines = slices.Clone(d.lines)
	if err == nil {
		err = b.flag(ctx, c, q, &d)
	}
	if err != nil {
		return Answer{}, fmt.Errorf("answer: %w", err)
	}
	b.stage(ctx, StageCheck)
	out := b.verified(c, q, d)
	if b.model != nil {
		b.stage(ctx, StageCompose)
		out = b.choose(ctx, c, q, base, out)
	}
	out.Timing.Total = b.now().Sub(start).Milliseconds()
	return out, nil
}

// verified renders d and drops what does not verify; when nothing that quotes
// is left, it is a refusal.
func (b *Bot) verified(c *corpus, q *question, d draft) Answer {
	a := b.finish(c, q, d)
	for range len(d.lines) + len(d.notes) {
		bad := b.verify(c, q.ask, a)
		if len(bad) == 0 {
			return a
		}
		d = d.without(bad)
		a = b.finish(c, q, d)
	}
	if len(b.verify(c, q.ask, a)) > 0 || a.Text == "" {
		return b.finish(c, q, b.refuse(q, "unverified", nil))
	}
	return a
}

// derive returns what is known about the current index.
func (b *Bot) derive() *corpus {
	x := b.index()
	if c := b.corpus.Load(); c != nil && c.index == x {
		return c
	}
	c := newCorpus(x, b.lex)
	b.corpus.Store(c)
	return c
}

// carry goes on with the earlier turns: a question that does not stand alone
// takes the topic of the one before it.
func (b *Bot) carry(c *corpus, q *question) {
	h := q.ask.History
	for i := len(h) - 1; i >= 0; i-- {
		switch h[i].Role {
		case "assistant":
			if len(q.cited) == 0 {
				told := b.lex.simplify(zh.Fold(h[i].Content))
				q.cited = refsIn(told)
				for _, m := range titleRE.FindAllStringSubmatch(told, -1) {
					q.citedTitles = append(q.citedTitles, zh.Squeeze(m[1]))
				}
			}
		case "user":
			prev := b.read(c, Ask{Question: h[i].Content, Persona: q.ask.Persona})
			if !b.alone(q) && !prev.forms["offtopic"] {
				b.join(q, prev)
			}
			return
		}
	}
}

// alone reports whether q names its own topic and does not point back.
func (b *Bot) alone(q *question) bool {
	if len(q.refs) > 0 || q.forms["inject"] || q.forms["offtopic"] {
		return true
	}
	known := 0
	for _, t := range q.terms {
		if t.named {
			known++
		}
	}
	return !q.forms["followup"] && (known > 0 || len(q.terms) >= 3)
}

// join gives q the topic of prev.
func (b *Bot) join(q, prev *question) {
	q.carried, q.own = prev, len(q.terms)
	q.search = prev.core + " " + q.core
	q.expanded += " " + prev.expanded
	for _, t := range prev.terms {
		t.named = false
		q.terms = append(q.terms, t)
	}
	if len(q.places) == 0 {
		q.places = prev.places
	}
	if len(q.titles) == 0 {
		q.titles = append(prev.titles, q.citedTitles...)
	}
	if len(q.years) == 0 {
		q.years = prev.years
	}
	if !q.forms["where"] && !q.forms["mentions"] && !q.forms["again"] {
		q.refs = append(q.refs, prev.refs...)
	}
	if len(q.attrs) == 0 && !q.forms["yesno"] && !q.forms["where"] {
		q.attrs = prev.attrs
	}
	q.english = q.english || prev.english && q.core == ""
}
