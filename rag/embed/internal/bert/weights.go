// Package bert runs a BERT encoder whose matrices are 8-bit integers.
//
// It takes the vector of the first token ([CLS]) as the vector of a text. On
// amd64 the inner loops are AVX2 or AVX-512 VNNI assembly; elsewhere, and in
// tests, they are plain Go. Matrix products are exact in integers, so that
// all paths agree to the last bits of float32.
package bert

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unsafe"
)

// Panel is the number of output columns stored side by side: see [Linear].
const Panel = 16

// Shape are the sizes of a model; Window is the longest sequence in tokens.
type Shape struct {
	Vocabulary, Window, Width, Depth, Heads, Inner int
}

// Linear is y = xW + b with 8-bit weights and one scale per column of W.
//
// The weight of input k and output c is at
// ((c/16*In/2+k/2)*16+c%16)*2+k%2: panels of 16 columns, each holding the
// inputs in pairs, which is the order in which the kernels read.
type Linear struct {
	In, Out int
	Weights []int8
	Scales  []float32
	Bias    []float32
}

// Norm holds the gain and bias of a layer normalisation.
type Norm struct{ Gain, Bias []float32 }

// Layer is one transformer layer; both norms come after the residual sum.
type Layer struct {
	Query, Key, Value, Output Linear
	AttentionNorm             Norm
	Up, Down                  Linear
	OutputNorm                Norm
}

// Weights are the parameters of an encoder.
type Weights struct {
	Shape
	Words      []int8    // Vocabulary × Width
	WordScales []float32 // Vocabulary
	Positions  []float32 // Window × Width; the type of token is added in
	WordNorm   Norm
	Layers     []Layer
}

// magic begins a file of weights; its last byte is the version of the format.
const magic = "zdbert\x00\x01"

// align is the boundary in bytes at which every array begins in the file.
const align = 64

// each calls i8 or f32 with every array of w, in file order, and its length.
func (w *Weights) each(i8 func(*[]int8, int), f32 func(*[]float32, int)) {
	norm := func(n *Norm) {
		f32(&n.Gain, w.Width)
		f32(&n.Bias, w.Width)
	}
	linear := func(l *Linear, in, out int) {
		l.In, l.Out = in, out
		i8(&l.Weights, in*out)
		f32(&l.Scales, out)
		f32(&l.Bias, out)
	}
	i8(&w.Words, w.Vocabulary*w.Width)
	f32(&w.WordScales, w.Vocabulary)
	f32(&w.Positions, w.Window*w.Width)
	norm(&w.WordNorm)
	for i := range w.Layers {
		l := &w.Layers[i]
		linear(&l.Query, w.Width, w.Width)
		linear(&l.Key, w.Width, w.Width)
		linear(&l.Value, w.Width, w.Width)
		linear(&l.Output, w.Width, w.Width)
		norm(&l.AttentionNorm)
		linear(&l.Up, w.Width, w.Inner)
		linear(&l.Down, w.Inner, w.Width)
		norm(&l.OutputNorm)
	}
}

func (s *Shape) fields() []*int {
	return []*int{&s.Vocabulary, &s.Window, &s.Width, &s.Depth, &s.Heads, &s.Inner}
}

// check reports the sizes that the kernels cannot handle.
func (s *Shape) check() error {
	for _, n := range s.fields() {
		if *n <= 0 || *n > 1<<20 {
			return fmt.Errorf("shape %+v out of range", *s)
		}
	}
	if s.Depth > 256 {
		return fmt.Errorf("%d layers", s.Depth)
	}
	// A dot product of Inner activations of ±quantMax and weights of ±127
	// must fit into 32 bits; heads are read in whole panels.
	if int64(s.Inner)*quantMax*127 > math.MaxInt32 || s.Width > s.Inner ||
		s.Width%(2*Panel) != 0 || s.Inner%(2*Panel) != 0 || s.Width%(s.Heads*Panel) != 0 {
		return fmt.Errorf("shape %+v does not suit the kernels", *s)
	}
	return nil
}

