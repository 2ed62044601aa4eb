package slack

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"zhengda/bot"
)

// stored is an answer as it was given; buttons name it by id.
type stored struct {
	id       string
	key      key
	rev      string
	user     string
	persona  bot.Persona
	private  bool // holds what only staff may see, and was asked where others read
	sharedBy string
	answer   bot.Answer
}

// answerID names the answer to one revision of a message.
func answerID(k key, rev string) string {
	h := sha256.Sum256([]byte(strings.Join([]string{k.Team, k.Channel, k.TS, rev}, "\x00")))
	return hex.EncodeToString(h[:10])
}

// save stores an answer, and marks in the same step that its message may be
// posted from now on. It reports false when the message is another replica's
// by now, and keeps an answer that is there already.
func (a *App) save(it item, s stored) (ok bool, err error) {
	body, err := json.Marshal(s.answer)
	if err != nil {
		return false, fmt.Errorf("save answer: %w", err)
	}
	err = a.inbox.journal.do(func(tx *sql.Tx) error {
		r, err := tx.Exec(`UPDATE slack_inbox SET posting=1 WHERE team=$1 AND channel=$2 AND ts=$3 AND owner=$4 AND rev=$5 AND deleted=0`,
			it.Team, it.Channel, it.TS, a.inbox.owner, it.Rev)
		if err != nil {
			return err
		}
		n, err := r.RowsAffected()
		if ok = n > 0; err != nil || !ok {
			return err
		}
		_, err = tx.Exec(`INSERT INTO slack_answers (id, team, channel, ts, rev, usr, persona, private, answer, created) VALUES ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10)
			ON CONFLICT (id) DO NOTHING`, s.id, it.Team, it.Channel, it.TS, it.Rev, it.User, string(s.persona), s.private, string(body), a.now().UnixMilli())
		return err
	})
	return ok, err
}

const selectAnswer = `SELECT id, team, channel, ts, rev, usr, persona, private, shared_by, answer FROM slack_answers`

func scanAnswer(row interface{ Scan(...any) error }) (s stored, err error) {
	var body string
	err = row.Scan(&s.id, &s.key.Team, &s.key.Channel, &s.key.TS, &s.rev, &s.user, &s.persona, &s.private, &s.sharedBy, &body)
	if err == nil {
		err = json.Unmarshal([]byte(body), &s.answer)
	}
	return s, err
}

// stored reads an answer. It gives ErrNotFound when there is none.
func (a *App) stored(ctx context.Context, id string) (stored, error) {
	s, err := scanAnswer(a.c.DB.QueryRowContext(ctx, selectAnswer+` WHERE id=$1`, id))
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	return s, err
}

// forget removes the answers to a message that was deleted.
func (a *App) forget(k key) error {
	return a.inbox.journal.do(func(tx *sql.Tx) error {
		_, err := tx.Exec(`DELETE FROM slack_answers WHERE team=$1 AND channel=$2 AND ts=$3`, k.Team, k.Channel, k.TS)
		return err
	})
}

// share shows a private answer to everybody: it is marked, and its message is
// worked on again. It returns the claim on that, if this replica has it.
func (a *App) share(s stored, user string) (mine []claim, err error) {
	err = a.inbox.journal.doFirst(func(tx *sql.Tx) error {
		r, err := tx.Exec(`UPDATE slack_answers SET shared_by=$2, shared_at=$3 WHERE id=$1 AND shared_by=''`, s.id, user, a.now().UnixMilli())
		if err != nil {
			return err
		}
		if n, err := r.RowsAffected(); err != nil || n == 0 {
			return err
		}
		it, err := scanItem(tx.QueryRow(selectItem+` WHERE team=$1 AND channel=$2 AND ts=$3 AND rev=$4 AND deleted=0`, s.key.Team, s.key.Channel, s.key.TS, s.rev))
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			mine, err = a.inbox.retake(tx, it, `told=told`)
		}
		return err
	})
	return mine, err
}

// turns is how many earlier questions of a conversation are told to the bot.
const turns = 6

// history is the conversation before a message: earlier questions in its
// thread, or in a direct message outside threads in that, with their whole
// answers. What only staff may see is not passed on to others.
func (a *App) history(ctx context.Context, it item, p bot.Persona) ([]bot.Turn, error) {
	where, arg := `i.thread=$3`, it.Thread
	if isDM(it.Channel) && it.Thread == it.TS {
		where, arg = `i.thread=i.ts AND $3<>''`, it.TS
	}
	rows, err := a.c.DB.QueryContext(ctx, `SELECT i.text, s.answer, s.persona FROM slack_inbox i
		JOIN slack_answers s ON s.team=i.team AND s.channel=i.channel AND s.ts=i.ts AND s.rev=i.rev
		WHERE i.team=$1 AND i.channel=$2 AND `+where+` AND i.ts < $4 AND i.deleted=0 AND (s.private=0 OR s.shared_by<>'' OR $5)
		ORDER BY i.ts DESC LIMIT $6`, it.Team, it.Channel, arg, it.TS, p.Internal(), turns)
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer rows.Close()
	type past struct {
		text, body string
		persona    bot.Persona
	}
	var earlier []past
	for rows.Next() {
		var e past
		if err := rows.Scan(&e.text, &e.body, &e.persona); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		earlier = append(earlier, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	var out []bot.Turn
	for _, e := range slices.Backward(earlier) {
		var ans bot.Answer
		if err := json.Unmarshal([]byte(e.body), &ans); err != nil {
			return nil, fmt.Errorf("history: %w", err)
		}
		if e.persona.Internal() && !p.Internal() && a.confidential(ctx, ans) {
			continue
		}
		out = append(out, bot.Turn{Role: "user", Content: plain(e.text)}, bot.Turn{Role: "assistant", Content: readBack(ans)})
	}
	return out, nil
}

// readBack is a whole answer as an earlier turn: its text and what it cites.
func readBack(a bot.Answer) string {
	var b strings.Builder
	b.WriteString(a.Text)
	for _, c := range a.Citations {
		fmt.Fprintf(&b, "\n[%d] 《%s》%s", c.N, c.Document, c.Label)
	}
	return b.String()
}
