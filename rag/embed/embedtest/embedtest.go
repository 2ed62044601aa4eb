// Package embedtest checks embedders and provides ones that misbehave.
package embedtest

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"

	"zhengda/rag/embed"
)

// Run checks that e keeps the contract of [embed.Embedder].
func Run(t *testing.T, e embed.Embedder) {
	t.Helper()
	texts := []string{"先投后股", "科技型企业申请贴息的条件", "GDP 增长 8%", "“先投后股”", "先投后股"}
	all, err := e.Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := embed.Check(all, len(texts), e.Dim()); err != nil {
		t.Fatal(err)
	}
	if e.Name() == "" {
		t.Error("the embedder has no name")
	}
	t.Run("order", func(t *testing.T) {
		for i, text := range texts {
			one, err := e.Embed(t.Context(), []string{text})
			if err != nil {
				t.Fatal(err)
			}
			if c := Cosine(one[0], all[i]); c < .9999 {
				t.Errorf("%s alone and in a batch: cosine %.5f", text, c)
			}
		}
	})
	t.Run("distinct", func(t *testing.T) {
		if c := Cosine(all[0], all[1]); c > .999 {
			t.Errorf("different texts have cosine %.5f", c)
		}
	})
	t.Run("none", func(t *testing.T) {
		if none, err := e.Embed(t.Context(), nil); err != nil || len(none) != 0 {
			t.Errorf("no texts: %d vectors, error %v", len(none), err)
		}
	})
	t.Run("cancelled", func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if v, err := e.Embed(ctx, texts); !errors.Is(err, context.Canceled) || v != nil {
			t.Errorf("cancelled: %d vectors, error %v", len(v), err)
		}
	})
	t.Run("concurrent", func(t *testing.T) {
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				again, err := e.Embed(t.Context(), texts)
				if err != nil {
					t.Error(err)
					return
				}
				for i := range again {
					if c := Cosine(again[i], all[i]); c < .9999 {
						t.Errorf("%s embedded concurrently: cosine %.5f", texts[i], c)
					}
				}
			})
		}
		wait.Wait()
	})
}

// Cosine is the cosine of the angle between a and b, of one length; it is NaN
// if either is zero.
func Cosine(a, b []float32) float64 {
	var ab, aa, bb float64
	for i, x := range a {
		y := float64(b[i])
		ab += float64(x) * y
		aa += float64(x) * float64(x)
		bb += y * y
	}
	return ab / math.Sqrt(aa*bb)
}

// Fault is a way to break the contract of [embed.Embedder].
type Fault string

// The faults of [Hostile].
const (
	TooMany       Fault = "one vector too many"
	TooFew        Fault = "one vector too few"
	HalfThenError Fault = "half of the vectors and an error"
	NaN           Fault = "a value that is not a number"
	Zero          Fault = "a vector of zeros"
	WrongDim      Fault = "a vector of another dimension"
	Hang          Fault = "no answer before the context ends"
)

// Faults are all faults.
var Faults = []Fault{TooMany, TooFew, HalfThenError, NaN, Zero, WrongDim, Hang}

// ErrHalf is the error of [HalfThenError].
var ErrHalf = errors.New("embedtest: connection lost half-way")

type hostile struct {
	embed.Embedder
	fault Fault
}

// Hostile returns e with a fault in the last vector of every answer.
func Hostile(e embed.Embedder, f Fault) embed.Embedder { return &hostile{e, f} }

// Embed answers wrongly unless there are no texts.
func (h *hostile) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	if h.fault == Hang {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	v, err := h.Embedder.Embed(ctx, texts)
	if err != nil || len(v) == 0 {
		return v, err
	}
	last := len(v) - 1
	switch h.fault {
	case TooMany:
		v = append(v, slices.Clone(v[last]))
	case TooFew:
		v = v[:last]
	case HalfThenError:
		return v[:len(v)/2], ErrHalf
	case NaN:
		v[last][0] = float32(math.NaN())
	case Zero:
		clear(v[last])
	case WrongDim:
		v[last] = append(v[last], 0)
	}
	return v, nil
}
