package slack

import (
	"encoding/json"
	"fmt"
)

// Slack's own limits, as published, and the sum over all blocks, which is not.
const (
	slackSection = 3000
	slackText    = 4000
	slackBlocks  = 50
	slackSum     = 13200
	slackButton  = 75
	slackValue   = 2000
	slackCells   = 10000
)

// overLimits says what Slack would dislike in a message.
func overLimits(text, blocks string) (out []string) {
	if width(text) > slackText {
		out = append(out, fmt.Sprintf("text of %d", width(text)))
	}
	if text == "" {
		out = append(out, "no text")
	}
	if blocks == "" || blocks == "[]" {
		return out
	}
	return append(out, blockFaults(blocks, slackBlocks, slackSum)...)
}

type anyBlock struct {
	Type     string     `json:"type"`
	Text     *anyText   `json:"text"`
	Elements []anyBlock `json:"-"`
	Raw      struct {
		Elements []json.RawMessage `json:"elements"`
	} `json:"-"`
	Accessory *anyBlock `json:"accessory"`
	ActionID  string    `json:"action_id"`
	Value     string    `json:"value"`
	Rows      [][]struct {
		Text string `json:"text"`
	} `json:"rows"`
}

type anyText struct {
	Type string `json:"type"`
	Text string `json:"text"`
}

// UnmarshalJSON reads a text given as a bare string, as in context blocks.
func (t *anyText) UnmarshalJSON(b []byte) error {
	if len(b) > 0 && b[0] == '"' {
		return json.Unmarshal(b, &t.Text)
	}
	type plain anyText
	return json.Unmarshal(b, (*plain)(t))
}

func blockFaults(blocks string, most, sum int) (out []string) {
	var bs []json.RawMessage
	if err := json.Unmarshal([]byte(blocks), &bs); err != nil {
		return []string{"blocks are no JSON: " + err.Error()}
	}
	fault := func(format string, args ...any) { out = append(out, fmt.Sprintf(format, args...)) }
	if len(bs) > most {
		fault("%d blocks", len(bs))
	}
	total, tables := 0, 0
	for _, raw := range bs {
		var b anyBlock
		if err := json.Unmarshal(raw, &b); err != nil {
			fault("block: %v", err)
			continue
		}
		var inner struct {
			Elements []json.RawMessage `json:"elements"`
		}
		_ = json.Unmarshal(raw, &inner)
		for _, e := range inner.Elements {
			var x anyBlock
			if err := json.Unmarshal(e, &x); err == nil {
				b.Elements = append(b.Elements, x)
			}
		}
		if b.Text != nil {
			n := width(b.Text.Text)
			total += n
			if n > slackSection || n == 0 {
				fault("section of %d", n)
			}
		}
		switch b.Type {
		case "section", "context_actions", "input", "divider":
		case "context":
			if len(b.Elements) > 10 {
				fault("%d elements of context", len(b.Elements))
			}
			for _, e := range b.Elements {
				if e.Text != nil {
					total += width(e.Text.Text)
				}
			}
		case "actions":
			ids := map[string]bool{}
			if len(b.Elements) > 25 || len(b.Elements) == 0 {
				fault("%d actions", len(b.Elements))
			}
			for _, e := range b.Elements {
				if ids[e.ActionID] {
					fault("action %s twice", e.ActionID)
				}
				ids[e.ActionID] = true
				buttonFaults(e, fault)
			}
		case "table":
			tables++
			cells := 0
			if len(b.Rows) > 100 || len(b.Rows) == 0 {
				fault("%d rows", len(b.Rows))
			}
			for _, r := range b.Rows {
				if len(r) > 20 {
					fault("%d columns", len(r))
				}
				for _, c := range r {
					if c.Text == "" {
						fault("empty cell")
					}
					cells += width(c.Text)
				}
			}
			if total += cells; cells > slackCells {
				fault("table of %d", cells)
			}
		default:
			fault("block type %q", b.Type)
		}
		if b.Accessory != nil {
			buttonFaults(*b.Accessory, fault)
		}
	}
	if tables > 1 {
		fault("%d tables", tables)
	}
	if total > sum {
		fault("%d over all blocks", total)
	}
	return out
}

func buttonFaults(e anyBlock, fault func(string, ...any)) {
	if e.Text == nil || e.Text.Text == "" || width(e.Text.Text) > slackButton {
		fault("text of a button")
	}
	if width(e.Value) > slackValue || len(e.ActionID) > 255 {
		fault("value of a button")
	}
}
