package bert

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// small makes a model of random weights.
func small() *Weights {
	s := Shape{Vocabulary: 50, Window: 100, Width: 64, Depth: 3, Heads: 4, Inner: 96}
	seed := uint64(0)
	numbers := func(n int, size float64) []float32 {
		seed++
		return random(seed, n, size)
	}
	norm := func() Norm {
		n := Norm{numbers(s.Width, .1), numbers(s.Width, .1)}
		for i := range n.Gain {
			n.Gain[i]++
		}
		return n
	}
	linear := func(in, out int) Linear { return NewLinear(numbers(in*out, .1), in, numbers(out, .1)) }
	w := &Weights{
		Shape:      s,
		Words:      make([]int8, s.Vocabulary*s.Width),
		WordScales: make([]float32, s.Vocabulary),
		Positions:  numbers(s.Window*s.Width, 1),
		WordNorm:   norm(),
	}
	for i := range w.WordScales {
		w.WordScales[i] = Quantize8(w.Words[i*s.Width:][:s.Width], numbers(s.Width, 1))
	}
	for range s.Depth {
		w.Layers = append(w.Layers, Layer{
			Query: linear(s.Width, s.Width), Key: linear(s.Width, s.Width), Value: linear(s.Width, s.Width),
			Output: linear(s.Width, s.Width), AttentionNorm: norm(),
			Up: linear(s.Width, s.Inner), Down: linear(s.Inner, s.Width), OutputNorm: norm(),
		})
	}
	return w
}

// sequences are n random ones of 1 to longest tokens.
func sequences(n, longest int) [][]int32 {
	r := rand.New(rand.NewPCG(1, 2))
	all := make([][]int32, n)
	for i := range all {
		all[i] = make([]int32, 1+r.IntN(longest))
		for j := range all[i] {
			all[i][j] = r.Int32N(50)
		}
	}
	return all
}

// dense is W of a linear layer in float64, input by input.
func (l *Linear) dense() []float64 {
	w := make([]float64, l.In*l.Out)
	for k := range l.In {
		for c := range l.Out {
			w[k*l.Out+c] = float64(l.Weights[((c/16*l.In/2+k/2)*16+c%16)*2+k%2]) * float64(l.Scales[c])
		}
	}
	return w
}

// plain encodes one sequence in float64, straight from the definition of the
// transformer.
func plain(w *Weights, tokens []int32) []float64 {
	apply := func(x []float64, l *Linear) []float64 {
		y, m := make([]float64, l.Out), l.dense()
		for c := range y {
			y[c] = float64(l.Bias[c])
			for k, v := range x {
				y[c] += v * m[k*l.Out+c]
			}
		}
		return y
	}
	addNorm := func(x, y []float64, n *Norm) []float64 {
		var mean, variance float64
		z := make([]float64, len(x))
		for i := range x {
			z[i] = x[i] + y[i]
			mean += z[i] / float64(len(x))
		}
		for _, v := range z {
			variance += (v - mean) * (v - mean) / float64(len(x))
		}
		for i, v := range z {
			z[i] = (v-mean)/math.Sqrt(variance)*float64(n.Gain[i]) + float64(n.Bias[i])
		}
		return z
	}
	head := w.Width / w.Heads
	x := make([][]float64, len(tokens))
	for i, id := range tokens {
		word, position := make([]float64, w.Width), make([]float64, w.Width)
		for j := range word {
			word[j] = float64(w.Words[int(id)*w.Width+j]) * float64(w.WordScales[id])
			position[j] = float64(w.Positions[i*w.Width+j])
		}
		x[i] = addNorm(word, position, &w.WordNorm)
	}
	for li := range w.Layers {
		l := &w.Layers[li]
		var q, k, v [][]float64
		for _, h := range x {
			q, k, v = append(q, apply(h, &l.Query)), append(k, apply(h, &l.Key)), append(v, apply(h, &l.Value))
		}
		for i := range x {
			context := make([]float64, w.Width)
			for h := 0; h < w.Width; h += head {
				weights, sum := make([]float64, len(x)), 0.
				for j := range x {
					for d := range head {
						weights[j] += q[i][h+d] * k[j][h+d]
					}
					weights[j] = math.Exp(weights[j] / math.Sqrt(float64(head)))
					sum += weights[j]
				}
				for j := range x {
					for d := range head {
						context[h+d] += weights[j] / sum * v[j][h+d]
					}
				}
			}
			h := addNorm(x[i], apply(context, &l.Output), &l.AttentionNorm)
			inner := apply(h, &l.Up)
			for j, u := range inner {
				inner[j] = u / 2 * math.Erfc(-u/math.Sqrt2)
			}
			x[i] = addNorm(h, apply(inner, &l.Down), &l.OutputNorm)
		}
	}
	return x[0]
}

func TestEncode(t *testing.T) {
	w := small()
	all := sequences(20, 100)
	for _, k := range Kernels() {
		e, err := New(w, k)
		if err != nil {
			t.Fatal(err)
		}
		one, err := e.Encode(all, 1)
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range one {
			for j, want := range plain(w, all[i]) {
				if d := math.Abs(float64(v[j]) - want); d > .01 {
					t.Fatalf("%s: sequence %d of %d tokens, number %d: %g, want %g", k, i, len(all[i]), j, v[j], want)
				}
			}
		}
		for _, workers := range []int{2, 3, 7} {
			many, err := e.Encode(all, workers)
			if err != nil {
				t.Fatal(err)
			}
			for i := range many {
				if !slices.Equal(many[i], one[i]) {
					t.Errorf("%s: sequence %d differs with %d workers", k, i, workers)
				}
			}
		}
		for i, s := range all {
			alone, err := e.Encode([][]int32{s}, 2)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(alone[0], one[i]) {
				t.Errorf("%s: sequence %d differs alone", k, i)
			}
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	e, err := New(small(), "scalar")
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string][]int32{
		"empty":    {},
		"too long": make([]int32, 101),
		"unknown":  {50},
		"negative": {-1},
	} {
		if v, err := e.Encode([][]int32{{1, 2}, s}, 1); err == nil || v != nil {
			t.Errorf("%s sequence: %d vectors, error %v", what, len(v), err)
		}
	}
	if v, err := e.Encode(nil, 2); err != nil || len(v) != 0 {
		t.Errorf("no sequences: %d vectors, error %v", len(v), err)
	}
}

func TestOpenAppend(t *testing.T) {
	data := string(small().Append(nil))
	w, err := Open(data)
	if err != nil {
		t.Fatal(err)
	}
	if again := string(w.Append(nil)); again != data {
		t.Error("reading and writing changes the file")
	}
	// A copy that begins at an odd address is decoded, not viewed.
	odd := ("x" + data)[1:]
	if w, err = Open(odd); err != nil || string(w.Append(nil)) != data {
		t.Errorf("at an odd address: %v", err)
	}
	for what, bad := range map[string]string{
		"empty":     "",
		"truncated": data[:len(data)-64],
		"longer":    data + strings.Repeat("x", 64),
		"version":   strings.Replace(data, "\x01", "\x02", 1),
		"shape":     data[:8] + "\xff\xff\xff\xff" + data[12:],
	} {
		if _, err := Open(bad); err == nil {
			t.Errorf("%s file is accepted", what)
		}
	}
}

func FuzzOpen(f *testing.F) {
	data := string(small().Append(nil))
	f.Add(data[:64])
	f.Add(data)
	f.Fuzz(func(t *testing.T, data string) {
		if w, err := Open(data); err == nil && len(w.Append(nil)) != len(data) {
			t.Error("reading and writing changes the length")
		}
	})
}
