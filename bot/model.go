package bot

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/tmc/langchaingo/llms"
	"github.com/tmc/langchaingo/llms/openai"
)

// ModelConfig says how to reach an OpenAI-compatible chat service. Zero values
// mean what the comments say.
type ModelConfig struct {
	BaseURL    string           // of the API, like https://host/v1
	Name       string           // of the model
	Key        string           // secret; "" sends none
	HTTPClient *http.Client     // nil: http.DefaultClient; its transport is wrapped
	Timeout    time.Duration    // of all calls for one answer; 0: 20 s
	Pool       int              // calls under way at once; 0: 4
	Given      int              // clauses told with the question, beside those that it calls for; 0: 6
	Reply      int              // tokens of one reply; 0: 600
	PriceIn    float64          // of a million prompt tokens
	PriceOut   float64          // of a million completion tokens
	Prompts    fs.FS            // files of the same names replace the built-in prompts; may be nil
	Compare    CompareFunc      // nil: the tool compare_versions is not offered
	Logger     *slog.Logger     // nil: nothing is logged
	Now        func() time.Time // nil: time.Now
}

// CompareFunc says how two versions of a document differ, clause by clause, in
// words for a model, as far as the persona may know. Empty versions mean the
// active one and the one before it. A ToolError is told to the model.
type CompareFunc func(ctx context.Context, who Persona, document, from, to string) (string, error)

// Model drafts answers through a chat service. It is safe for concurrent use.
type Model struct {
	ModelConfig
	llm      *openai.LLM
	prompts  *prompts
	toolless atomic.Int64 // unix nanoseconds before which the service is asked without tools
	pool     chan struct{}
	failed   atomic.Int32 // times in a row
	resume   atomic.Int64 // unix nanoseconds before which the service is left alone
	usage    struct{ in, out, answers atomic.Int64 }
}

// Errors of a chat service. Others wrap those of the context. ErrModelFull is
// none of the service: its places were taken for too long.
var (
	ErrModelFull     = errors.New("model: no free place, or no time left for it")
	ErrModelBusy     = errors.New("model: too many requests")
	ErrModelDown     = errors.New("model: service unavailable")
	ErrModelDenied   = errors.New("model: not authorised")
	ErrModelRejected = errors.New("model: request not understood")
	ErrModelBad      = errors.New("model: unusable answer")
	ErrPrompts       = errors.New("prompts")
)

// NewModel checks c and reads the prompts; it asks the service nothing. It
// returns ErrPrompts where a prompt cannot be used.
func NewModel(c ModelConfig) (*Model, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("model: the base URL must be like https://host/v1")
	}
	if u.User != nil || strings.ContainsAny(c.BaseURL, "?#") {
		return nil, errors.New("model: the base URL must have no user, query or fragment; the key is set apart")
	}
	if c.Name == "" {
		return nil, errors.New("model: no model named")
	}
	if c.Timeout < 0 || c.Pool < 0 || c.Given < 0 || c.Reply < 0 || c.PriceIn < 0 || c.PriceOut < 0 {
		return nil, errors.New("model: limits and prices must not be negative")
	}
	if c.Timeout == 0 {
		c.Timeout = 20 * time.Second
	}
	c.Pool, c.Given, c.Reply = cmp.Or(c.Pool, 4), cmp.Or(c.Given, 6), cmp.Or(c.Reply, 600)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.HTTPClient == nil {
		c.HTTPClient = http.DefaultClient
	}
	m := &Model{ModelConfig: c, pool: make(chan struct{}, c.Pool)}
	if m.prompts, err = readPrompts(c.Prompts); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrPrompts, err)
	}
	client := *c.HTTPClient
	client.Transport = &courier{next: client.Transport, keyless: c.Key == "", now: c.Now}
	token := c.Key
	if token == "" {
		token = "none" // required by the library, not sent
	}
	m.llm, err = openai.New(openai.WithBaseURL(strings.TrimRight(c.BaseURL, "/")), openai.WithToken(token), openai.WithOrganization(""),
		openai.WithModel(c.Name), openai.WithHTTPClient(&client))
	if err != nil {
		return nil, fmt.Errorf("model: %w", err)
	}
	return m, nil
}

