package bert

import "golang.org/x/sys/cpu"

var avx2 = kernels{
	name:     "avx2",
	quantize: quantizeAVX2,
	product:  productAVX2,
	multiply: multiplyAVX2,
	softmax:  softmaxAVX2,
	gelu:     geluAVX2,
	addNorm:  addNormAVX2,
}

// vnni differs from avx2 in the integer products, nine tenths of the work.
var vnni = kernels{
	name:     "avx512vnni",
	quantize: quantizeAVX2,
	product:  productVNNI,
	multiply: multiplyAVX2,
	softmax:  softmaxAVX2,
	gelu:     geluAVX2,
	addNorm:  addNormAVX2,
}

// native lists the assembly kernels that this processor and its operating
// system support, best first.
func native() (all []*kernels) {
	x := &cpu.X86
	if !x.HasAVX2 || !x.HasFMA {
		return nil
	}
	if x.HasAVX512F && x.HasAVX512BW && x.HasAVX512VNNI {
		all = append(all, &vnni)
	}
	return append(all, &avx2)
}

// The assembly computes a block of output: 4, 8 or 12 rows by two panels
// (VNNI), 4 rows by one (AVX2). The strides ldo and lda count elements; w is
// at the first panel, pairs is half the inputs and even.

//go:noescape
func dot12VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)

//go:noescape
func dot8VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)

//go:noescape
func dot4VNNI(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)

//go:noescape
func dot4AVX2(out *float32, ldo int, a *int16, lda int, scales *float32, w *int8, pairs int, wscales, bias *float32)

//go:noescape
func multiply6x16(c *float32, ldc int, a *float32, lda int, b *float32, ldb, k int)

//go:noescape
func quantize(dst *int16, src *float32, n int) float32

//go:noescape
func softmax(x *float32, n int, scale float32)

//go:noescape
func gelu(x *float32, n int)

//go:noescape
func addNorm(x, y, gain, bias *float32, n int, epsilon float32)

func productVNNI(out []float32, a []int16, scales []float32, rows int, l *Linear) {
	_, _, _ = out[rows*l.Out-1], a[rows*l.In-1], scales[rows-1]
	for c := 0; c < l.Out; c += 2 * Panel {
		w, s, b := &l.Weights[c*l.In], &l.Scales[c], &l.Bias[c]
		for r := 0; r < rows; {
			o, x, xs := &out[r*l.Out+c], &a[r*l.In], &scales[r]
			switch left := rows - r; {
			case left >= 12:
				dot12VNNI(o, l.Out, x, l.In, xs, w, l.In/2, s, b)
				r += 12
			case left >= 8:
				dot8VNNI(o, l.Out, x, l.In, xs, w, l.In/2, s, b)
				r += 8
			default:
				dot4VNNI(o, l.Out, x, l.In, xs, w, l.In/2, s, b)
				r += 4
			}
		}
	}
}

func productAVX2(out []float32, a []int16, scales []float32, rows int, l *Linear) {
	_, _, _ = out[rows*l.Out-1], a[rows*l.In-1], scales[rows-1]
	for c := 0; c < l.Out; c += Panel {
		for r := 0; r < rows; r += rowStep {
			dot4AVX2(&out[r*l.Out+c], l.Out, &a[r*l.In], l.In, &scales[r],
				&l.Weights[c*l.In], l.In/2, &l.Scales[c], &l.Bias[c])
		}
	}
}

func multiplyAVX2(c []float32, ldc int, a []float32, lda int, b []float32, ldb, n, k int) {
	_, _, _ = c[(attendRows-1)*ldc+n-1], a[(attendRows-1)*lda+k-1], b[(k-1)*ldb+n-1]
	for j := 0; j < n; j += Panel {
		multiply6x16(&c[j], ldc, &a[0], lda, &b[j], ldb, k)
	}
}

func quantizeAVX2(dst []int16, src []float32) float32 {
	_ = dst[len(src)-1]
	return quantize(&dst[0], &src[0], len(src))
}

func softmaxAVX2(x []float32, scale float32) { softmax(&x[0], len(x), scale) }

func geluAVX2(x []float32) { gelu(&x[0], len(x)) }

func addNormAVX2(x, y []float32, n *Norm) {
	_, _, _ = y[len(x)-1], n.Gain[len(x)-1], n.Bias[len(x)-1]
	addNorm(&x[0], &y[0], &n.Gain[0], &n.Bias[0], len(x), normEpsilon)
}
