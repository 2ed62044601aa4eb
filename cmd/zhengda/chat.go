package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"zhengda/bot"
	"zhengda/rag"
)

func (a *app) chatCommand() *cobra.Command {
	var ask bot.Ask
	c := &cobra.Command{
		Use:   "chat",
		Short: a.say("cmd.chat"),
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			ask.Question = "?"
			if _, err := check(ask); err != nil {
				return err
			}
			s, err := a.answerer(cmd.Context())
			if err != nil {
				return err
			}
			defer s.close()
			if s.empty() {
				return errEmpty
			}
			return (&talk{a: a, s: s, screen: a.screen(), ask: ask}).run(cmd.Context())
		},
	}
	c.Flags().StringVar((*string)(&ask.Persona), "persona", "", a.say("flag.persona"))
	c.Flags().StringVar(&ask.AsOf, "as-of", "", a.say("flag.as_of"))
	return c
}

// talk is a conversation in the terminal.
type talk struct {
	a      *app
	s      *answerer
	screen *screen
	ask    bot.Ask
	cited  string // ID of the document that was cited last
}

// remembered is how many turns of a conversation go with a question.
const remembered = 20

// run reads lines until the input or ctx ends.
func (k *talk) run(ctx context.Context) error {
	_, prompt := terminal(k.a.in)
	if prompt {
		k.a.note("chat.welcome")
	}
	lines, readErr := make(chan string), make(chan error, 1)
	go func() {
		defer close(lines)
		r := bufio.NewReader(k.a.in)
		for {
			line, err := r.ReadString('\n')
			if line != "" {
				select {
				case lines <- line:
				case <-ctx.Done():
					return
				}
			}
			if err != nil {
				readErr <- err
				return
			}
		}
	}()
	for {
		if prompt {
			fmt.Fprint(k.a.err, "> ")
		}
		select {
		case <-ctx.Done():
			fmt.Fprintln(k.a.err)
			return nil
		case line, ok := <-lines:
			if !ok {
				if prompt {
					fmt.Fprintln(k.a.err)
				}
				if err := <-readErr; err != io.EOF {
					return err
				}
				return nil
			}
			if line = strings.TrimSpace(line); line == "" {
				continue
			}
			if stop, err := k.turn(ctx, line); stop || err != nil {
				return err
			}
		}
	}
}

// turn takes one line and reports whether the conversation is over.
func (k *talk) turn(ctx context.Context, line string) (stop bool, err error) {
	if strings.HasPrefix(line, "/") {
		return k.order(line), nil
	}
	k.ask.Question = line
	answer, err := k.s.ask(ctx, k.ask)
	switch {
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(k.a.err)
		return true, nil
	case err != nil:
		k.a.fail(err)
		return false, nil
	}
	k.s.unwell()
	k.screen.answer(answer, k.a.questionTongue(line))
	k.screen.line("")
	k.ask.History = append(k.ask.History, bot.Turn{Role: "user", Content: line}, bot.Turn{Role: "assistant", Content: answer.Text})
	if n := len(k.ask.History); n > remembered {
		k.ask.History = k.ask.History[n-remembered:]
	}
	if len(answer.Citations) > 0 {
		k.cited = answer.Citations[0].DocumentID
	}
	return false, nil
}

// order obeys a line that begins with a stroke.
func (k *talk) order(line string) (stop bool) {
	name, rest, _ := strings.Cut(line[1:], " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "quit", "exit", "q", "退出":
		return true
	case "new", "新":
		k.ask.History, k.cited = nil, ""
	case "clause", "条":
		k.clause(rest)
	case "docs", "文件":
		for _, d := range k.s.index().Documents() {
			k.screen.line("%s  《%s》", d.ID, d.Title)
		}
	case "help", "帮助", "?":
		k.a.note("chat.help")
	default:
		k.a.note("chat.unknown", line)
	}
	return false
}

// clause shows a clause by its number or label: of the document cited last if
// it has one, else of every document.
func (k *talk) clause(label string) {
	docs := k.s.index().Documents()
	if d, ok := k.s.index().Document(k.cited); ok && len(findClauses(d, label)) > 0 {
		docs = []*rag.Document{d}
	}
	found := 0
	for _, d := range docs {
		for _, c := range findClauses(d, label) {
			found++
			k.screen.clause(d, c)
		}
	}
	if found == 0 {
		k.a.note("chat.no_clause", label)
	}
}
