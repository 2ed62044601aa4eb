// Package embed turns texts into vectors: with the sentence model that is part
// of the program ([Builtin]), through an OpenAI-compatible service
// ([NewService]), or with hashed n-grams ([NewHashed]).
package embed

import (
	"context"
	"fmt"
	"math"
)

// Embedder maps texts to unit vectors of one dimension.
//
// Embed returns one vector per text, in order, or an error and no vectors; a
// call is never answered in part. It is safe for concurrent use.
type Embedder interface {
	// Name identifies the model and everything that changes its vectors;
	// vectors of different names are never mixed.
	Name() string
	// Dim is the length of every vector.
	Dim() int
	Embed(ctx context.Context, texts []string) ([][]float32, error)
}

// QueryEmbedder is an Embedder that treats questions differently from
// passages.
type QueryEmbedder interface {
	Embedder
	EmbedQuery(ctx context.Context, question string) ([]float32, error)
}

// Check reports what is wrong with vectors as the answer to a number of texts:
// their number, a length other than dim, a value that is not finite, or a
// vector that is not of length 1 (within 1 in 1,000).
func Check(vectors [][]float32, texts, dim int) error {
	if len(vectors) != texts {
		return fmt.Errorf("%d vectors for %d texts", len(vectors), texts)
	}
	for i, v := range vectors {
		if len(v) != dim {
			return fmt.Errorf("vector %d of %d: dimension %d, want %d", i, texts, len(v), dim)
		}
		if n := length(v); !(math.Abs(n-1) < 1e-3) {
			return fmt.Errorf("vector %d of %d: length %g, want 1", i, texts, n)
		}
	}
	return nil
}

func length(v []float32) float64 {
	var sum float64
	for _, x := range v {
		sum += float64(x) * float64(x)
	}
	return math.Sqrt(sum)
}

// normalize scales v to length 1; a vector of zeros becomes the first axis.
func normalize(v []float32) {
	n := length(v)
	if n == 0 {
		v[0] = 1
		return
	}
	s := float32(1 / n)
	for i := range v {
		v[i] *= s
	}
}
