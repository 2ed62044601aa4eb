package bert

import (
	"fmt"
	"math"
	"sync"
	"sync/atomic"
)

// blockRows bounds the rows that one worker takes through a layer at a time,
// so that they stay in its cache.
const blockRows = 64

// Encoder turns token sequences into vectors. It is safe for concurrent use.
type Encoder struct {
	w      *Weights
	k      *kernels
	frames sync.Pool // of *frame
}

// New returns an encoder that uses the named kernels, one of [Kernels].
func New(w *Weights, kernel string) (*Encoder, error) {
	k := kernelsNamed(kernel)
	if k == nil {
		return nil, fmt.Errorf("bert: this machine has no %q kernels, only %v", kernel, Kernels())
	}
	e := &Encoder{w: w, k: k}
	e.frames.New = func() any { return new(frame) }
	return e, nil
}

// frame is the working memory of one call of [Encoder.Encode].
//
// Sequences stand one after the other in its matrices, without padding
// between them; keys are transposed (Width × length, padded to a panel), each
// sequence for itself, which makes scores a plain product.
type frame struct {
	x      []float32    // rows × Width, the hidden state
	keys   [2][]float32 // of even and odd layers
	values [2][]float32 // rows × Width
	starts []int        // first row of each sequence, and the end
	padded []int        // first column of each sequence in keys, and the end
	firsts []int        // 0, 1, 2 …: starts when a sequence is its [CLS] alone
	desks  []desk       // one for each worker
}

// desk is the working memory of one worker for one block of rows.
type desk struct {
	ints          []int16   // rows × Inner, quantised
	scales        []float32 // rows
	query, result []float32 // rows × Width, padded by attendRows
	inner         []float32 // rows × Inner
	scores        []float32 // attendRows × padded length
	context       []float32 // attendRows × head width
}

// grow returns a slice of length n that reuses the memory of s if it can; its
// contents are arbitrary finite numbers.
func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n)
	}
	return s[:n]
}

func roundUp(n, step int) int { return (n + step - 1) / step * step }

// layout prepares f for sequences.
func (f *frame) layout(w *Weights, sequences [][]int32, workers int) {
	f.starts, f.padded, f.firsts = append(f.starts[:0], 0), append(f.padded[:0], 0), append(f.firsts[:0], 0)
	rows, columns, longest := 0, 0, 0
	for i, s := range sequences {
		rows += len(s)
		columns += roundUp(len(s), Panel)
		longest = max(longest, len(s))
		f.starts, f.padded, f.firsts = append(f.starts, rows), append(f.padded, columns), append(f.firsts, i+1)
	}
	f.x = grow(f.x, rows*w.Width)
	for i := range f.keys {
		f.keys[i] = grow(f.keys[i], columns*w.Width)
		f.values[i] = grow(f.values[i], (rows+rowStep)*w.Width)
	}
	f.desks = grow(f.desks, max(workers, len(f.desks)))
	for i := range f.desks[:workers] {
		d := &f.desks[i]
		d.ints = grow(d.ints, blockRows*w.Inner)
		d.scales = grow(d.scales, blockRows)
		d.query = grow(d.query, (blockRows+attendRows)*w.Width)
		d.result = grow(d.result, blockRows*w.Width)
		d.inner = grow(d.inner, blockRows*w.Inner)
		d.scores = grow(d.scores, attendRows*roundUp(longest, Panel))
		d.context = grow(d.context, attendRows*w.Width/w.Heads)
	}
}

