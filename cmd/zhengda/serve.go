package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"zhengda/bot"
)

func (a *app) serveCommand() *cobra.Command {
	var addr string
	c := &cobra.Command{
		Use: "serve", Short: a.say("cmd.serve"), Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.answerer(cmd.Context())
			if err != nil {
				return err
			}
			defer s.close()
			log := slog.New(slog.NewTextHandler(a.err, nil))
			if s.slack, err = s.channel(cmd.Context(), log); err != nil {
				return err
			}
			l, err := net.Listen("tcp", addr)
			if err != nil {
				return failed("err.listen", addr, err.Error())
			}
			a.note("serve.ready", l.Addr())
			return s.serve(cmd.Context(), l, log)
		},
	}
	c.Flags().StringVar(&addr, "addr", "127.0.0.1:8080", a.say("flag.addr"))
	return c
}

// Limits of the server.
const (
	lookEvery   = 300 * time.Millisecond // at what is published
	maxBody     = 1 << 20
	headTime    = 10 * time.Second
	idleTime    = 2 * time.Minute
	goodbyeTime = 10 * time.Second
)

// serve answers on l until ctx ends, then lets running answers end.
func (s *answerer) serve(ctx context.Context, l net.Listener, log *slog.Logger) error {
	server := &http.Server{Handler: s.routes(log), ReadHeaderTimeout: headTime, ReadTimeout: headTime + s.limit,
		WriteTimeout: headTime + 2*s.limit, IdleTimeout: idleTime, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn)}
	background, cancel := context.WithCancel(ctx)
	defer cancel()
	var others sync.WaitGroup
	others.Go(func() { s.follow(background, log) })
	if s.slack != nil {
		others.Go(func() { s.slack.run(background) })
	}
	done := make(chan error, 1)
	go func() { done <- server.Serve(l) }()
	var err error
	select {
	case err = <-done:
	case <-ctx.Done():
		last, stop := context.WithTimeout(context.WithoutCancel(ctx), goodbyeTime)
		defer stop()
		err = server.Shutdown(last)
		<-done
	}
	cancel()
	others.Wait()
	if m := s.h.model; m != nil {
		u := m.Usage()
		log.Info("model used", slog.Int64("answers", u.Answers), slog.Int64("tokens_in", u.TokensIn), slog.Int64("tokens_out", u.TokensOut), slog.Float64("cost", u.Cost))
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// follow takes the new index whenever something is published, rolled back or
// removed. While that fails, the index before it answers on.
func (s *answerer) follow(ctx context.Context, log *slog.Logger) {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-look.C:
		}
		stamp, err := s.h.stamp(ctx)
		if err == nil && stamp == s.state.Load().stamp {
			continue
		}
		if err == nil {
			if err = s.refresh(ctx); err == nil {
				log.Info("index switched", slog.Int("documents", len(s.index().Documents())))
				s.slack.look()
			}
		}
		if err != nil && !failing && ctx.Err() == nil {
			log.Error("index not switched", slog.Any("error", err))
		}
		failing = err != nil
	}
}

// routes of the server.
func (s *answerer) routes(log *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", s.health)
	mux.HandleFunc("POST /api/ask", func(w http.ResponseWriter, r *http.Request) { s.answer(w, r, log) })
	if s.slack != nil {
		mux.Handle("/slack/", s.slack.Handler())
	}
	return http.NewCrossOriginProtection().Handler(mux)
}

// health tells that the server runs, and from what it answers.
func (s *answerer) health(w http.ResponseWriter, _ *http.Request) {
	x := s.index()
	reply(w, http.StatusOK, struct {
		Status    string `json:"status"`
		Version   string `json:"version"`
		Documents int    `json:"documents"`
		Embedder  string `json:"embedder"`
		Degraded  bool   `json:"degraded"` // searching by words alone
	}{"ok", buildVersion(), len(x.Documents()), x.Embedder(), x.Health() != nil})
}

// answer answers one Ask. A caller without identity is never staff.
func (s *answerer) answer(w http.ResponseWriter, r *http.Request, log *slog.Logger) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var ask bot.Ask
	if err == nil {
		if jsonErr := json.Unmarshal(body, &ask); jsonErr != nil {
			err = usage("err.json", jsonErr.Error())
		}
	}
	if ask.Persona != bot.Outsider {
		ask.Persona = bot.Enterprise
	}
	var answer bot.Answer
	if err == nil {
		answer, err = s.ask(r.Context(), ask)
	}
	if err == nil {
		reply(w, http.StatusOK, answer)
		return
	}
	a := *s.h.a
	a.tongue = a.questionTongue(ask.Question)
	text, code := a.explain(err)
	status := map[int]int{exitUsage: http.StatusBadRequest, exitEmpty: http.StatusServiceUnavailable}[code]
	var big *http.MaxBytesError
	switch {
	case errors.As(err, &big):
		status, text = http.StatusRequestEntityTooLarge, a.say("err.body", big.Limit)
	case errors.Is(err, context.DeadlineExceeded):
		status = http.StatusGatewayTimeout
	case status == 0:
		status, text = http.StatusInternalServerError, a.say("err.internal")
		log.Error("question not answered", slog.Any("error", err))
	}
	reply(w, status, map[string]string{"error": text})
}

// reply writes v as JSON.
func reply(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		http.Error(w, `{"error":"encode"}`, http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	fmt.Fprintf(w, "%s\n", b)
}
