package embed

import (
	"context"
	_ "embed"
	"fmt"
	"runtime"
	"sync"

	"zhengda/rag/embed/internal/bert"
	"zhengda/rag/embed/internal/wordpiece"
)

//go:embed model/weights.bin
var builtinWeights string

//go:embed model/vocab.txt
var builtinVocabulary string

const (
	// window is the number of word pieces that the model reads at once,
	// beside the two marks around them.
	window = 510
	// overlap is the least number of word pieces that neighbouring windows
	// of a long text share.
	overlap = 64
	// batchTokens bounds the tokens that are encoded together: enough to
	// keep all workers busy, few enough to stay in the cache.
	batchTokens = 1024
	// workerTokens is the least work worth a goroutine of its own.
	workerTokens = 64
)

// Model is a sentence model that runs in this process. It is safe for
// concurrent use.
type Model struct {
	name    string
	encoder *bert.Encoder
	words   *wordpiece.Tokenizer
	dim     int
	workers int
}

var _ Embedder = (*Model)(nil)

// Builtin returns the model that is part of the program: bge-small-zh-v1.5
// with 8-bit weights, read in place. Questions and passages are embedded
// alike, without an instruction. It uses up to GOMAXPROCS cores for long
// inputs and one for a question. Every call returns the same model.
func Builtin() (*Model, error) { return builtin() }

var builtin = sync.OnceValues(func() (*Model, error) {
	return BuiltinOn(Kernels()[0], runtime.GOMAXPROCS(0))
})

// Kernels names the instruction sets that the built-in model can use on this
// machine, fastest first; the last, "scalar", is plain Go.
func Kernels() []string { return bert.Kernels() }

// BuiltinOn returns the built-in model restricted to one of [Kernels] and a
// number of cores. The vectors do not depend on either beyond rounding.
func BuiltinOn(kernel string, cores int) (*Model, error) {
	weights, err := bert.Open(builtinWeights)
	if err != nil {
		return nil, fmt.Errorf("built-in embedding model: %w", err)
	}
	encoder, err := bert.New(weights, kernel)
	if err != nil {
		return nil, fmt.Errorf("built-in embedding model: %w", err)
	}
	words, err := wordpiece.New(builtinVocabulary)
	if err != nil {
		return nil, fmt.Errorf("built-in embedding model: %w", err)
	}
	if words.Len() != weights.Vocabulary {
		return nil, fmt.Errorf("built-in embedding model: %d words for %d vectors", words.Len(), weights.Vocabulary)
	}
	return &Model{
		name:    "bge-small-zh-v1.5/int8",
		encoder: encoder,
		words:   words,
		dim:     weights.Width,
		workers: cores,
	}, nil
}

// Name identifies the model and the precision of its weights.
func (m *Model) Name() string { return m.name }

// Dim is 512.
func (m *Model) Dim() int { return m.dim }

// Embed returns the unit vectors of texts. A text of more than 510 word pieces
// is read in overlapping windows, whose vectors are averaged. The error is
// that of ctx, which is watched between batches.
func (m *Model) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	vectors := make([][]float32, len(texts))
	b := batch{m: m, vectors: vectors}
	for i, text := range texts {
		for _, w := range windows(m.words.Tokens(Fold(text))) {
			if err := b.add(ctx, i, w); err != nil {
				return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
			}
		}
	}
	if err := b.flush(ctx); err != nil {
		return nil, fmt.Errorf("embed %d texts: %w", len(texts), err)
	}
	for _, v := range vectors {
		normalize(v)
	}
	return vectors, nil
}

// windows cuts tokens into the fewest windows that share at least overlap
// tokens with their neighbours, evenly spread.
func windows(tokens []int32) [][]int32 {
	if len(tokens) <= window {
		return [][]int32{tokens}
	}
	const step = window - overlap
	n := (len(tokens) - overlap + step - 1) / step
	all := make([][]int32, n)
	for i := range all {
		start := i * (len(tokens) - window) / (n - 1)
		all[i] = tokens[start : start+window]
	}
	return all
}

// batch collects windows until they are worth encoding.
type batch struct {
	m         *Model
	vectors   [][]float32 // sums of the unit vectors of each text's windows
	sequences [][]int32
	owners    []int // the text of each sequence
	tokens    int
}

func (b *batch) add(ctx context.Context, owner int, tokens []int32) error {
	s := make([]int32, 0, len(tokens)+2)
	s = append(s, b.m.words.CLS)
	s = append(s, tokens...)
	s = append(s, b.m.words.SEP)
	if b.tokens > 0 && b.tokens+len(s) > batchTokens {
		if err := b.flush(ctx); err != nil {
			return err
		}
	}
	b.sequences, b.owners = append(b.sequences, s), append(b.owners, owner)
	b.tokens += len(s)
	return nil
}

// flush encodes what has been added and adds it to the vectors of its texts.
func (b *batch) flush(ctx context.Context) error {
	if err := ctx.Err(); err != nil || b.tokens == 0 {
		return err
	}
	vectors, err := b.m.encoder.Encode(b.sequences, min(b.m.workers, b.tokens/workerTokens))
	if err != nil {
		return err
	}
	for i, v := range vectors {
		normalize(v)
		sum := b.vectors[b.owners[i]]
		if sum == nil {
			b.vectors[b.owners[i]] = v
			continue
		}
		for j, x := range v {
			sum[j] += x
		}
	}
	b.sequences, b.owners, b.tokens = b.sequences[:0], b.owners[:0], 0
	return nil
}
