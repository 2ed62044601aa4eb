package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

type clause struct{ ID, Title, Text string }

type question struct {
	id, text string
	relevant map[string]bool
}

// read reads a retrieval set in the form of the BEIR benchmark.
func read(dir string) (clauses []clause, questions []question, err error) {
	relevant := make(map[string]map[string]bool)
	err = lines(filepath.Join(dir, "qrels.tsv"), func(line string) error {
		f := strings.Split(line, "\t")
		if len(f) != 3 {
			return fmt.Errorf("want three columns in %q", line)
		}
		if relevant[f[0]] == nil {
			relevant[f[0]] = make(map[string]bool)
		}
		relevant[f[0]][f[1]] = true
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	err = lines(filepath.Join(dir, "corpus.jsonl"), func(line string) error {
		var c clause
		err := json.Unmarshal([]byte(line), &c)
		clauses = append(clauses, c)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	err = lines(filepath.Join(dir, "queries.jsonl"), func(line string) error {
		var q struct{ ID, Text string }
		err := json.Unmarshal([]byte(line), &q)
		if len(relevant[q.ID]) > 0 {
			questions = append(questions, question{q.ID, q.Text, relevant[q.ID]})
		}
		return err
	})
	return clauses, questions, err
}

func lines(name string, f func(line string) error) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	s := bufio.NewScanner(file)
	s.Buffer(nil, 1<<24)
	for s.Scan() {
		if err := f(s.Text()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return s.Err()
}