// Encode returns the final hidden state of the first token of each sequence,
// not normalised. Sequences have 1 to Window tokens of the vocabulary,
// special tokens included. Up to workers goroutines share the work.
func (e *Encoder) Encode(sequences [][]int32, workers int) ([][]float32, error) {
	for i, s := range sequences {
		if len(s) == 0 || len(s) > e.w.Window {
			return nil, fmt.Errorf("bert: sequence %d has %d tokens, not 1 to %d", i, len(s), e.w.Window)
		}
		for _, id := range s {
			if id < 0 || int(id) >= e.w.Vocabulary {
				return nil, fmt.Errorf("bert: sequence %d: token %d is not among %d", i, id, e.w.Vocabulary)
			}
		}
	}
	f := e.frames.Get().(*frame)
	defer e.frames.Put(f)
	workers = max(workers, 1)
	f.layout(e.w, sequences, workers)

	rows := f.starts[len(sequences)]
	f.each(rows, workers, func(d *desk, from, to int) {
		e.lookUp(f, sequences, from, to)
		e.keysAndValues(0, f, d, from, to)
	})
	last := len(e.w.Layers) - 1
	for l := range last {
		f.each(rows, workers, func(d *desk, from, to int) {
			e.layer(l, f, d, f.starts, from, to)
			e.keysAndValues(l+1, f, d, from, to)
		})
	}
	// Only the first token of each sequence goes through the last layer.
	width := e.w.Width
	for i, start := range f.starts[:len(sequences)] {
		copy(f.x[i*width:(i+1)*width], f.x[start*width:])
	}
	f.each(len(sequences), workers, func(d *desk, from, to int) {
		e.layer(last, f, d, f.firsts, from, to)
	})
	vectors := make([][]float32, len(sequences))
	for i := range vectors {
		vectors[i] = append([]float32(nil), f.x[i*width:(i+1)*width]...)
	}
	return vectors, nil
}

// each calls do for blocks that cover rows, on several goroutines if there is
// more than one block, and waits for all.
func (f *frame) each(rows, workers int, do func(d *desk, from, to int)) {
	blocks := (rows + blockRows - 1) / blockRows
	workers = min(workers, blocks)
	if workers <= 1 {
		for from := 0; from < rows; from += blockRows {
			do(&f.desks[0], from, min(from+blockRows, rows))
		}
		return
	}
	// As many blocks of one size for each worker, all but the last ending
	// where the kernels take whole steps.
	size := min(blockRows, roundUp((rows+roundUp(blocks, workers)-1)/roundUp(blocks, workers), rowStep))
	var next atomic.Int64
	var wait sync.WaitGroup
	for i := range workers {
		wait.Go(func() {
			for {
				from := int(next.Add(1)-1) * size
				if from >= rows {
					return
				}
				do(&f.desks[i], from, min(from+size, rows))
			}
		})
	}
	wait.Wait()
}

// lookUp fills the hidden state with the embeddings of words and positions.
func (e *Encoder) lookUp(f *frame, sequences [][]int32, from, to int) {
	w, width := e.w, e.w.Width
	for s := range sequences {
		lo, hi := max(from, f.starts[s]), min(to, f.starts[s+1])
		for r := lo; r < hi; r++ {
			position := r - f.starts[s]
			id := int(sequences[s][position])
			x, scale := f.x[r*width:][:width], w.WordScales[id]
			for i, q := range w.Words[id*width:][:width] {
				x[i] = float32(q) * scale
			}
			e.k.addNorm(x, w.Positions[position*width:][:width], &w.WordNorm)
		}
	}
}

// quantize puts the first rows of x, of the given width, on the desk.
func (e *Encoder) quantize(d *desk, x []float32, rows, width int) {
	for r := range rows {
		d.scales[r] = e.k.quantize(d.ints[r*width:][:width], x[r*width:][:width])
	}
}

// keysAndValues computes the keys and values of layer l for a block of rows.
func (e *Encoder) keysAndValues(l int, f *frame, d *desk, from, to int) {
	layer, width := &e.w.Layers[l], e.w.Width
	rows := roundUp(to-from, rowStep)
	e.quantize(d, f.x[from*width:], to-from, width)
	e.k.product(f.values[l%2][from*width:], d.ints, d.scales, rows, &layer.Value)
	e.k.product(d.result, d.ints, d.scales, rows, &layer.Key)
	for s := range f.starts[:len(f.starts)-1] {
		lo, hi := max(from, f.starts[s]), min(to, f.starts[s+1])
		if lo >= hi {
			continue
		}
		stride := f.padded[s+1] - f.padded[s]
		keys := f.keys[l%2][f.padded[s]*width : f.padded[s+1]*width]
		transpose(keys[lo-f.starts[s]:], stride, d.result[(lo-from)*width:(hi-from)*width], width)
		if hi == f.starts[s+1] {
			for i := range width {
				clear(keys[i*stride+hi-f.starts[s] : (i+1)*stride])
			}
		}
	}
}

