// Package bot turns a question into a verified answer.
package bot

// Persona is who asks. It decides what may be told, never what is true.
type Persona string

// The personas of the contract. The zero value is treated as Enterprise.
const (
	Enterprise Persona = "enterprise"
	Staff      Persona = "staff"
	Admin      Persona = "admin"
	Outsider   Persona = "outsider"
)

// Internal reports whether the persona may see live actual values.
func (p Persona) Internal() bool { return p == Staff || p == Admin }

// Turn is one earlier message of a conversation.
type Turn struct {
	Role    string `json:"role"` // "user" or "assistant"
	Content string `json:"content"`
}

// Ask is one question.
type Ask struct {
	ID       string  `json:"id,omitempty"`
	Question string  `json:"question"`
	History  []Turn  `json:"history,omitempty"`
	Persona  Persona `json:"persona,omitempty"`
	AsOf     string  `json:"as_of,omitempty"` // YYYY-MM-DD; empty: today

	// Documents are the IDs of those to answer from; nil: all.
	Documents []string `json:"-"`
}

// Status says whether the corpus gave an answer.
type Status string

// A refusal is an answer too: it says what the corpus does not give.
const (
	Answered Status = "answered"
	Refused  Status = "refused"
)

// Answer is what every channel shows.
type Answer struct {
	ID        string     `json:"id,omitempty"`
	Question  string     `json:"question"`
	Status    Status     `json:"status"`
	Text      string     `json:"answer"` // Markdown with [n] markers
	Citations []Citation `json:"citations"`
	Figures   []Figure   `json:"figures"`
	Warnings  []Warning  `json:"warnings"`
	Followups []string   `json:"followups"`
	Model     string     `json:"model"`
	Timing    Timing     `json:"timing_ms"`
	Receipt   *Receipt   `json:"receipt,omitempty"` // when a model was asked
}

// Citation is one clause that a statement stands on.
type Citation struct {
	N          int      `json:"n"` // the marker in the text, from 1
	DocumentID string   `json:"document_id"`
	Document   string   `json:"document"`
	Version    string   `json:"version"`
	ClauseID   string   `json:"clause_id"`
	Label      string   `json:"label"`
	Clause     int      `json:"clause"` // printed number, 0 for unnumbered text
	Path       []string `json:"path"`
	Title      string   `json:"title"`
	Quote      string   `json:"quote"` // verbatim
	Start      int      `json:"start"` // rune offsets of Quote in the
	End        int      `json:"end"`   // clause's text
	URL        string   `json:"url"`
}

// Figure is one indicator as told in an answer. Numbers are decimal strings.
type Figure struct {
	Code       string `json:"code"`
	Name       string `json:"name"`
	Unit       string `json:"unit"`
	Comparator string `json:"comparator"` // >=, >, =, <=, <
	Target     string `json:"target"`
	Actual     string `json:"actual,omitempty"`
	AsOf       string `json:"as_of,omitempty"`
	Source     string `json:"source,omitempty"`
	Gap        string `json:"gap,omitempty"`
	Needed     string `json:"needed,omitempty"`  // least amount that meets the target, where it differs from Gap
	Over       string `json:"over,omitempty"`    // by how much the target is exceeded
	Monthly    string `json:"monthly,omitempty"` // needed a month to the end of the year
	Words      string `json:"words,omitempty"`   // the target with its comparator in words: 超过16000家
	Progress   string `json:"progress,omitempty"`
	Clause     int    `json:"clause"`
}

// Warning is something the reader should know beside the answer.
type Warning struct {
	Kind    string `json:"kind"` // contradiction, stale, source_down, …
	Text    string `json:"text"`
	Clauses []int  `json:"clauses,omitempty"`
}

// Timing holds milliseconds per stage.
type Timing struct {
	Total int64 `json:"total"`
}
