package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// tensor is a float32 tensor of an ONNX file; raw is little-endian.
type tensor struct {
	dims []int
	raw  []byte
}

// graph is what the converter reads of an ONNX file.
type graph struct {
	tensors map[string]tensor
	// inputs holds the inputs of each node by the node's name.
	inputs map[string][]string
}

// Field numbers and types of onnx.proto, version IR 7.
const (
	modelGraph       = 7
	graphNode        = 1
	graphInitializer = 5
	nodeInput        = 1
	nodeName         = 3
	tensorDims       = 1
	tensorType       = 2
	tensorName       = 8
	tensorRaw        = 9
	typeFloat        = 1
	wireVarint       = 0
	wireFixed64      = 1
	wireBytes        = 2
	wireFixed32      = 5
)

// readGraph reads the initializers and node inputs of an ONNX model.
func readGraph(model []byte) (*graph, error) {
	g := &graph{tensors: map[string]tensor{}, inputs: map[string][]string{}}
	err := fields(model, func(n int, _ uint64, b []byte) error {
		if n != modelGraph {
			return nil
		}
		return fields(b, func(n int, _ uint64, b []byte) error {
			switch n {
			case graphNode:
				return g.addNode(b)
			case graphInitializer:
				return g.addTensor(b)
			}
			return nil
		})
	})
	if err != nil {
		return nil, fmt.Errorf("read ONNX: %w", err)
	}
	return g, nil
}

func (g *graph) addNode(b []byte) error {
	var name string
	var inputs []string
	err := fields(b, func(n int, _ uint64, b []byte) error {
		switch n {
		case nodeInput:
			inputs = append(inputs, string(b))
		case nodeName:
			name = string(b)
		}
		return nil
	})
	g.inputs[name] = inputs
	return err
}

func (g *graph) addTensor(b []byte) error {
	var t tensor
	var name string
	var kind uint64
	err := fields(b, func(n int, v uint64, b []byte) error {
		switch n {
		case tensorDims:
			if b != nil { // packed
				return varints(b, func(v uint64) { t.dims = append(t.dims, int(v)) })
			}
			t.dims = append(t.dims, int(v))
		case tensorType:
			kind = v
		case tensorName:
			name = string(b)
		case tensorRaw:
			t.raw = b
		}
		return nil
	})
	if err == nil && kind == typeFloat {
		g.tensors[name] = t
	}
	return err
}

// floats returns the named tensor, which must have the given sizes.
func (g *graph) floats(name string, dims ...int) ([]float32, error) {
	t, ok := g.tensors[name]
	size := 1
	same := len(dims) == len(t.dims)
	for i, d := range dims {
		size *= d
		same = same && t.dims[i] == d
	}
	if !ok || !same || len(t.raw) != 4*size {
		return nil, fmt.Errorf("tensor %q: found %v, want %v", name, t.dims, dims)
	}
	f := make([]float32, len(t.raw)/4)
	for i := range f {
		f[i] = math.Float32frombits(binary.LittleEndian.Uint32(t.raw[4*i:]))
	}
	return f, nil
}

var errTruncated = errors.New("truncated protocol buffer")

// fields calls f for every field of a protocol buffer message: with its
// number and its value, or for strings and messages its bytes (never nil).
func fields(b []byte, f func(n int, v uint64, b []byte) error) error {
	for len(b) > 0 {
		key, size := binary.Uvarint(b)
		if size <= 0 {
			return errTruncated
		}
		b = b[size:]
		var value uint64
		var inner []byte
		switch key & 7 {
		case wireVarint:
			if value, size = binary.Uvarint(b); size <= 0 {
				return errTruncated
			}
		case wireFixed64:
			size = 8
		case wireFixed32:
			size = 4
		case wireBytes:
			length, n := binary.Uvarint(b)
			if n <= 0 || length > uint64(len(b)-n) {
				return errTruncated
			}
			size = n + int(length)
			inner = b[n:size:size]
		default:
			return fmt.Errorf("wire type %d of field %d", key&7, key>>3)
		}
		if size > len(b) {
			return errTruncated
		}
		if err := f(int(key>>3), value, inner); err != nil {
			return err
		}
		b = b[size:]
	}
	return nil
}

// varints calls f for every number of a packed field.
func varints(b []byte, f func(uint64)) error {
	for len(b) > 0 {
		v, size := binary.Uvarint(b)
		if size <= 0 {
			return errTruncated
		}
		f(v)
		b = b[size:]
	}
	return nil
}
