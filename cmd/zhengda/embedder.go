package main

import (
	"encoding/json"
	"os"
	"path/filepath"

	"zhengda/rag/embed"
)

// served is what the data folder remembers of an embedding service: with the
// dimension known, the vectors that are there serve while it is down.
type served struct {
	BaseURL string `json:"base_url"`
	Model   string `json:"model"`
	Dim     int    `json:"dim"`
}

// embedder is the service that the settings name, else the built-in model. The
// error wraps embed.ErrUnavailable when the service was never reached before
// and cannot be now.
func (h *house) embedder() (embed.Embedder, error) {
	c, err := h.a.service()
	if err != nil {
		return nil, err
	}
	if c.BaseURL == "" {
		return embed.Builtin()
	}
	file := filepath.Join(h.dir, "embedder.json")
	known := served{c.BaseURL, c.Model, c.Dim}
	if c.Dim == 0 {
		var last served
		if b, err := os.ReadFile(file); err == nil && json.Unmarshal(b, &last) == nil && last.BaseURL == c.BaseURL && last.Model == c.Model {
			known, c.Dim = last, last.Dim
		}
	}
	s, err := embed.NewService(c)
	if err != nil {
		return nil, failed("err.embed_service", c.BaseURL, err)
	}
	if known.Dim == 0 {
		known.Dim = s.Dim()
		if b, err := json.Marshal(known); err == nil {
			os.WriteFile(file, b, 0o644) // only spares a question to the service
		}
	}
	return s, nil
}
