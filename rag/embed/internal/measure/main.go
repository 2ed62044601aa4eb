// Measure embeds texts for a comparison with another program: it answers
// lines of JSON, {"texts", "kernel", "cores"}, with {"seconds", "vectors"}.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"zhengda/rag/embed"
)

type request struct {
	Texts  []string `json:"texts"`
	Kernel string   `json:"kernel"` // "" is the best
	Cores  int      `json:"cores"`
}

type response struct {
	Kernel  string      `json:"kernel"`
	Seconds float64     `json:"seconds"` // tokenizing included
	Vectors [][]float32 `json:"vectors"`
}

func main() {
	if err := serve(os.Stdin, os.Stdout); !errors.Is(err, io.EOF) {
		fmt.Fprintln(os.Stderr, "measure:", err)
		os.Exit(1)
	}
}

// serve answers the requests of r until an error ends it, io.EOF at the end of r.
func serve(r io.Reader, w io.Writer) error {
	in, out := json.NewDecoder(r), json.NewEncoder(w)
	models := map[string]*embed.Model{}
	for {
		var q request
		if err := in.Decode(&q); err != nil {
			return err
		}
		if q.Kernel == "" {
			q.Kernel = embed.Kernels()[0]
		}
		runtime.GOMAXPROCS(q.Cores)
		key := fmt.Sprint(q.Kernel, q.Cores)
		m := models[key]
		if m == nil {
			var err error
			if m, err = embed.BuiltinOn(q.Kernel, q.Cores); err != nil {
				return err
			}
			models[key] = m
		}
		start := time.Now()
		vectors, err := m.Embed(context.Background(), q.Texts)
		if err != nil {
			return err
		}
		seconds := time.Since(start).Seconds()
		if err := out.Encode(response{q.Kernel, seconds, vectors}); err != nil {
			return err
		}
	}
}
