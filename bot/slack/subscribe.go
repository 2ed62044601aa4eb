package slack

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
	"zhengda/internal/zh"
)

// Kinds of subscriptions.
const (
	onClause    = "clause"
	onKeyword   = "keyword"
	onIndicator = "indicator"
)

// clauseRE matches 第17条, 第十二条之一 and 《title》第17条.
var clauseRE = regexp.MustCompile(`^(?:《([^《》]{1,200})》)?\s*第\s*([0-9０-９〇○零一二三四五六七八九十百千]{1,10})\s*(条|款|章|节|项)(之[一二三四五六七八九十]{1,3})?$`)

func isClauseRef(s string) bool { return clauseRE.MatchString(strings.TrimSpace(s)) }

// labelKey is a label as it is compared: 第十七条 is 第17条.
func labelKey(label string) string {
	label = strings.TrimSpace(label)
	m := clauseRE.FindStringSubmatch(label)
	if m == nil {
		return zh.Squeeze(zh.Fold(label))
	}
	n, ok := zh.Numeral(m[2])
	if !ok {
		return zh.Squeeze(zh.Fold(label))
	}
	return fmt.Sprintf("第%d%s%s", n, m[3], m[4])
}

// subscription is somebody's wish to be told of changes, in one channel.
type subscription struct {
	id                  int64
	team, channel, user string
	kind, value         string
	created             int64 // Unix milliseconds
}

// subscribe stores a subscription, or lists those that the person has here.
func (a *App) subscribe(ctx context.Context, c slackgo.SlashCommand, value string, p bot.Persona, t tongue) ([]message, error) {
	s := subscription{team: cmp.Or(c.TeamID, a.self.team), channel: c.ChannelID, user: c.UserID, kind: onKeyword, value: clamp(value, 100)}
	if value == "" {
		return a.listSubscriptions(ctx, s, t)
	}
	if isClauseRef(value) {
		s.kind = onClause
	} else if fs, err := a.indicators(ctx, value, p); err != nil {
		return nil, err
	} else if len(fs) > 0 {
		s.kind = onIndicator
		if !p.Internal() || !a.rooms.internal(ctx, s.team, s.channel) {
			return []message{simple(t.say("subscribe.denied"))}, nil
		}
	}
	err := a.inbox.journal.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`INSERT INTO slack_subscriptions (team, channel, usr, kind, value, created) VALUES ($1,$2,$3,$4,$5,$6) ON CONFLICT DO NOTHING`,
			s.team, s.channel, s.user, s.kind, s.value, a.now().UnixMilli())
		if err != nil {
			return err
		}
		return tx.QueryRow(`SELECT id FROM slack_subscriptions WHERE team=$1 AND channel=$2 AND usr=$3 AND kind=$4 AND value=$5`,
			s.team, s.channel, s.user, s.kind, s.value).Scan(&s.id)
	})
	if err != nil {
		return nil, err
	}
	return []message{simple(t.say("subscribe.done", t.say("subscribe."+s.kind), escape(s.value), s.id))}, nil
}

func (a *App) listSubscriptions(ctx context.Context, of subscription, t tongue) ([]message, error) {
	subs, err := a.subscriptions(ctx, ` WHERE team=$1 AND channel=$2 AND usr=$3`, of.team, of.channel, of.user)
	if err != nil {
		return nil, err
	}
	if len(subs) == 0 {
		return []message{simple(t.say("subscribe.none") + "\n" + t.say("subscribe.usage"))}, nil
	}
	text := t.say("subscribe.list")
	for _, s := range subs {
		text += fmt.Sprintf("\n%d. %s“%s”", s.id, t.say("subscribe."+s.kind), escape(s.value))
	}
	return []message{simple(text)}, nil
}

func (a *App) subscriptions(ctx context.Context, where string, args ...any) (out []subscription, err error) {
	rows, err := a.c.DB.QueryContext(ctx, `SELECT id, team, channel, usr, kind, value, created FROM slack_subscriptions`+where+` ORDER BY id`, args...)
	if err != nil {
		return nil, fmt.Errorf("subscriptions: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var s subscription
		if err := rows.Scan(&s.id, &s.team, &s.channel, &s.user, &s.kind, &s.value, &s.created); err != nil {
			return nil, fmt.Errorf("subscriptions: %w", err)
		}
		out = append(out, s)
	}
	return out, rows.Err()
}

// unsubscribe ends a subscription, named by number or by what it is on.
func (a *App) unsubscribe(c slackgo.SlashCommand, what string, t tongue) ([]message, error) {
	var value string
	err := a.inbox.journal.do(func(tx *sql.Tx) error {
		return tx.QueryRow(`DELETE FROM slack_subscriptions WHERE team=$1 AND channel=$2 AND usr=$3 AND (value=$4 OR CAST(id AS TEXT)=$4) RETURNING value`,
			cmp.Or(c.TeamID, a.self.team), c.ChannelID, c.UserID, what).Scan(&value)
	})
	if errors.Is(err, sql.ErrNoRows) {
		return []message{simple(t.say("unsubscribe.none", escape(clamp(what, 80))))}, nil
	}
	if err != nil {
		return nil, err
	}
	return []message{simple(t.say("unsubscribe.done", escape(value)))}, nil
}
