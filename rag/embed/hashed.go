package embed

import (
	"context"
	"fmt"
	"math"
	"unicode"
)

// Hashed is an Embedder without a model: it counts the character n-grams of a
// text in a vector of fixed length. Texts are near each other when they share
// words, never because they mean the same.
type Hashed struct{ dim int }

var _ Embedder = (*Hashed)(nil)

// NewHashed returns a deterministic embedder of hashed n-grams with vectors of
// length dim. It panics unless dim is positive.
func NewHashed(dim int) *Hashed {
	if dim <= 0 {
		panic(fmt.Sprintf("embed: NewHashed: dimension %d", dim))
	}
	return &Hashed{dim}
}

// Name is "hashed/" and the dimension.
func (h *Hashed) Name() string { return fmt.Sprintf("hashed/%d", h.dim) }

// Dim is the length of every vector.
func (h *Hashed) Dim() int { return h.dim }

// Embed returns one unit vector per text; a text without letters or digits
// gets the first axis. The error is that of ctx.
func (h *Hashed) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	for i, t := range texts {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
		}
		vectors[i] = h.vector(t)
	}
	return vectors, nil
}

// vector adds ±1 for every run of one to three letters or digits, so that
// n-grams hashed to one place cancel as often as they add (Weinberger et al.,
// Feature Hashing for Large Scale Multitask Learning, 2009), and takes the
// square root of each count.
func (h *Hashed) vector(text string) []float32 {
	v := make([]float32, h.dim)
	var run [3]rune
	n := 0
	for _, r := range Fold(text) {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			n = 0
			continue
		}
		run[0], run[1], run[2] = run[1], run[2], r
		n = min(n+1, len(run))
		for k := 1; k <= n; k++ {
			s := hashRunes(run[len(run)-k:])
			sign := float32(1)
			if s>>63 == 1 {
				sign = -1
			}
			v[s%uint64(h.dim)] += sign
		}
	}
	for i, x := range v {
		v[i] = float32(math.Copysign(math.Sqrt(math.Abs(float64(x))), float64(x)))
	}
	normalize(v)
	return v
}

// hashRunes is 64-bit FNV-1a over whole runes, finished with the mixer of
// MurmurHash3 so that high and low bits are equally good.
func hashRunes(rs []rune) uint64 {
	s := uint64(14695981039346656037)
	for _, r := range rs {
		s = (s ^ uint64(r)) * 1099511628211
	}
	s = (s ^ s>>33) * 0xff51afd7ed558ccd
	s = (s ^ s>>33) * 0xc4ceb9fe1a85ec53
	return s ^ s>>33
}
