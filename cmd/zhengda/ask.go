package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"runtime"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"

	"zhengda/bot"
)

func (a *app) askCommand() *cobra.Command {
	var asJSON, batch bool
	var ask bot.Ask
	c := &cobra.Command{
		Use:     "ask QUESTION",
		Short:   a.say("cmd.ask"),
		Example: "  zhengda ask \"先投后股有哪些支持?\"\n  zhengda ask --persona staff --as-of 2024-09-30 \"高企还差多少?\"\n  zhengda ask --batch < questions.jsonl > answers.jsonl",
		RunE: func(cmd *cobra.Command, args []string) error {
			ask.Question = strings.Join(args, " ")
			a.tongue = a.questionTongue(ask.Question)
			if batch {
				if len(args) > 0 {
					return usage("err.batch_question")
				}
				return a.batch(cmd.Context(), ask)
			}
			if ask.Question == "-" {
				b, err := io.ReadAll(a.in)
				if err != nil {
					return err
				}
				ask.Question = string(b)
				a.tongue = a.questionTongue(ask.Question)
			}
			return a.ask(cmd.Context(), ask, asJSON)
		},
	}
	f := c.Flags()
	f.BoolVar(&asJSON, "json", false, a.say("flag.json"))
	f.BoolVar(&batch, "batch", false, a.say("flag.batch"))
	f.StringVar((*string)(&ask.Persona), "persona", "", a.say("flag.persona"))
	f.StringVar(&ask.AsOf, "as-of", "", a.say("flag.as_of"))
	return c
}

// ask answers one question.
func (a *app) ask(ctx context.Context, ask bot.Ask, asJSON bool) error {
	if _, err := check(ask); err != nil {
		return err
	}
	s, err := a.answerer(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	answer, err := s.ask(ctx, ask)
	if err != nil {
		return err
	}
	s.unwell()
	if asJSON {
		return a.json(answer)
	}
	a.screen().answer(answer, a.tongue)
	return nil
}

// batch answers the lines of standard input, several at a time, in order.
// The persona and day of the command line stand where a line has none.
func (a *app) batch(ctx context.Context, standard bot.Ask) error {
	standard.Question = "?"
	if _, err := check(standard); err != nil {
		return err
	}
	s, err := a.answerer(ctx)
	if err != nil {
		return err
	}
	defer s.close()
	if s.empty() {
		return errEmpty
	}
	type slot struct {
		line   []byte
		answer chan any
	}
	jobs, order := make(chan slot), make(chan slot, 4*runtime.GOMAXPROCS(0))
	for range runtime.GOMAXPROCS(0) {
		go func() {
			for j := range jobs {
				j.answer <- s.line(ctx, j.line, standard)
			}
		}()
	}
	var readErr error
	go func() {
		defer close(order)
		defer close(jobs)
		readErr = eachLine(a.in, func(line []byte) bool {
			j := slot{line, make(chan any, 1)}
			select {
			case order <- j:
			case <-ctx.Done():
				return false
			}
			jobs <- j
			return true
		})
	}()
	lines, bad := 0, 0
	for j := range order {
		v := <-j.answer
		if err := a.json(v); err != nil {
			return err
		}
		if _, ok := v.(lineError); ok {
			bad++
		}
		lines++
	}
	if err := errors.Join(ctx.Err(), readErr); err != nil {
		return err
	}
	s.unwell()
	if bad > 0 {
		a.note("ask.bad_lines", bad, lines)
	}
	return nil
}

// lineError is what stands for a line of a batch that cannot be answered.
type lineError struct {
	ID    json.RawMessage `json:"id"` // as given; null where it cannot be read
	Error string          `json:"error"`
}

// line answers one line of a batch with a bot.Answer or a lineError.
func (s *answerer) line(ctx context.Context, line []byte, standard bot.Ask) any {
	in := struct {
		bot.Ask
		ID json.RawMessage `json:"id"` // any value, though it should be a string
	}{Ask: standard}
	in.Question = ""
	err := json.Unmarshal(line, &in)
	ask := in.Ask
	switch {
	case !utf8.Valid(line):
		err = usage("err.utf8", "question")
		in.ID = bytes.ToValidUTF8(in.ID, []byte("\ufffd"))
	case err != nil:
		err = usage("err.json", err.Error())
	case len(in.ID) > 0 && json.Unmarshal(in.ID, &ask.ID) != nil:
		ask.ID = string(in.ID)
	}
	var answer bot.Answer
	if err == nil {
		answer, err = s.ask(ctx, ask)
	}
	if err != nil {
		a := *s.h.a
		a.tongue = a.questionTongue(ask.Question)
		text, _ := a.explain(err)
		return lineError{in.ID, text}
	}
	return answer
}

// eachLine gives the lines of r that are not blank to f, however long, until
// f returns false.
func eachLine(r io.Reader, f func([]byte) bool) error {
	b := bufio.NewReader(r)
	for first := true; ; first = false {
		line, err := b.ReadBytes('\n')
		if first {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line = bytes.TrimSpace(line); len(line) > 0 && !f(line) {
			return nil
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// json writes v on one line.
func (a *app) json(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}
