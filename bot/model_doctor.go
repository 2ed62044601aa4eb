package bot

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

//go:embed data/doctor_model.txt
var doctorTxt string

// Finding is one thing that was checked.
type Finding struct {
	What string
	OK   bool
	Do   string // what to do about it; "" when OK
}

// finding is what the file says of a check.
func finding(key string, ok bool, values ...any) Finding {
	for line := range strings.Lines(doctorTxt) {
		if rest, found := strings.CutPrefix(line, key+" = "); found {
			what, do, _ := strings.Cut(strings.TrimSpace(rest), " | ")
			f := Finding{What: fmt.Sprintf(what, values...), OK: ok, Do: do}
			if ok {
				f.Do = ""
			}
			return f
		}
	}
	panic("bot: no check " + key)
}

// Doctor asks the service one question with a tool to call, and says whether
// it was reached, let in, understood, calls tools, and how fast it was. The
// first check that fails is the last, but for tools and speed.
func (m *Model) Doctor(ctx context.Context, inEnglish bool) []Finding {
	finding := func(key string, ok bool, values ...any) Finding {
		if inEnglish {
			key += "_en"
		}
		return finding(key, ok, values...)
	}
	ctx, cancel := context.WithTimeout(ctx, m.Timeout)
	defer cancel()
	probe := toolSpec{Name: "ping", Description: "Answers pong. Call it once.", Parameters: json.RawMessage(`{"type":"object","properties":{}}`)}
	ms := []message{user("Call the tool ping.")}
	start := time.Now()
	said, err := m.chat(ctx, ms, []toolSpec{probe})
	if errors.Is(err, ErrModelRejected) { // it may be the tool that it does not take
		start = time.Now()
		said, err = m.chat(ctx, ms, nil)
	}
	took := time.Since(start).Round(time.Millisecond)
	out := []Finding{finding("reached", true), finding("let", true)}
	switch {
	case errors.Is(err, ErrModelDenied):
		return append(out[:1], finding("let", false))
	case errors.Is(err, ErrModelBusy):
		return append(out, finding("free", false))
	case errors.Is(err, ErrModelRejected):
		return append(out, finding("asked", false))
	case errors.Is(err, ErrModelBad):
		return append(out, finding("read", false))
	case err != nil:
		return []Finding{finding("reached", false)}
	case strings.TrimSpace(said.text) == "" && len(said.calls) == 0:
		return append(out, finding("asked", true), finding("full", false))
	}
	return append(out, finding("asked", true), finding("tools", len(said.calls) > 0), finding("speed", took < m.Timeout/2, took))
}