// Open reads what [Weights.Append] wrote. The arrays of the result are views
// of data where the machine allows it: data must never change.
func Open(data string) (*Weights, error) {
	var s Shape
	if len(data) < align || data[:len(magic)] != magic {
		return nil, errors.New("bert: not a file of weights of this version")
	}
	for i, n := range s.fields() {
		*n = int(binary.LittleEndian.Uint32([]byte(data[len(magic)+4*i:][:4])))
	}
	if err := s.check(); err != nil {
		return nil, fmt.Errorf("bert: %w", err)
	}
	w := &Weights{Shape: s, Layers: make([]Layer, s.Depth)}
	at := align
	next := func(n int) string {
		from := at
		at += (n + align - 1) &^ (align - 1)
		if at > len(data) {
			return ""
		}
		return data[from : from+n]
	}
	w.each(
		func(a *[]int8, n int) { *a = viewInt8(next(n)) },
		func(a *[]float32, n int) { *a = viewFloat32(next(4 * n)) })
	if at != len(data) {
		return nil, fmt.Errorf("bert: %d bytes of weights, %d expected", len(data), at)
	}
	return w, nil
}

// Append writes w to b.
func (w *Weights) Append(b []byte) []byte {
	base := len(b)
	pad := func() {
		for (len(b)-base)%align != 0 {
			b = append(b, 0)
		}
	}
	b = append(b, magic...)
	for _, n := range w.fields() {
		b = binary.LittleEndian.AppendUint32(b, uint32(*n))
	}
	pad()
	w.each(
		func(a *[]int8, n int) {
			for _, x := range (*a)[:n] {
				b = append(b, byte(x))
			}
			pad()
		},
		func(a *[]float32, n int) {
			for _, x := range (*a)[:n] {
				b = binary.LittleEndian.AppendUint32(b, math.Float32bits(x))
			}
			pad()
		})
	return b
}

func viewInt8(s string) []int8 {
	return unsafe.Slice((*int8)(unsafe.Pointer(unsafe.StringData(s))), len(s))
}

// viewFloat32 shares the memory of s on little-endian machines if it is
// aligned, and decodes it otherwise.
func viewFloat32(s string) []float32 {
	p := unsafe.Pointer(unsafe.StringData(s))
	if uintptr(p)%4 == 0 && binary.NativeEndian.Uint16([]byte{1, 0}) == 1 {
		return unsafe.Slice((*float32)(p), len(s)/4)
	}
	a := make([]float32, len(s)/4)
	for i := range a {
		a[i] = math.Float32frombits(binary.LittleEndian.Uint32([]byte(s[4*i : 4*i+4])))
	}
	return a
}

// NewLinear quantises the matrix w, stored input by input (in × len(bias)),
// with the scale of each output column chosen so that its largest weight is
// ±127.
func NewLinear(w []float32, in int, bias []float32) Linear {
	l := Linear{In: in, Out: len(bias), Weights: make([]int8, len(w)), Scales: make([]float32, len(bias)), Bias: bias}
	column := make([]float32, in)
	for c := range l.Out {
		for k := range column {
			column[k] = w[k*l.Out+c]
		}
		q := make([]int8, in)
		l.Scales[c] = Quantize8(q, column)
		for k, x := range q {
			l.Weights[((c/Panel*in/2+k/2)*Panel+c%Panel)*2+k%2] = x
		}
	}
	return l
}

// Quantize8 rounds row to multiples of the returned scale, the largest
// magnitude becoming ±127; a row of zeros has scale 0.
func Quantize8(dst []int8, row []float32) (scale float32) {
	var m float32
	for _, x := range row {
		m = max(m, float32(math.Abs(float64(x))))
	}
	if m == 0 {
		clear(dst)
		return 0
	}
	scale = m / 127
	for i, x := range row {
		dst[i] = int8(math.RoundToEven(float64(x / scale)))
	}
	return scale
}
