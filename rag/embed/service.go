package embed

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tmc/langchaingo/embeddings"
	"github.com/tmc/langchaingo/llms/openai"
)

// ErrUnavailable is wrapped by errors of a service that could not be reached,
// was overloaded or failed, after all retries: trying later may help.
var ErrUnavailable = errors.New("embedding service unavailable")

// ServiceConfig says how to reach an OpenAI-compatible embedding service.
type ServiceConfig struct {
	BaseURL string // of the API, like https://host/v1
	Model   string
	Key     string // secret; "" sends none
	// Dim is the dimension that vectors must have; 0 takes that of the
	// service's first answer.
	Dim int
	// QueryType and PassageType are sent as input_type with questions and
	// passages, for models that tell them apart; "" sends none.
	QueryType, PassageType string
	// BatchSize is the number of texts in a request, 10 if 0: a service on a
	// slow machine then answers within a minute, and those that bound a
	// request take it.
	BatchSize int
	// Retries is how often a request is repeated after a network error, 429
	// or 5xx: 3 if 0, none if negative.
	Retries int
	// StartTimeout bounds the request that NewService makes, 10 s if 0.
	StartTimeout time.Duration
	// HTTPClient sends the requests; nil gives each attempt 60 s.
	HTTPClient *http.Client
	// Now and Sleep are the clock; nil is the real one. Sleep returns the
	// error of ctx if that ends first.
	Now   func() time.Time
	Sleep func(ctx context.Context, d time.Duration) error
}

// Service embeds texts through an OpenAI-compatible service. It is safe for
// concurrent use.
type Service struct {
	name     string
	dim      int
	key      string
	passages *embeddings.EmbedderImpl
	queries  *embeddings.EmbedderImpl
}

var _ QueryEmbedder = (*Service)(nil)

// NewService checks c and asks the service for one vector, whose dimension
// must be c.Dim. A service that is unavailable is an error only if c.Dim is 0;
// otherwise it may come up later, and the dimension is checked then.
func NewService(c ServiceConfig) (*Service, error) {
	u, err := url.Parse(c.BaseURL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("embedding service: the base URL must be like https://host/v1")
	}
	if c.Model == "" {
		return nil, errors.New("embedding service: no model given")
	}
	if c.Dim < 0 || c.BatchSize < 0 {
		return nil, fmt.Errorf("embedding service: dimension %d, batch size %d", c.Dim, c.BatchSize)
	}
	c = c.withDefaults()
	s := &Service{name: c.Model + "@" + u.Host + strings.TrimSuffix(u.Path, "/"), dim: c.Dim, key: c.Key}
	if c.QueryType != "" || c.PassageType != "" {
		s.name += fmt.Sprintf("?%s/%s", c.QueryType, c.PassageType)
	}
	if s.passages, err = c.client(c.PassageType); err != nil {
		return nil, fmt.Errorf("embedding service: %w", err)
	}
	if s.queries, err = c.client(c.QueryType); err != nil {
		return nil, fmt.Errorf("embedding service: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), c.StartTimeout)
	defer cancel()
	vectors, err := s.ask(ctx, s.passages, []string{"政策"})
	switch {
	case err != nil && (s.dim == 0 || !errors.Is(err, ErrUnavailable)):
		return nil, err
	case s.dim == 0:
		s.dim = len(vectors[0])
	}
	return s, nil
}

func (c ServiceConfig) withDefaults() ServiceConfig {
	if c.BatchSize == 0 {
		c.BatchSize = 10
	}
	if c.Retries == 0 {
		c.Retries = 3
	}
	if c.StartTimeout == 0 {
		c.StartTimeout = 10 * time.Second
	}
	if c.HTTPClient == nil {
		c.HTTPClient = &http.Client{Timeout: time.Minute}
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Sleep == nil {
		c.Sleep = sleep
	}
	return c
}

// client returns an embedder that sends the given input type. Every setting
// that the library would otherwise read from the environment is given.
func (c ServiceConfig) client(inputType string) (*embeddings.EmbedderImpl, error) {
	token := c.Key
	if token == "" {
		token = "none" // required by the library, removed by doer
	}
	llm, err := openai.New(
		openai.WithBaseURL(c.BaseURL),
		openai.WithToken(token),
		openai.WithOrganization(""),
		openai.WithModel(c.Model),
		openai.WithEmbeddingModel(c.Model),
		openai.WithHTTPClient(&doer{config: c, inputType: inputType}),
	)
	if err != nil {
		return nil, err
	}
	return embeddings.NewEmbedder(llm, embeddings.WithStripNewLines(false), embeddings.WithBatchSize(c.BatchSize))
}

// Name is the model, the address of the service and the input types.
func (s *Service) Name() string { return s.name }

// Dim is the dimension of the service's vectors.
func (s *Service) Dim() int { return s.dim }

// Embed embeds passages in batches. Its errors wrap that of ctx, or
// [ErrUnavailable], or say what is wrong with the answer.
func (s *Service) Embed(ctx context.Context, texts []string) ([][]float32, error) {
	return s.ask(ctx, s.passages, texts)
}

// EmbedQuery embeds one question.
func (s *Service) EmbedQuery(ctx context.Context, question string) ([]float32, error) {
	vectors, err := s.ask(ctx, s.queries, []string{question})
	if err != nil {
		return nil, err
	}
	return vectors[0], nil
}

// ask returns checked unit vectors. While the dimension is unknown, that of
// the first vector holds.
func (s *Service) ask(ctx context.Context, e *embeddings.EmbedderImpl, texts []string) ([][]float32, error) {
	vectors, err := e.EmbedDocuments(ctx, texts)
	switch cause := ctx.Err(); {
	case err == nil || cause == nil:
	case errors.Is(cause, context.DeadlineExceeded):
		err = fmt.Errorf("%w: %w", ErrUnavailable, cause)
	default:
		err = cause // the library has hidden it
	}
	if err != nil {
		return nil, fmt.Errorf("embed %d texts with %s: %w", len(texts), s.name, &scrubbed{err, s.key})
	}
	dim := s.dim
	if dim == 0 && len(vectors) > 0 {
		dim = len(vectors[0])
	}
	for _, v := range vectors {
		if length(v) > 0 { // zeros are left for Check to find
			normalize(v)
		}
	}
	if err := Check(vectors, len(texts), dim); err != nil {
		return nil, fmt.Errorf("embed with %s: %w", s.name, err)
	}
	return vectors, nil
}

// scrubbed is an error without the secret that a service may have quoted.
type scrubbed struct {
	err    error
	secret string
}

func (e *scrubbed) Error() string {
	if e.secret == "" {
		return e.err.Error()
	}
	return strings.ReplaceAll(e.err.Error(), e.secret, "***")
}

func (e *scrubbed) Unwrap() error { return e.err }
