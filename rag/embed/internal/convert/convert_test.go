package main

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
	"testing"
)

// field is one field of a protocol buffer: a number or, if b is not nil, bytes.
func field(n int, v uint64, b []byte) []byte {
	if b == nil {
		return binary.AppendUvarint(binary.AppendUvarint(nil, uint64(n)<<3|wireVarint), v)
	}
	out := binary.AppendUvarint(nil, uint64(n)<<3|wireBytes)
	return append(binary.AppendUvarint(out, uint64(len(b))), b...)
}

func text(n int, s string) []byte { return field(n, 0, []byte(s)) }

// sample is a model of one node and one 2 × 3 tensor.
func sample() []byte {
	var raw []byte
	for i := range 6 {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(float32(i)))
	}
	tensor := slices.Concat(field(tensorDims, 2, nil), field(tensorDims, 3, nil),
		field(tensorType, typeFloat, nil), text(tensorName, "w"), field(tensorRaw, 0, raw))
	node := slices.Concat(text(nodeInput, "x"), text(nodeInput, "w"), text(nodeName, "MatMul"))
	graph := slices.Concat(field(graphNode, 0, node), field(graphInitializer, 0, tensor))
	return slices.Concat(field(1, 7, nil), field(modelGraph, 0, graph))
}

func TestReadGraph(t *testing.T) {
	g, err := readGraph(sample())
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(g.inputs["MatMul"], " "); got != "x w" {
		t.Errorf("inputs %s", got)
	}
	w, err := g.floats("w", 2, 3)
	if err != nil || !slices.Equal(w, []float32{0, 1, 2, 3, 4, 5}) {
		t.Errorf("tensor %v, error %v", w, err)
	}
	for _, dims := range [][]int{{3, 2}, {6}, nil} {
		if _, err := g.floats("w", dims...); err == nil {
			t.Errorf("a tensor of 2 × 3 is taken for %v", dims)
		}
	}
	if _, err := g.floats("v", 2, 3); err == nil {
		t.Error("a tensor that is not there is found")
	}
}

func FuzzReadGraph(f *testing.F) {
	f.Add(sample())
	f.Add(field(modelGraph, 0, field(graphInitializer, 0, field(tensorDims, 0, []byte{2, 3}))))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := readGraph(b)
		if err != nil {
			return
		}
		for name, tensor := range g.tensors {
			_, _ = g.floats(name, tensor.dims...)
		}
	})
}

func TestVocabulary(t *testing.T) {
	got, err := vocabulary([]byte(`{"model":{"vocab":{"乙":1,"甲":0}}}`))
	if err != nil || string(got) != "甲\n乙\n" {
		t.Errorf("%q, error %v", got, err)
	}
	for _, bad := range []string{`{`, `{"model":{"vocab":{"甲":0,"乙":0}}}`, `{"model":{"vocab":{"甲":7}}}`} {
		if _, err := vocabulary([]byte(bad)); err == nil {
			t.Errorf("%s is accepted", bad)
		}
	}
}

func TestConvertRefusesAnotherFile(t *testing.T) {
	if err := convert(t.TempDir()+"/none.jar", t.TempDir()); err == nil {
		t.Error("an artifact that is not there is converted")
	}
}
