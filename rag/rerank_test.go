package rag

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"
)

// rerankFunc is a Reranker made of a function.
type rerankFunc func(question string, texts []string) ([]float64, error)

func (f rerankFunc) Rerank(_ context.Context, question string, texts []string) ([]float64, error) {
	return f(question, texts)
}

func TestRerank(t *testing.T) {
	q := Query{Text: "企业和孵化器有哪些要求", K: 7}
	plain := search(t, build(t, Options{}), q)
	if len(plain) < 3 {
		t.Fatalf("found %v", plain)
	}
	reversed := slices.Clone(plain)
	slices.Reverse(reversed)
	for name, c := range map[string]struct {
		rerank rerankFunc
		want   []string
		fails  bool
	}{
		"reverse": {func(_ string, texts []string) ([]float64, error) {
			s := make([]float64, len(texts))
			for i := range s {
				s[i] = float64(i)
			}
			return s, nil
		}, reversed, false},
		"all equal": {func(_ string, texts []string) ([]float64, error) { return make([]float64, len(texts)), nil }, plain, false},
		"too few":   {func(_ string, texts []string) ([]float64, error) { return make([]float64, 1), nil }, plain, true},
		"nan": {func(_ string, texts []string) ([]float64, error) {
			s := make([]float64, len(texts))
			s[1] = math.NaN()
			return s, nil
		}, plain, true},
		"down": {func(string, []string) ([]float64, error) { return nil, errors.New("down") }, plain, true},
	} {
		x := build(t, Options{Reranker: c.rerank})
		if got := search(t, x, q); !slices.Equal(got, c.want) || (x.Health() != nil) != c.fails {
			t.Errorf("%s: %v, want %v; health %v", name, got, c.want, x.Health())
		}
	}
}

func TestRerankService(t *testing.T) {
	for name, c := range map[string]struct {
		answer string
		want   []float64
	}{
		"out of order": {`{"results":[{"index":1,"relevance_score":0.9},{"index":0,"relevance_score":-2}]}`, []float64{-2, 0.9}},
		"too few":      {`{"results":[{"index":1,"relevance_score":0.9}]}`, nil},
		"twice":        {`{"results":[{"index":1,"relevance_score":0.9},{"index":1,"relevance_score":1}]}`, nil},
		"beyond":       {`{"results":[{"index":2,"relevance_score":0.9},{"index":0,"relevance_score":1}]}`, nil},
		"no score":     {`{"results":[{"index":1},{"index":0,"relevance_score":1}]}`, nil},
		"not JSON":     {`<html>`, nil},
		"error":        {"", nil},
	} {
		t.Run(name, func(t *testing.T) {
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				var asked struct {
					Model, Query string
					Documents    []string
				}
				if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || asked.Model != "m" || asked.Query != "问" || len(asked.Documents) != 2 ||
					r.Header.Get("Authorization") != "Bearer k" || r.URL.Path != "/v1/rerank" {
					t.Errorf("asked %+v at %s, %v", asked, r.URL, err)
				}
				if c.answer == "" {
					http.Error(w, "overloaded", http.StatusServiceUnavailable)
					return
				}
				w.Write([]byte(c.answer))
			}))
			defer server.Close()
			s := &RerankService{URL: server.URL + "/v1/rerank", Model: "m", Key: "k", Client: server.Client()}
			got, err := s.Rerank(t.Context(), "问", []string{"甲", "乙"})
			if !slices.Equal(got, c.want) || (err == nil) != (c.want != nil) {
				t.Errorf("%v %v, want %v", got, err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "Bearer") {
				t.Errorf("error tells the key: %v", err)
			}
		})
	}
}

func TestRerankServiceHangs(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // only then the server notices who hangs up
		<-r.Context().Done()
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	s := &RerankService{URL: server.URL}
	if _, err := s.Rerank(ctx, "问", []string{"甲", "乙"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
}

func FuzzReadScores(f *testing.F) {
	f.Add(`{"results":[{"index":0,"relevance_score":1}]}`, 1)
	f.Fuzz(func(t *testing.T, answer string, n int) {
		if n < 0 || n > 1000 {
			return
		}
		if scores, err := readScores(strings.NewReader(answer), n); err == nil && len(scores) != n {
			t.Errorf("%d scores for %d texts", len(scores), n)
		}
	})
}
