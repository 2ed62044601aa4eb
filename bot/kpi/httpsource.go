package kpi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// maxAnswer bounds what is read of an HTTP answer.
const maxAnswer = 4 << 20

type httpReader struct {
	client  *http.Client
	e       Endpoint
	headers http.Header
}

func newHTTPReader(client *http.Client, e Endpoint, secret func(string) (string, bool)) (*httpReader, error) {
	h := http.Header{"Accept": {"application/json"}}
	for name, env := range e.HeaderEnv {
		v, ok := secret(env)
		if !ok {
			return nil, fmt.Errorf("环境变量 %s 未设置", env)
		}
		h.Set(name, v)
	}
	return &httpReader{client, e, h}, nil
}

// checkURL refuses addresses that are not HTTP, and unknown placeholders.
func (e Endpoint) checkURL() error {
	u, err := url.Parse(e.address(period{2000, "2000-01-01", "2000-12-31"}))
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return errors.New("url 不是 http 或 https 地址")
	}
	if strings.ContainsAny(u.Path+u.RawQuery, "{}") {
		return errors.New("url 中只能使用 {year}、{from}、{to}")
	}
	return nil
}

func (e Endpoint) address(p period) string {
	return strings.NewReplacer("{year}", strconv.Itoa(p.year), "{from}", string(p.from), "{to}", string(p.to)).Replace(e.URL)
}

// cite is how the source is named in an answer.
func (e Endpoint) cite() string {
	if e.Name != "" {
		return e.Name
	}
	if u, err := url.Parse(e.URL); err == nil && e.Source == "http" {
		return u.Host
	}
	return e.Connection
}

// read gets the address once. Only 200 and a JSON body within maxAnswer count.
func (r *httpReader) read(ctx context.Context, p period) (Figure, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.e.address(p), nil)
	if err != nil {
		return Figure{}, err
	}
	req.Header = r.headers.Clone()
	resp, err := r.client.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the address, which may hold a key
		}
		return Figure{}, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return Figure{}, fmt.Errorf("HTTP %s", resp.Status)
	}
	d := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer))
	d.UseNumber()
	var body any
	if err := d.Decode(&body); err != nil {
		if ctx.Err() != nil {
			return Figure{}, ctx.Err()
		}
		return Figure{}, fmt.Errorf("%w: no JSON: %w", errBad, err)
	}
	f := Figure{Unit: r.e.Unit}
	paths := map[string]string{"value": r.e.Value, "as_of": r.e.AsOf, "unit": r.e.UnitPath, "target": r.e.Target}
	err = fields(&f, func(name string) (any, bool) {
		if paths[name] == "" {
			return nil, false
		}
		v, ok := lookup(body, paths[name])
		return v, ok && v != nil
	})
	return f, err
}

// lookup follows a path like data.items[0].value into decoded JSON.
func lookup(v any, path string) (any, bool) {
	for _, step := range strings.FieldsFunc(path, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[step]
			if !ok {
				return nil, false
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil, false
			}
			v = x[i]
		default:
			return nil, false
		}
	}
	switch v.(type) {
	case map[string]any, []any, bool:
		return nil, false
	}
	return v, true
}
