package rag

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
)

// Reranker judges how well texts answer a question, one score per text in
// order, higher is better. It answers for all texts or returns an error, and
// is safe for concurrent use.
type Reranker interface {
	Rerank(ctx context.Context, question string, texts []string) ([]float64, error)
}

// rerankDepth is how many of the fused clauses a Reranker is asked about.
const rerankDepth = 30

// rerank puts the best hits in the reranker's order. When it fails the order
// stays and Health tells.
func (x *Index) rerank(ctx context.Context, question string, hits []hit) []hit {
	best := hits[:min(rerankDepth, len(hits))]
	if len(best) < 2 {
		return hits
	}
	texts := make([]string, len(best))
	for i, h := range best {
		texts[i] = strings.TrimPrefix(x.headings(h.clause)+"\n"+x.clauses[h.clause].Text, "\n")
	}
	scores, err := x.options.Reranker.Rerank(ctx, question, texts)
	if err == nil && len(scores) != len(texts) {
		err = fmt.Errorf("%d scores for %d texts", len(scores), len(texts))
	}
	if err == nil && slices.ContainsFunc(scores, func(s float64) bool { return math.IsNaN(s) || math.IsInf(s, 0) }) {
		err = fmt.Errorf("a score is not a number")
	}
	if err != nil {
		x.fail(fmt.Errorf("rerank: %w", err))
		return hits
	}
	order := make([]int, len(best))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		switch {
		case scores[a] > scores[b]:
			return -1
		case scores[a] < scores[b]:
			return 1
		}
		return 0
	})
	out := make([]hit, 0, len(hits))
	for _, i := range order {
		out = append(out, hit{best[i].clause, float32(scores[i])})
	}
	// The rest keep their order below the last of the judged.
	for i, h := range hits[len(best):] {
		out = append(out, hit{h.clause, out[len(best)-1].score - float32(i+1)})
	}
	return out
}

// RerankService is a Reranker behind the /v1/rerank of Cohere's, Jina's, vLLM's
// and llama.cpp's form.
type RerankService struct {
	URL    string // up to and with /v1/rerank
	Model  string
	Key    string // sent as a bearer token if not empty
	Client *http.Client
}

var _ Reranker = (*RerankService)(nil)

// rerankAnswer bounds the bytes read of an answer.
const rerankAnswer = 4 << 20

// Rerank implements Reranker.
func (s *RerankService) Rerank(ctx context.Context, question string, texts []string) ([]float64, error) {
	body, err := json.Marshal(struct {
		Model     string   `json:"model,omitempty"`
		Query     string   `json:"query"`
		Documents []string `json:"documents"`
		TopN      int      `json:"top_n"`
	}{s.Model, question, texts, len(texts)})
	if err != nil {
		return nil, fmt.Errorf("encode rerank request: %w", err)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("make rerank request: %w", err)
	}
	r.Header.Set("Content-Type", "application/json")
	if s.Key != "" {
		r.Header.Set("Authorization", "Bearer "+s.Key)
	}
	client := s.Client
	if client == nil {
		client = http.DefaultClient
	}
	answer, err := client.Do(r)
	if err != nil {
		return nil, fmt.Errorf("ask reranker: %w", err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask reranker: %s", answer.Status)
	}
	return readScores(io.LimitReader(answer.Body, rerankAnswer), len(texts))
}

// readScores reads {"results":[{"index":0,"relevance_score":0.5},…]}, in any
// order, with every index from 0 to n-1 once.
func readScores(r io.Reader, n int) ([]float64, error) {
	var answer struct {
		Results []struct {
			Index *int     `json:"index"`
			Score *float64 `json:"relevance_score"`
		} `json:"results"`
	}
	if err := json.NewDecoder(r).Decode(&answer); err != nil {
		return nil, fmt.Errorf("read rerank answer: %w", err)
	}
	if len(answer.Results) != n {
		return nil, fmt.Errorf("rerank answer: %d results for %d texts", len(answer.Results), n)
	}
	scores := make([]float64, n)
	seen := make([]bool, n)
	for _, r := range answer.Results {
		if r.Index == nil || r.Score == nil || *r.Index < 0 || *r.Index >= n || seen[*r.Index] {
			return nil, fmt.Errorf("rerank answer: a result lacks its index or score, or repeats one")
		}
		scores[*r.Index], seen[*r.Index] = *r.Score, true
	}
	return scores, nil
}
