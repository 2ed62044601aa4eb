package bot

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"time"
)

const (
	maxBody     = 1 << 20 // bytes of one answer of a service
	tries       = 4       // of one request
	firstPause  = 250 * time.Millisecond
	longestWait = 10 * time.Second // a service that asks for more is not waited for
)

// courier sends requests: it repeats those that a busy service turns away,
// within the time of the request, bounds the answer, and leaves a typed error
// in the request's delivery, since the library's errors have no type.
type courier struct {
	next    http.RoundTripper
	keyless bool
	now     func() time.Time
}

type deliveryKey struct{}

// delivery is how a request ended.
type delivery struct{ err error }

// RoundTrip implements http.RoundTripper.
func (c *courier) RoundTrip(r *http.Request) (*http.Response, error) {
	next := c.next
	if next == nil {
		next = http.DefaultTransport
	}
	d, _ := r.Context().Value(deliveryKey{}).(*delivery)
	if d == nil {
		d = new(delivery)
	}
	for try := 1; ; try++ {
		attempt, err := again(r)
		if err != nil {
			return nil, err
		}
		if c.keyless {
			attempt.Header.Del("Authorization")
		}
		res, err := next.RoundTrip(attempt)
		if err != nil {
			d.err = ErrModelDown
			return nil, err
		}
		d.err = status(res.StatusCode)
		if d.err == nil {
			res.Body = &bounded{ReadCloser: http.MaxBytesReader(nil, res.Body, maxBody), d: d}
			return res, nil
		}
		wait := c.pause(res, try)
		io.CopyN(io.Discard, res.Body, 4096)
		res.Body.Close()
		if retried := errors.Is(d.err, ErrModelBusy) || errors.Is(d.err, ErrModelDown); !retried || try == tries || !sleep(r.Context(), wait) {
			return nil, d.err
		}
	}
}

// again is a request with its body at the start.
func again(r *http.Request) (*http.Request, error) {
	a := r.Clone(r.Context())
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return nil, fmt.Errorf("model: repeat request: %w", err)
		}
		a.Body = body
	}
	return a, nil
}

func status(code int) error {
	switch {
	case code == http.StatusOK:
		return nil
	case code == http.StatusTooManyRequests:
		return ErrModelBusy
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return ErrModelDenied
	case code >= 500:
		return fmt.Errorf("%w: status %d", ErrModelDown, code)
	}
	return fmt.Errorf("%w: status %d", ErrModelRejected, code)
}

// pause is how long to wait before the next try: what Retry-After says in
// seconds or as a date, else twice the pause before, with some chance in it.
func (c *courier) pause(res *http.Response, try int) time.Duration {
	v := res.Header.Get("Retry-After")
	if n, err := strconv.Atoi(v); err == nil && n >= 0 {
		return time.Duration(min(n, 3600)) * time.Second
	}
	if t, err := http.ParseTime(v); err == nil {
		return max(0, t.Sub(c.now()))
	}
	p := firstPause << (try - 1)
	return p/2 + rand.N(p)
}

// sleep waits, and reports false at once when the wait is longer than is worth
// it or than ctx allows.
func sleep(ctx context.Context, d time.Duration) bool {
	if end, ok := ctx.Deadline(); d > longestWait || ok && time.Until(end) < d {
		return false
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// bounded is a body whose read errors end up in the delivery.
type bounded struct {
	io.ReadCloser
	d *delivery
}

func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		b.d.err = fmt.Errorf("%w: answer too long or cut off", ErrModelBad)
	}
	return n, err
}
