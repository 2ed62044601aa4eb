package embed

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"
)

const (
	// maxResponse bounds the bytes of an answer.
	maxResponse = 64 << 20
	// firstPause is the wait before the first retry; it doubles each time.
	firstPause = 500 * time.Millisecond
	// maxPause is the longest wait that a service may ask for.
	maxPause = time.Minute
)

// doer carries the requests of the library: it adds the input type, repeats
// what failed for the moment, and puts vectors in the order of the texts.
type doer struct {
	config    ServiceConfig
	inputType string
}

// Do sends one embedding request. The body of its response has been read.
func (d *doer) Do(req *http.Request) (*http.Response, error) {
	body, err := d.body(req)
	if err != nil {
		return nil, err
	}
	if d.config.Key == "" {
		req.Header.Del("Authorization")
	}
	ctx := req.Context()
	for attempt := 0; ; attempt++ {
		r := req.Clone(ctx)
		r.Body = io.NopCloser(bytes.NewReader(body))
		r.ContentLength = int64(len(body))
		res, answer, err := d.send(r)
		if err == nil && res.StatusCode == http.StatusOK {
			if answer, err = inOrder(answer); err != nil {
				return nil, err
			}
			res.Body = io.NopCloser(bytes.NewReader(answer))
			return res, nil
		}
		if err == nil && res.StatusCode != http.StatusTooManyRequests && res.StatusCode < 500 {
			res.Body = io.NopCloser(bytes.NewReader(answer))
			return res, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			err = fmt.Errorf("status %d", res.StatusCode)
		}
		pause := d.pause(res, attempt)
		if attempt >= d.config.Retries || pause > maxPause {
			// The cause is quoted, not wrapped: the library would
			// replace an error that contains a network error.
			return nil, fmt.Errorf("%w after %d attempts: %v", ErrUnavailable, attempt+1, err)
		}
		if err := d.config.Sleep(ctx, pause); err != nil {
			return nil, err
		}
	}
}

// body is the body of req with the input type.
func (d *doer) body(req *http.Request) ([]byte, error) {
	body, err := io.ReadAll(req.Body)
	req.Body.Close()
	if err != nil || d.inputType == "" {
		return body, err
	}
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(body, &fields); err != nil {
		return nil, fmt.Errorf("embedding request: %w", err)
	}
	if fields["input_type"], err = json.Marshal(d.inputType); err != nil {
		return nil, fmt.Errorf("embedding request: %w", err)
	}
	return json.Marshal(fields)
}

// send makes one attempt and reads the answer. The address is kept out of the
// error.
func (d *doer) send(req *http.Request) (*http.Response, []byte, error) {
	res, err := d.config.HTTPClient.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err
		}
		return nil, nil, err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, maxResponse+1))
	if err == nil && len(answer) > maxResponse {
		err = fmt.Errorf("answer of more than %d bytes", maxResponse)
	}
	return res, answer, err
}

// pause is how long to wait after an attempt: what Retry-After says, in
// seconds or as a date, else twice as long as the time before.
func (d *doer) pause(res *http.Response, attempt int) time.Duration {
	if res != nil {
		after := res.Header.Get("Retry-After")
		if seconds, err := strconv.Atoi(after); err == nil && seconds >= 0 {
			return time.Duration(min(seconds, 1<<20)) * time.Second
		}
		if date, err := http.ParseTime(after); err == nil {
			return max(0, date.Sub(d.config.Now()))
		}
	}
	return min(firstPause<<min(attempt, 10), maxPause)
}

// numbered is a vector of an answer.
type numbered struct {
	Index     *int            `json:"index"`
	Embedding json.RawMessage `json:"embedding"`
}

// inOrder sorts the vectors of an answer by their index, which the library
// ignores. An answer without the field is taken as it stands.
func inOrder(answer []byte) ([]byte, error) {
	var a struct {
		Data []numbered `json:"data"`
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return nil, fmt.Errorf("answer of the embedding service: %w", err)
	}
	for _, v := range a.Data {
		if v.Index == nil {
			return answer, nil
		}
	}
	slices.SortStableFunc(a.Data, func(x, y numbered) int { return cmp.Compare(*x.Index, *y.Index) })
	for i, v := range a.Data {
		if *v.Index != i {
			return nil, fmt.Errorf("answer of the embedding service: vectors are not numbered 0 to %d", len(a.Data)-1)
		}
	}
	return json.Marshal(a)
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
