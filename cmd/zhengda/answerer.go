package main

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
	"unicode/utf8"

	"zhengda/bot"
	"zhengda/rag"
)

// answerer answers from what is published. It is safe for concurrent use.
type answerer struct {
	h     *house
	mind  func(*rag.Index) *bot.Bot
	limit time.Duration
	state atomic.Pointer[state]
	slack *channel // nil: none
}

// state is an index, the stamp of what it was made of, and the bot over it, so
// that a question that has begun ends with what it began with.
type state struct {
	index *rag.Index
	stamp string
	bot   *bot.Bot
}

// answerer opens the data folder to answer from it.
func (a *app) answerer(ctx context.Context) (*answerer, error) {
	limit, err := a.timeout()
	if err != nil {
		return nil, err
	}
	h, err := a.open(ctx)
	if err != nil {
		return nil, err
	}
	s := &answerer{h: h, limit: limit}
	if s.mind, err = h.minds(ctx); err == nil {
		err = s.refresh(ctx)
	}
	if err != nil {
		h.close()
		return nil, err
	}
	return s, nil
}

func (s *answerer) close()            { s.h.close() }
func (s *answerer) index() *rag.Index { return s.state.Load().index }
func (s *answerer) empty() bool       { return len(s.index().Documents()) == 0 }

// builtin answers from the same state without a model; it fails where there is
// no model to do without.
func (s *answerer) builtin() (*answerer, error) {
	now := *s.state.Load()
	if !now.bot.HasModel() {
		return nil, usage("err.no_model")
	}
	now.bot = now.bot.Builtin()
	b := &answerer{h: s.h, limit: s.limit}
	b.state.Store(&now)
	return b, nil
}

// refresh takes the index over what is published now.
func (s *answerer) refresh(ctx context.Context) error {
	x, stamp, err := s.h.index(ctx)
	if err != nil {
		return err
	}
	s.state.Store(&state{x, stamp, s.mind(x)})
	return nil
}

// ask answers one question within the time limit.
func (s *answerer) ask(ctx context.Context, ask bot.Ask) (bot.Answer, error) {
	ask, err := check(ask)
	if err != nil {
		return bot.Answer{}, err
	}
	now := s.state.Load()
	if len(now.index.Documents()) == 0 {
		return bot.Answer{}, errEmpty
	}
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	answer, err := now.bot.Ask(ctx, ask)
	if err != nil {
		return bot.Answer{}, err
	}
	if n := utf8.RuneCountInString(ask.Question); n > bot.MaxQuestion {
		answer.Warnings = append(answer.Warnings, bot.Warning{Kind: "truncated",
			Text: s.h.a.questionTongue(answer.Question).say("ask.truncated", n, bot.MaxQuestion)})
	}
	return answer, nil
}

// check refuses a question that cannot be read, and takes control characters
// out of one that can.
func check(ask bot.Ask) (bot.Ask, error) {
	if !utf8.ValidString(ask.Question) {
		return ask, usage("err.utf8", "question")
	}
	ask.Question = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return ' '
		}
		return r
	}, ask.Question))
	if ask.Question == "" {
		return ask, usage("err.no_question")
	}
	var err error
	if ask.Persona, err = persona(string(ask.Persona)); err != nil {
		return ask, err
	}
	day, err := date("as_of", ask.AsOf)
	ask.AsOf = string(day)
	for _, t := range ask.History {
		if t.Role != "user" && t.Role != "assistant" {
			return ask, usage("err.role", t.Role)
		}
	}
	return ask, err
}

// unwell says that an index with vectors was searched without them, and why.
func (s *answerer) unwell() {
	x := s.index()
	if err := x.Health(); err != nil && x.Embedder() != "" && !errors.Is(err, context.Canceled) {
		s.h.a.note("ask.words_only", err)
	}
}
