package slack

import (
	"cmp"
	"context"
	"fmt"
	"strings"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

// verbs are the first words of a command, in both languages.
var verbs = map[string]string{
	"问": "ask", "ask": "ask", "指标": "kpi", "kpi": "kpi", "条": "clause", "clause": "clause", "帮助": "help", "help": "help",
	"设置": "settings", "settings": "settings", "订阅": "subscribe", "subscribe": "subscribe", "退订": "unsubscribe", "unsubscribe": "unsubscribe",
	"停": "stop", "停止": "stop", "stop": "stop",
}

// parseCommand splits the text of /zhengda into its verb and the rest. Text
// that begins with no verb is a question; the verb 条 may stand without a space
// before its clause, 第…条 alone asks for that clause.
func parseCommand(command, text string) (verb, rest string) {
	text = strings.TrimSpace(text)
	if strings.TrimPrefix(command, "/") == "stop" {
		return "stop", ""
	}
	if text == "" {
		return "help", ""
	}
	word, rest, _ := strings.Cut(strings.ReplaceAll(text, "\u3000", " "), " ")
	if v, ok := verbs[strings.ToLower(word)]; ok {
		return v, strings.TrimSpace(rest)
	}
	if isClauseRef(text) {
		return "clause", text
	}
	return "ask", text
}

// ephemeralReply is the immediate answer to a command, seen by its author only.
type ephemeralReply struct {
	ResponseType string          `json:"response_type"`
	Text         string          `json:"text"`
	Blocks       []slackgo.Block `json:"blocks,omitempty"`
}

func privately(m message) ephemeralReply {
	return ephemeralReply{ResponseType: slackgo.ResponseTypeEphemeral, Text: clamp(m.text, maxText), Blocks: m.blocks}
}

// command carries out /zhengda and /stop. Questions are stored and answered
// later at the command's address; everything else within the time that Slack
// gives, and the rest of it at that address too.
func (a *App) command(ctx context.Context, c slackgo.SlashCommand) (any, error) {
	if err := a.whoami(ctx); err != nil {
		return nil, err
	}
	verb, rest := parseCommand(c.Command, c.Text)
	t := tongueOf(c.Text)
	switch verb {
	case "ask":
		if rest == "" {
			return privately(simple(t.say("command.ask"))), nil
		}
		err := a.take(item{key: key{cmp.Or(c.TeamID, a.self.team), c.ChannelID, "cmd:" + c.TriggerID}, Kind: kindCommand, Thread: "cmd:" + c.TriggerID,
			User: c.UserID, Text: rest, Reply: c.ResponseURL})
		return privately(simple(t.say("command.wait"))), err
	case "help":
		return privately(simple(t.say("help"))), nil
	case "stop":
		n := a.stop(key{Team: cmp.Or(c.TeamID, a.self.team), Channel: c.ChannelID}, c.UserID)
		if n == 0 {
			return privately(simple(t.say("stop.none"))), nil
		}
		return privately(simple(t.say("stop.done", n))), nil
	}
	go a.laterCommand(context.WithoutCancel(ctx), c, verb, rest, t)
	return nil, nil
}

// laterCommand carries out what needs Slack or the corpus first.
func (a *App) laterCommand(ctx context.Context, c slackgo.SlashCommand, verb, rest string, t tongue) {
	ctx, cancel := context.WithTimeout(ctx, a.c.Timeout)
	defer cancel()
	p := a.users.persona(ctx, c.UserID, false)
	var msgs []message
	var err error
	switch verb {
	case "clause":
		msgs, err = a.clauseCards(ctx, rest, p, t)
	case "kpi":
		msgs, err = a.indicatorCards(ctx, rest, p, t)
	case "settings":
		msgs, err = a.openSettings(ctx, c, p, t)
	case "subscribe":
		msgs, err = a.subscribe(ctx, c, rest, p, t)
	case "unsubscribe":
		msgs, err = a.unsubscribe(c, rest, t)
	}
	if err != nil {
		a.log.Error("command failed", "verb", verb, "error", redact(err))
		msgs = []message{simple(t.say("failed", verb))}
	}
	if len(msgs) == 0 {
		return
	}
	if err := a.respond(ctx, c.ResponseURL, msgs); err != nil {
		a.log.Warn("cannot answer a command", "verb", verb, "error", redact(err))
	}
}

// maxCards is how many clauses one command shows.
const maxCards = 3

// clauseCards are the clauses that ref names.
func (a *App) clauseCards(ctx context.Context, ref string, p bot.Persona, t tongue) ([]message, error) {
	var found []Clause
	if a.c.Corpus != nil && ref != "" {
		var err error
		if found, err = a.c.Corpus.Find(ctx, ref, p); err != nil {
			return nil, fmt.Errorf("find clause: %w", err)
		}
	}
	if len(found) == 0 {
		return []message{simple(t.say("clause.none", escape(clamp(ref, 80))))}, nil
	}
	var ps []piece
	for _, c := range found[:min(len(found), maxCards)] {
		ps = append(ps, clausePieces(c, t)...)
	}
	if n := len(found) - maxCards; n > 0 {
		ps = append(ps, small(t.say("clause.more", n)))
	}
	return pack(ps), nil
}

// clausePieces is a clause in full, with its chapter and version.
func clausePieces(c Clause, t tongue) []piece {
	head := fmt.Sprintf("*《%s》%s* %s", escape(clamp(c.Document, 300)), escape(clamp(c.Label, 100)), escape(clamp(c.Title, 300)))
	ps := prose(head)
	var where []string
	for _, h := range c.Path {
		where = append(where, escape(clamp(h, 300)))
	}
	if c.Version != "" {
		where = append(where, t.say("clause.version", escape(clamp(c.Version, 60))))
	}
	if len(where) > 0 {
		ps = append(ps, small(strings.Join(where, " › ")))
	}
	ps = append(ps, prose(escape(c.Text))...)
	if strings.HasPrefix(c.URL, "https://") || strings.HasPrefix(c.URL, "http://") {
		ps = append(ps, small(escape(clamp(c.URL, 500))))
	}
	return ps
}

// indicatorCards is the table of the indicators that name names; all when it
// is empty.
func (a *App) indicatorCards(ctx context.Context, name string, p bot.Persona, t tongue) ([]message, error) {
	fs, err := a.indicators(ctx, name, p)
	switch {
	case err != nil:
		return nil, err
	case len(fs) == 0 && name != "":
		return []message{simple(t.say("kpi.unknown", escape(clamp(name, 80))))}, nil
	case len(fs) == 0:
		return []message{simple(t.say("kpi.none"))}, nil
	}
	limit := maxResponses * maxRows
	ps := figures(fs[:min(len(fs), limit)], t)
	if len(fs) > limit {
		ps = append(ps, small(t.say("kpi.more", len(fs)-limit)))
	}
	return pack(ps), nil
}

// indicators lists the indicators whose name or code name names. Whoever is
// not internal gets no actual value, whatever the source gives.
func (a *App) indicators(ctx context.Context, name string, p bot.Persona) (out []bot.Figure, err error) {
	if a.c.Indicators == nil {
		return nil, nil
	}
	all, err := a.c.Indicators.List(ctx, p)
	if err != nil {
		return nil, fmt.Errorf("list indicators: %w", err)
	}
	for _, f := range all {
		if !p.Internal() {
			f = target(f)
		}
		if name == "" || f.Code == name || strings.Contains(f.Name, name) {
			out = append(out, f)
		}
	}
	return out, nil
}

// target is a figure without what only staff may see.
func target(f bot.Figure) bot.Figure {
	f.Actual, f.Gap, f.Progress, f.Needed, f.Over, f.Monthly, f.AsOf, f.Source = "", "", "", "", "", "", "", ""
	return f
}