// Usage is what a Model has used since it was made.
type Usage struct {
	Answers   int64 // asked for, used or not
	TokensIn  int64
	TokensOut int64
	Cost      float64 // by the configured prices
}

// Usage returns the totals.
func (m *Model) Usage() Usage {
	in, out := m.usage.in.Load(), m.usage.out.Load()
	return Usage{Answers: m.usage.answers.Load(), TokensIn: in, TokensOut: out, Cost: m.cost(in, out)}
}

func (m *Model) cost(in, out int64) float64 {
	return (float64(in)*m.PriceIn + float64(out)*m.PriceOut) / 1e6
}

// message is one message of a chat.
type message struct {
	role  llms.ChatMessageType
	text  string
	calls []toolCall // of the model
	of    toolCall   // answered by this message
}

// toolCall is a model's request to run a tool.
type toolCall struct{ id, name, arguments string }

// reply is what the model said. Tokens are estimated where the service does
// not count them.
type reply struct {
	text    string
	calls   []toolCall
	in, out int64
}

// countMost is the highest count of tokens that is believed of one call, well
// above what any model reads at once.
const countMost = 1_000_000

// tokenRunes is how many runes of Chinese a token has, for services that count
// none.
const tokenRunes = 1.5

// toollessFor is how long a service that refused a question with tools is asked
// without: it may have been the length that it refused.
const toollessFor = 10 * time.Minute

// talk is chat with tools, or without where the service does not take them.
func (m *Model) talk(ctx context.Context, ms []message, tools []toolSpec) (reply, error) {
	if m.Now().UnixNano() < m.toolless.Load() {
		tools = nil
	}
	r, err := m.chat(ctx, ms, tools)
	if len(tools) > 0 && len(ms) == 2 && errors.Is(err, ErrModelRejected) {
		if r, err = m.chat(ctx, ms, nil); err == nil {
			m.toolless.Store(m.Now().Add(toollessFor).UnixNano())
		}
	}
	return r, err
}

// chat asks the model once, within ctx and the pool.
func (m *Model) chat(ctx context.Context, ms []message, tools []toolSpec) (reply, error) {
	late, err := m.enter(ctx)
	if err != nil {
		return reply{}, err
	}
	defer func() { <-m.pool }()
	options := []llms.CallOption{llms.WithTemperature(0), llms.WithMaxTokens(m.Reply), openai.WithLegacyMaxTokensField()}
	if len(tools) > 0 {
		options = append(options, llms.WithTools(offered(tools)))
	}
	d := new(delivery)
	got, err := m.llm.GenerateContent(context.WithValue(ctx, deliveryKey{}, d), contents(ms), options...)
	switch {
	case ctx.Err() != nil && late:
		return reply{}, ErrModelFull
	case ctx.Err() != nil:
		return reply{}, fmt.Errorf("model: %w", ctx.Err())
	case d.err != nil:
		return reply{}, d.err
	case err != nil: // the library's text may repeat the question
		return reply{}, ErrModelBad
	case len(got.Choices) == 0 || got.Choices[0].StopReason == "":
		return reply{}, fmt.Errorf("%w: cut off", ErrModelBad)
	}
	return m.read(ms, got.Choices[0]), nil
}

// leastTime is what a call must have left to be made at all, or a tenth of the
// limit where that is less: the service works on a call that nobody waits for
// any more just when others queue for it.
const leastTime = time.Second

