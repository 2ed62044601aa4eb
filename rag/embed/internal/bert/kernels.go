package bert

import (
	"math"
	"slices"
)

// quantMax is the largest magnitude of a quantised activation. 8191 × 127 ×
// 2048 inputs still fits into 32 bits.
const quantMax = 8191

// rowStep divides the number of rows of every product; buffers are padded to
// it.
const rowStep = 4

// tiny stands for the largest magnitude of a row of zeros.
const tiny = 1e-30

// attendRows is the number of query rows that attention handles at once.
const attendRows = 6

// kernels are the inner loops of the encoder in one instruction set.
type kernels struct {
	name string
	// quantize rounds src to integers of magnitude ≤ quantMax and returns
	// what one of them is worth. len(src) is a multiple of 16.
	quantize func(dst []int16, src []float32) float32
	// product writes rows × l.Out to out from quantised rows of length l.In,
	// each worth scales[row]. rows is a multiple of rowStep.
	product func(out []float32, a []int16, scales []float32, rows int, l *Linear)
	// multiply writes the attendRows × n product of a (rows lda apart, k
	// long) and b (k rows ldb apart) to c (rows ldc apart); n is a multiple
	// of Panel.
	multiply func(c []float32, ldc int, a []float32, lda int, b []float32, ldb, n, k int)
	// softmax replaces x by exp(scale·(x−max)) divided by its sum. len(x) is
	// a multiple of 16.
	softmax func(x []float32, scale float32)
	// gelu replaces x by x·Φ(x), Φ being the normal distribution. len(x) is a
	// multiple of 16.
	gelu func(x []float32)
	// addNorm replaces x by the layer normalisation of x + y. len(x) is a
	// multiple of 16.
	addNorm func(x, y []float32, n *Norm)
}

// normEpsilon is added to the variance in layer normalisation.
const normEpsilon = 1e-12

// available lists the kernels that this machine can run, best first.
func available() []*kernels { return append(native(), &scalar) }

// Kernels names what this machine can run, best first; the last is "scalar".
func Kernels() []string {
	var names []string
	for _, k := range available() {
		names = append(names, k.name)
	}
	return names
}

func kernelsNamed(name string) *kernels {
	all := available()
	if i := slices.IndexFunc(all, func(k *kernels) bool { return k.name == name }); i >= 0 {
		return all[i]
	}
	return nil
}

// scalar runs anywhere and defines what the others compute.
var scalar = kernels{
	name:     "scalar",
	quantize: quantizeScalar,
	product:  productScalar,
	multiply: multiplyScalar,
	softmax:  softmaxScalar,
	gelu:     geluScalar,
	addNorm:  addNormScalar,
}

func quantizeScalar(dst []int16, src []float32) float32 {
	var m float32
	for _, x := range src {
		m = max(m, x, -x)
	}
	inverse := quantMax / max(m, tiny)
	for i, x := range src {
		dst[i] = int16(math.RoundToEven(float64(x * inverse)))
	}
	return m / quantMax
}

// productScalar multiplies two rows at once: with rows a and b packed as
// a + b·2³², one 64-bit product by w is aw + bw·2³², and both sums, which
// fit into 32 bits, come apart exactly at the end.
func productScalar(out []float32, a []int16, scales []float32, rows int, l *Linear) {
	packed := packRows(a, rows, l.In)
	columns := make([][2]int64, l.In)
	for c := 0; c < l.Out; c += 2 {
		panel := l.Weights[c/Panel*Panel*l.In+c%Panel*2:]
		for k := 0; k < l.In; k += 2 {
			w := panel[k*Panel:][:4]
			columns[k] = [2]int64{int64(w[0]), int64(w[2])}
			columns[k+1] = [2]int64{int64(w[1]), int64(w[3])}
		}
		for r := 0; r < rows; r += rowStep {
			for i, sum := range dot(packed[r/rowStep*l.In:][:l.In], columns) {
				row, column := r+i/2, c+i%2
				out[row*l.Out+column] = float32(sum)*(scales[row]*l.Scales[column]) + l.Bias[column]
			}
		}
	}
}

// packRows packs each rowStep rows of a, of the given width, in two words:
// rows 0 and 1, 2 and 3.
func packRows(a []int16, rows, width int) [][rowStep / 2]int64 {
	packed := make([][rowStep / 2]int64, 0, rows/rowStep*width)
	for r := 0; r < rows; r += rowStep {
		for k := range width {
			i := r*width + k
			packed = append(packed, [rowStep / 2]int64{
				int64(a[i]) + int64(a[i+width])<<32,
				int64(a[i+2*width]) + int64(a[i+3*width])<<32,
			})
		}
	}
	return packed
}

// dot multiplies four packed rows by two columns: the sums of row 0 come
// first.
func dot(packed, columns [][2]int64) [2 * rowStep]int32 {
	var s, t, u, v int64
	columns = columns[:len(packed)]
	for k := range packed {
		p, q := packed[k][0], packed[k][1]
		w, x := columns[k][0], columns[k][1]
		s += p * w
		t += p * x
		u += q * w
		v += q * x
	}
	high := func(sum int64) int32 { return int32((sum - int64(int32(sum))) >> 32) }
	return [2 * rowStep]int32{int32(s), int32(t), high(s), high(t), int32(u), int32(v), high(u), high(v)}
}

func multiplyScalar(c []float32, ldc int, a []float32, lda int, b []float32, ldb, n, k int) {
	for i := range attendRows {
		row := c[i*ldc:][:n]
		clear(row)
		for j, x := range a[i*lda:][:k] {
			for t, y := range b[j*ldb:][:n] {
				row[t] += x * y
			}
		}
	}
}

func softmaxScalar(x []float32, scale float32) {
	m := slices.Max(x)
	var sum float32
	for i, v := range x {
		x[i] = float32(math.Exp(float64(scale * (v - m))))
		sum += x[i]
	}
	for i := range x {
		x[i] /= sum
	}
}

func geluScalar(x []float32) {
	for i, v := range x {
		x[i] = v / 2 * float32(1+math.Erf(float64(v)*(math.Sqrt2/2)))
	}
}

func addNormScalar(x, y []float32, n *Norm) {
	var sum float32
	for i := range x {
		x[i] += y[i]
		sum += x[i]
	}
	mean := sum / float32(len(x))
	var square float32
	for _, v := range x {
		square += (v - mean) * (v - mean)
	}
	inverse := float32(1 / math.Sqrt(float64(square/float32(len(x)))+normEpsilon))
	for i, v := range x {
		x[i] = (v-mean)*inverse*n.Gain[i] + n.Bias[i]
	}
}
