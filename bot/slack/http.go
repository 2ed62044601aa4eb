package slack

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"

	slackgo "github.com/slack-go/slack"
	"github.com/slack-go/slack/slackevents"
)

// maxBody is the largest request that is read, in bytes.
const maxBody = 1 << 20

// Handler serves the Events API: POST /slack/events, /slack/commands and
// /slack/interactivity. Every request must carry Slack's signature, made with
// the signing secret within five minutes; without a secret all are refused.
func (a *App) Handler() http.Handler {
	m := http.NewServeMux()
	m.Handle("POST /slack/events", a.signed(a.serveEvent))
	m.Handle("POST /slack/commands", a.signed(a.serveCommand))
	m.Handle("POST /slack/interactivity", a.signed(a.serveInteraction))
	return m
}

// signed passes on requests that Slack has signed. f returns what to answer,
// or an error, upon which Slack delivers again.
func (a *App) signed(f func(*http.Request, []byte) (any, error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if a.c.SigningSecret == "" {
			http.Error(w, "no signing secret", http.StatusNotFound)
			return
		}
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		v, err := slackgo.NewSecretsVerifier(r.Header, a.c.SigningSecret)
		if err == nil {
			_, _ = v.Write(body)
			err = v.Ensure()
		}
		if err != nil {
			a.log.Warn("slack request refused", "path", r.URL.Path, "error", err)
			http.Error(w, "bad signature", http.StatusUnauthorized)
			return
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		reply, err := f(r, body)
		switch {
		case err != nil:
			a.log.Error("cannot take a slack request", "path", r.URL.Path, "error", redact(err))
			http.Error(w, "try again", http.StatusServiceUnavailable)
		case reply != nil:
			w.Header().Set("Content-Type", "application/json; charset=utf-8")
			_ = json.NewEncoder(w).Encode(reply)
		}
	})
}

func (a *App) serveEvent(r *http.Request, body []byte) (any, error) {
	var outer struct{ Type, Challenge string }
	if json.Unmarshal(body, &outer) == nil && outer.Type == slackevents.URLVerification {
		return map[string]string{"challenge": outer.Challenge}, nil
	}
	e, err := parseEvent(body)
	if err != nil {
		return nil, nil // a type that nobody reads: it must not come again
	}
	return nil, a.event(r.Context(), e)
}

func parseEvent(body []byte) (slackevents.EventsAPIEvent, error) {
	return slackevents.ParseEvent(body, slackevents.OptionNoVerifyToken())
}

func (a *App) serveCommand(r *http.Request, _ []byte) (any, error) {
	c, err := slackgo.SlashCommandParse(r)
	if err != nil {
		return nil, err
	}
	return a.command(r.Context(), c)
}

func (a *App) serveInteraction(r *http.Request, _ []byte) (any, error) {
	c, err := slackgo.InteractionCallbackParse(r)
	if err != nil {
		return nil, err
	}
	return a.interaction(r.Context(), c)
}
