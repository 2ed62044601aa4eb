package bert

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// random returns n numbers of about the size given, the same in every run.
func random(seed uint64, n int, size float64) []float32 {
	r := rand.New(rand.NewPCG(seed, 0))
	x := make([]float32, n)
	for i := range x {
		x[i] = float32(r.NormFloat64() * size)
	}
	return x
}

// worst is the largest difference of got from want, relative to the larger of
// 1 and the magnitude of want.
func worst(got, want []float32) float64 {
	var m float64
	for i, w := range want {
		d := math.Abs(float64(got[i])-float64(w)) / max(1, math.Abs(float64(w)))
		if !(d <= m) {
			m = d
		}
	}
	return m
}

// eachKernel runs a test for the assembly of this machine and the plain code.
func eachKernel(t *testing.T, test func(*testing.T, *kernels)) {
	for _, k := range available() {
		t.Run(k.name, func(t *testing.T) { test(t, k) })
	}
}

func TestQuantize(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		for _, n := range []int{16, 48, 512, 2048} {
			x := random(1, n, 3)
			got, want := make([]int16, n), make([]int16, n)
			gs, ws := k.quantize(got, x), quantizeScalar(want, x)
			if gs != ws || !slices.Equal(got, want) {
				t.Errorf("%d numbers: differs from the plain code", n)
			}
			for i, q := range got {
				if d := math.Abs(float64(float32(q)*gs - x[i])); d > .5001*float64(gs) {
					t.Fatalf("%g became %g", x[i], float32(q)*gs)
				}
			}
			if largest := max(slices.Max(got), -slices.Min(got)); largest != quantMax {
				t.Errorf("%d numbers: the largest became %d", n, largest)
			}
		}
		zeros := []int16{5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5, 5}
		if s := k.quantize(zeros, make([]float32, 16)); s != 0 || slices.Max(zeros) != 0 {
			t.Errorf("zeros became %d, scale %g", zeros, s)
		}
	})
}

// reference computes product in float64 from the definition of [Linear].
func reference(a []int16, scales []float32, rows int, l *Linear) []float32 {
	out := make([]float32, rows*l.Out)
	for r := range rows {
		for c := range l.Out {
			var sum int
			for k := range l.In {
				sum += int(a[r*l.In+k]) * int(l.Weights[((c/16*l.In/2+k/2)*16+c%16)*2+k%2])
			}
			out[r*l.Out+c] = float32(float64(sum)*float64(scales[r])*float64(l.Scales[c]) + float64(l.Bias[c]))
		}
	}
	return out
}

func TestProduct(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		for rows := rowStep; rows <= 28; rows += rowStep {
			const in, out = 64, 96
			l := NewLinear(random(2, in*out, .1), in, random(3, out, 1))
			a, scales := make([]int16, rows*in), make([]float32, rows)
			for r := range rows {
				scales[r] = k.quantize(a[r*in:][:in], random(uint64(r), in, 2))
			}
			got := make([]float32, rows*out)
			k.product(got, a, scales, rows, &l)
			if d := worst(got, reference(a, scales, rows, &l)); d > 1e-6 {
				t.Errorf("%d rows: off by %g", rows, d)
			}
		}
	})
}

// TestProductDoesNotOverflow multiplies the largest activations by the largest
// weights in the longest sums, in all combinations of sign.
func TestProductDoesNotOverflow(t *testing.T) {
	const in, out, rows = 2048, 2 * Panel, 4
	l := Linear{In: in, Out: out, Weights: make([]int8, in*out), Scales: make([]float32, out), Bias: make([]float32, out)}
	for i := range l.Weights {
		l.Weights[i] = 127
		if i%4 >= 2 { // odd columns
			l.Weights[i] = -127
		}
	}
	for c := range l.Scales {
		l.Scales[c] = 1
	}
	a, scales := make([]int16, rows*in), []float32{1, 1, 1, 1}
	for i := range a {
		a[i] = quantMax
		if i/in%2 == 1 {
			a[i] = -quantMax
		}
	}
	eachKernel(t, func(t *testing.T, k *kernels) {
		got := make([]float32, rows*out)
		k.product(got, a, scales, rows, &l)
		for i, x := range got {
			want := float32(quantMax * 127 * in)
			if (i/out+i%out)%2 == 1 {
				want = -want
			}
			if x != want {
				t.Fatalf("row %d, column %d: %g, want %g", i/out, i%out, x, want)
			}
		}
	})
}

func TestMultiply(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		for _, n := range []int{Panel, 3 * Panel} {
			const lda, ldb, ldc, depth = 70, 64, 50, 37
			a, b := random(4, attendRows*lda, 1), random(5, depth*ldb, 1)
			got := make([]float32, attendRows*ldc)
			want := slices.Clone(got)
			k.multiply(got, ldc, a, lda, b, ldb, n, depth)
			for i := range attendRows {
				for j := range n {
					var sum float64
					for d := range depth {
						sum += float64(a[i*lda+d]) * float64(b[d*ldb+j])
					}
					want[i*ldc+j] = float32(sum)
				}
			}
			if d := worst(got, want); d > 1e-5 {
				t.Errorf("%d columns: off by %g", n, d)
			}
		}
	})
}

func TestSoftmax(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		for _, n := range []int{16, 64, 512} {
			x := random(6, n, 30)
			x[n-1] = -math.MaxFloat32
			want := make([]float64, n)
			var sum float64
			for i, v := range x {
				want[i] = math.Exp(.125 * float64(v-slices.Max(x)))
				sum += want[i]
			}
			k.softmax(x, .125)
			for i, v := range x {
				w := want[i] / sum
				if d := math.Abs(float64(v) - w); d > 1e-6*w+1e-37 {
					t.Fatalf("%d numbers: %g, want %g", n, v, w)
				}
			}
		}
	})
}

func TestGelu(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		x := make([]float32, 1<<16)
		for i := range x {
			x[i] = float32(i-len(x)/2) / 2048 // -16 to 16
		}
		got := slices.Clone(x)
		k.gelu(got)
		for i, v := range x {
			want := float64(v) / 2 * math.Erfc(-float64(v)/math.Sqrt2)
			if d := math.Abs(float64(got[i]) - want); d > 5e-7*math.Abs(float64(v))+1e-7 {
				t.Fatalf("gelu(%g) = %g, want %g", v, got[i], want)
			}
		}
	})
}

func TestAddNorm(t *testing.T) {
	eachKernel(t, func(t *testing.T, k *kernels) {
		for _, n := range []int{16, 512} {
			x, y := random(7, n, 2), random(8, n, 2)
			norm := &Norm{random(9, n, 1), random(10, n, 1)}
			var mean, variance float64
			for i := range x {
				mean += float64(x[i]+y[i]) / float64(n)
			}
			for i := range x {
				d := float64(x[i]+y[i]) - mean
				variance += d * d / float64(n)
			}
			want := make([]float32, n)
			for i := range x {
				want[i] = float32((float64(x[i]+y[i])-mean)/math.Sqrt(variance)*float64(norm.Gain[i]) + float64(norm.Bias[i]))
			}
			k.addNorm(x, y, norm)
			if d := worst(x, want); d > 1e-5 {
				t.Errorf("%d numbers: off by %g", n, d)
			}
		}
	})
}
