// Package eval measures answers against question sets. It judges as the
// scorers that come with the sets do: qa/score.py for questions about one
// document, corpus_qa/score.py for questions about many.
package eval

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"zhengda/bot"
)

// Case is one question with what a right answer has.
type Case struct {
	ID       string      `json:"id"`
	Persona  bot.Persona `json:"persona"`
	Type     string      `json:"type"`
	Question string      `json:"question"`
	History  []bot.Turn  `json:"history"`
	// Clauses are the numbers of the clauses that answer: 0 is the paragraph of
	// overall targets, -1 the one before it.
	Clauses []int `json:"gold_clauses"`
	// Gold stands instead of Clauses in a set about many documents.
	Gold []Gold `json:"gold"`
	// Include and Exclude must and must not be in the text of the answer;
	// entries beginning re: are regular expressions.
	Include []string `json:"must_include"`
	Exclude []string `json:"must_not_include"`
	Refuse  bool     `json:"refuse"`
}

// Gold is the verbatim text of a clause that answers.
type Gold struct {
	File string `json:"file"`
	Text string `json:"text"`
}

// Ask is the question as it is put to the bot.
func (c Case) Ask() bot.Ask {
	return bot.Ask{ID: c.ID, Question: c.Question, History: c.History, Persona: c.Persona}
}

// Reply is what came back for a case: an answer, or an error.
type Reply struct {
	bot.Answer
	Error string `json:"error,omitempty"`
}

// Read reads cases, one a line. The error names the line.
func Read(r io.Reader) ([]Case, error) {
	var cases []Case
	b := bufio.NewReader(r)
	for n := 1; ; n++ {
		line, err := b.ReadBytes('\n')
		if err != nil && err != io.EOF {
			return nil, fmt.Errorf("read question set: %w", err)
		}
		if n == 1 {
			line = bytes.TrimPrefix(line, []byte("\ufeff"))
		}
		if line := bytes.TrimSpace(line); len(line) > 0 {
			var c Case
			if err := json.Unmarshal(line, &c); err != nil {
				return nil, fmt.Errorf("read question set: line %d: %w", n, err)
			}
			if err := c.check(); err != nil {
				return nil, fmt.Errorf("read question set: line %d: %w", n, err)
			}
			cases = append(cases, c)
		}
		if err == io.EOF {
			return cases, nil
		}
	}
}

// check reports what a case lacks, or a pattern that does not compile.
func (c Case) check() error {
	if c.ID == "" || c.Question == "" {
		return fmt.Errorf("id and question must not be empty")
	}
	for _, list := range [][]string{c.Include, c.Exclude} {
		for _, p := range list {
			if _, err := compile(p); err != nil {
				return fmt.Errorf("%s: pattern %q: %w", c.ID, p, err)
			}
		}
	}
	return nil
}
