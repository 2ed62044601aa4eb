package rag

import (
	"math"
	"strings"

	"zhengda/rag/embed"
)

// How the two legs become one order. Scores of both are standardised over the
// leg's own best clauses; ranks would forget how far apart they are.
const (
	legDepth = 100 // best clauses of each leg that are fused
	legFloor = -3  // deviations below the mean; also where a leg lacks a clause
)

// Weights are what each leg counts for. They need not add up to one; a leg of
// weight zero is not searched.
type Weights struct{ Lexical, Dense float64 }

// uncovered is the share of a question's idf weight below which the best clause
// by words is there by chance: the question says it in other words.
const uncovered = .2

// weightsOf are the weights of an embedder's vectors for a question of which
// the best clause by words covers that share. Those of a real model were
// chosen on half of the questions of a set, and are flat around there;
// character n-grams know no more than the words do and count for little.
func weightsOf(e embed.Embedder, coverage float64) Weights {
	switch {
	case strings.HasPrefix(e.Name(), "hashed/"):
		return Weights{Lexical: .9, Dense: .1}
	case coverage < uncovered:
		return Weights{Lexical: .2, Dense: .8}
	}
	return Weights{Lexical: .45, Dense: .55}
}

// standard gives every hit of a leg its distance from the leg's mean in
// deviations, not below legFloor.
func standard(hits []hit) map[uint32]float64 {
	if len(hits) == 0 {
		return nil
	}
	var mean, variance float64
	for _, h := range hits {
		mean += float64(h.score)
	}
	mean /= float64(len(hits))
	for _, h := range hits {
		variance += (float64(h.score) - mean) * (float64(h.score) - mean)
	}
	deviation := math.Sqrt(variance / float64(len(hits)))
	z := make(map[uint32]float64, len(hits))
	for _, h := range hits {
		if deviation > 1e-9 {
			z[h.clause] = max((float64(h.score)-mean)/deviation, legFloor)
		} else {
			z[h.clause] = 0
		}
	}
	return z
}

// fuse adds the standardised scores of the legs, each with its weight.
func fuse(lexical, dense []hit, w Weights) []hit {
	if len(dense) == 0 {
		w = Weights{Lexical: 1}
	} else if len(lexical) == 0 {
		w = Weights{Dense: 1}
	}
	total := w.Lexical + w.Dense
	zl, zd := standard(lexical), standard(dense)
	at := func(z map[uint32]float64, c uint32) float64 {
		if s, ok := z[c]; ok {
			return s
		}
		return legFloor
	}
	out := make([]hit, 0, len(lexical)+len(dense))
	add := func(c uint32) {
		s := (w.Lexical*at(zl, c) + w.Dense*at(zd, c)) / total
		out = append(out, hit{c, float32(s)})
	}
	if w.Lexical > 0 {
		for _, h := range lexical {
			add(h.clause)
		}
	}
	for _, h := range dense {
		if _, ok := zl[h.clause]; !ok || w.Lexical == 0 {
			add(h.clause)
		}
	}
	return out
}