// enter waits for a place among the calls under way, to be given back, as long
// as there is time to use it. The call is late when the wait took most of its
// time, so that its end says nothing of the service.
func (m *Model) enter(ctx context.Context) (late bool, err error) {
	end, ok := ctx.Deadline()
	if !ok {
		end = time.Now().Add(m.Timeout)
	}
	most := time.Until(end)
	wait, cancel := context.WithDeadline(ctx, end.Add(-min(leastTime, m.Timeout/10)))
	defer cancel()
	if wait.Err() != nil {
		return false, ErrModelFull
	}
	select {
	case m.pool <- struct{}{}:
		return time.Until(end) < most/2, nil
	case <-wait.Done():
		return false, ErrModelFull
	}
}

// read takes what is used out of a choice.
func (m *Model) read(ms []message, c *llms.ContentChoice) reply {
	r := reply{text: spoken(c.Content), in: tokens64(c.GenerationInfo["PromptTokens"]), out: tokens64(c.GenerationInfo["CompletionTokens"])}
	for _, t := range c.ToolCalls {
		if t.FunctionCall != nil {
			r.calls = append(r.calls, toolCall{t.ID, t.FunctionCall.Name, t.FunctionCall.Arguments})
		}
	}
	if r.in <= 0 || r.out < 0 || max(r.in, r.out) > countMost {
		r.in = 0
		for _, s := range ms {
			r.in += estimate(s.text)
		}
		r.out = estimate(r.text)
	}
	m.usage.in.Add(r.in)
	m.usage.out.Add(r.out)
	return r
}

// spoken is a reply without what the model thinks aloud before it.
func spoken(s string) string {
	if _, after, ok := strings.Cut(s, "</think>"); ok {
		return after
	}
	before, _, _ := strings.Cut(s, "<think>") // cut off while it thought
	return before
}

func tokens64(v any) int64 { n, _ := v.(int); return int64(n) }

func estimate(s string) int64 { return int64(float64(len([]rune(s))) / tokenRunes) }

func contents(ms []message) []llms.MessageContent {
	out := make([]llms.MessageContent, len(ms))
	for i, s := range ms {
		c := llms.MessageContent{Role: s.role}
		if s.role == llms.ChatMessageTypeTool {
			c.Parts = []llms.ContentPart{llms.ToolCallResponse{ToolCallID: s.of.id, Name: s.of.name, Content: s.text}}
		} else if s.text != "" || len(s.calls) == 0 {
			c.Parts = []llms.ContentPart{llms.TextContent{Text: s.text}}
		}
		for _, t := range s.calls {
			c.Parts = append(c.Parts, llms.ToolCall{ID: t.id, Type: "function", FunctionCall: &llms.FunctionCall{Name: t.name, Arguments: t.arguments}})
		}
		out[i] = c
	}
	return out
}

func offered(tools []toolSpec) []llms.Tool {
	out := make([]llms.Tool, len(tools))
	for i, t := range tools {
		out[i] = llms.Tool{Type: "function", Function: &llms.FunctionDefinition{Name: t.Name, Description: t.Description, Parameters: json.RawMessage(t.Parameters)}}
	}
	return out
}

func system(s string) message { return message{role: llms.ChatMessageTypeSystem, text: s} }
func user(s string) message   { return message{role: llms.ChatMessageTypeHuman, text: s} }
func assistant(r reply) message {
	return message{role: llms.ChatMessageTypeAI, text: r.text, calls: r.calls}
}
func result(t toolCall, s string) message {
	return message{role: llms.ChatMessageTypeTool, text: s, of: t}
}

// After this many failures in a row the service is left alone for a while.
const (
	failuresMost = 3
	restFor      = 30 * time.Second
)

// resting reports that the service has just failed several times.
func (m *Model) resting() bool { return m.Now().UnixNano() < m.resume.Load() }

// note keeps count of failures of the service.
func (m *Model) note(err error) {
	switch {
	case err == nil:
		m.failed.Store(0)
		return
	case errors.Is(err, ErrModelFull):
		return
	}
	if m.failed.Add(1) >= failuresMost {
		m.resume.Store(m.Now().Add(restFor).UnixNano())
		m.failed.Store(0)
	}
}