// transpose writes each row of src, width long, as a column of dst, whose
// rows are stride apart; it goes by panels, to stay within few cache lines.
func transpose(dst []float32, stride int, src []float32, width int) {
	for i := 0; i < width; i += Panel {
		for r := 0; r*width < len(src); r++ {
			column := dst[i*stride+r:]
			for j, x := range src[r*width+i:][:Panel] {
				column[j*stride] = x
			}
		}
	}
}

// layer takes a block of rows through layer l, whose keys and values are
// complete. Row r of the hidden state belongs to the sequence s for which
// starts[s] ≤ r < starts[s+1].
func (e *Encoder) layer(l int, f *frame, d *desk, starts []int, from, to int) {
	layer, width := &e.w.Layers[l], e.w.Width
	x := f.x[from*width : to*width]
	rows, padded := to-from, roundUp(to-from, rowStep)

	e.quantize(d, x, rows, width)
	e.k.product(d.query, d.ints, d.scales, padded, &layer.Query)
	for s := range starts[:len(starts)-1] {
		lo, hi := max(from, starts[s]), min(to, starts[s+1])
		if lo < hi {
			e.attend(l, f, d, s, lo-from, hi-from)
		}
	}
	// attend has replaced each query by its context.
	e.quantize(d, d.query, rows, width)
	e.k.product(d.result, d.ints, d.scales, padded, &layer.Output)
	e.addNorm(x, d.result, &layer.AttentionNorm)

	e.quantize(d, x, rows, width)
	e.k.product(d.inner, d.ints, d.scales, padded, &layer.Up)
	e.k.gelu(d.inner[:rows*e.w.Inner])
	e.quantize(d, d.inner, rows, e.w.Inner)
	e.k.product(d.result, d.ints, d.scales, padded, &layer.Down)
	e.addNorm(x, d.result, &layer.OutputNorm)
}

// addNorm normalises the rows of x after adding those of y.
func (e *Encoder) addNorm(x, y []float32, n *Norm) {
	width := e.w.Width
	for r := 0; r < len(x); r += width {
		e.k.addNorm(x[r:r+width], y[r:r+width], n)
	}
}

// attend replaces rows lo to hi of the queries on the desk, all of sequence
// s, by the attention-weighted means of the sequence's values.
func (e *Encoder) attend(l int, f *frame, d *desk, s, lo, hi int) {
	width := e.w.Width
	head := width / e.w.Heads
	length, stride := f.starts[s+1]-f.starts[s], f.padded[s+1]-f.padded[s]
	keys := f.keys[l%2][f.padded[s]*width : f.padded[s+1]*width]
	values := f.values[l%2][f.starts[s]*width:]
	scale := float32(1 / math.Sqrt(float64(head)))
	for h := 0; h < width; h += head {
		for r := lo; r < hi; r += attendRows {
			q := d.query[r*width+h:]
			e.k.multiply(d.scores, stride, q, width, keys[h*stride:], stride, stride, head)
			rows := min(attendRows, hi-r)
			for i := range rows {
				row := d.scores[i*stride:][:stride]
				for j := length; j < stride; j++ {
					row[j] = -math.MaxFloat32
				}
				e.k.softmax(row, scale)
			}
			e.k.multiply(d.context, head, d.scores, stride, values[h:], width, head, length)
			for i := range rows {
				copy(q[i*width:], d.context[i*head:(i+1)*head])
			}
		}
	}
}
