package slack

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"zhengda/bot"
)

// take stores what has arrived and begins to work on it. When it returns
// without an error, the message may be acknowledged.
func (a *App) take(it item) error {
	mine, err := a.inbox.put(it)
	if err != nil {
		return err
	}
	for _, c := range mine {
		if c.key == it.key && !it.Deleted && isStop(it.Text) {
			a.stop(it.key, it.User)
		}
		a.start(c)
	}
	return nil
}

// start queues a message, and has its author told when others are before it.
func (a *App) start(c claim) {
	if j, place := a.queue.push(c); j != nil && place > 0 && !j.refused {
		time.AfterFunc(a.c.StageAfter, func() { a.tellPlace(j) })
	}
}

// stop ends what the author of the message k has running or waiting in its
// channel, beside k, and returns how many there were.
func (a *App) stop(k key, user string) int {
	stopped, err := a.inbox.stop(k, user)
	if err != nil {
		a.log.Error("cannot stop", "error", err)
	}
	for _, c := range stopped {
		a.queue.interrupt(c.key)
	}
	return len(stopped)
}

// Times of retrying a message whose answer could not be posted.
const (
	maxAttempts = 40
	maxBackoff  = 5 * time.Minute
)

func (a *App) workLoop(ctx context.Context) {
	for {
		j, jctx := a.queue.next(ctx)
		if j == nil {
			return
		}
		a.work(ctx, jctx, j)
	}
}

// work brings one message to its end: answered, refused, or told that it
// failed. ctx is the App's, jctx ends when the message changes.
func (a *App) work(ctx, jctx context.Context, j *job) {
	defer a.queue.done(j)
	it, ok, err := a.inbox.load(ctx, j.key)
	if err != nil {
		a.log.Error("cannot read the inbox", "error", err)
	}
	if err != nil || !ok {
		return
	}
	err = a.settle(ctx, jctx, j, &it)
	if ctx.Err() != nil || errors.Is(err, errChanged) {
		return // others take over, or it is queued again
	}
	failure := ""
	if err != nil {
		a.log.Warn("cannot answer in slack", "channel", it.Channel, "ts", it.TS, "attempt", it.attempts, "error", redact(err))
		if failure = redact(err).Error(); !isFinal(err) && (it.attempts < maxAttempts || isAuth(err)) {
			if err := a.inbox.postpone(it.key, backoff(it.attempts), failure); err != nil {
				a.log.Error("cannot postpone", "error", err)
			}
			return
		}
		a.outcome(ctx, it, reactFailed) // all that can be told
	}
	done, err := a.inbox.finish(it, failure)
	if err != nil {
		a.log.Error("cannot close a message of the inbox", "error", err)
		return
	}
	if !done {
		a.queue.interrupt(j.key) // it has changed: look again
	}
}

func backoff(attempt int) time.Duration {
	return min(time.Second<<min(attempt, 10), maxBackoff)
}

var (
	errChanged = errors.New("the message has changed")
	errLost    = errors.New("another replica has taken over")
)

// settle does what the message, as it stands now, asks for.
func (a *App) settle(ctx, jctx context.Context, j *job, it *item) error {
	if it.Deleted {
		return a.retract(ctx, j, it)
	}
	eyes := a.watch(ctx, *it)
	defer eyes()
	question := plain(it.Text)
	t := tongueOf(question)
	text, outcome := a.card(it, j, question, t)
	if text == "" {
		s, err := a.reply(ctx, jctx, j, it, question)
		switch {
		case errors.Is(err, errAsk):
			a.log.Error("no answer", "answer", s.id, "error", redact(err))
			text, outcome = apology(err, s.id, t), reactFailed
		case err != nil:
			return err
		default:
			if outcome = reactDone; s.answer.Status == bot.Refused {
				outcome = reactRefused
			}
			if err := a.deliver(ctx, j, it, s, t); err != nil {
				return err
			}
		}
	}
	if text != "" {
		if err := a.show(ctx, j, it, []message{simple(text)}, nil); err != nil {
			return err
		}
	}
	eyes()
	a.outcome(ctx, *it, outcome)
	return nil
}

// card is what is said, with its outcome, to a message that asks nothing of
// the corpus; empty when it does ask.
func (a *App) card(it *item, j *job, question string, t tongue) (text, outcome string) {
	switch {
	case it.stopped:
		return t.say("stopped"), reactFailed
	case j.refused:
		return t.say("queue.full", a.c.Queue), reactRefused
	case question == "":
		example := t.say("hello.example")
		if len(a.c.Suggested) > 0 {
			example = a.c.Suggested[0]
		}
		return t.say("hello", escape(example)), reactDone
	case isStop(it.Text):
		return t.say("stop.ok"), reactDone
	}
	return "", ""
}

// apology is what is said when there is no answer; id lets it be found in the
// log.
func apology(err error, id string, t tongue) string {
	if errors.Is(err, context.DeadlineExceeded) {
		return t.say("timeout", id[:8])
	}
	return t.say("failed", id[:8])
}

// reply is the answer to the message as it stands: the one that is stored, or
// a new one.
func (a *App) reply(ctx, jctx context.Context, j *job, it *item, question string) (stored, error) {
	s, err := a.stored(ctx, answerID(it.key, it.Rev))
	if errors.Is(err, ErrNotFound) {
		return a.ask(ctx, jctx, j, it, question)
	}
	return s, err
}

var errAsk = errors.New("ask")

// ask has the question answered, showing the stage when that takes long, and
// stores the answer before any of it is posted, so that no trouble with Slack
// ever asks twice.
func (a *App) ask(ctx, jctx context.Context, j *job, it *item, question string) (s stored, err error) {
	s = stored{id: answerID(it.key, it.Rev), key: it.key, rev: it.Rev, user: it.User}
	s.persona = a.users.persona(ctx, it.User, it.Foreigner)
	q := bot.Ask{ID: s.id, Question: question, Persona: s.persona}
	if it.Kind != kindCommand {
		if q.History, err = a.history(ctx, *it, s.persona); err != nil {
			return s, err
		}
	}
	actx, cancel := context.WithTimeout(jctx, a.c.Timeout)
	defer cancel()
	staged := a.stages(actx, j, *it)
	s.answer, err = a.inRoom(withStage(actx, staged), it, q)
	cancel()
	switch {
	case ctx.Err() != nil:
		return s, ctx.Err()
	case jctx.Err() != nil:
		return s, errChanged
	case err != nil:
		return s, fmt.Errorf("%w: %w", errAsk, err)
	}
	if !s.persona.Internal() {
		for i, f := range s.answer.Figures {
			s.answer.Figures[i] = target(f)
		}
	}
	s.private = it.Reply == "" && s.persona.Internal() && a.confidential(ctx, s.answer) && !a.rooms.internal(ctx, it.Team, it.Channel)
	ok, err := a.save(*it, s)
	if err == nil && !ok {
		err = errChanged
	}
	j.mu.Lock()
	j.marked = err == nil && !it.posting && !j.tried
	j.mu.Unlock()
	return s, err
}

// inRoom asks with the documents that the channel is set to. A panic is an
// error: other questions must not suffer from it, and this one gets a card.
func (a *App) inRoom(ctx context.Context, it *item, q bot.Ask) (ans bot.Answer, err error) {
	defer func() {
		if p := recover(); p != nil {
			a.log.Error("panic", "answer", q.ID, "stack", string(debug.Stack()))
			err = errors.New("panic")
		}
	}()
	if a.c.AskIn != nil {
		r, err := a.rooms.get(ctx, it.Team, it.Channel)
		if err != nil {
			return bot.Answer{}, err
		}
		if len(r.documents) > 0 {
			return a.c.AskIn(ctx, q, r.documents)
		}
	}
	return a.c.Ask(ctx, q)
}

// confidential reports whether an answer to staff holds what others may not
// see: actual values, or clauses that are not public.
func (a *App) confidential(ctx context.Context, ans bot.Answer) bool {
	if hasActual(ans.Figures) {
		return true
	}
	if a.c.Corpus == nil {
		return false
	}
	for _, c := range ans.Citations {
		if _, err := a.c.Corpus.Clause(ctx, c, bot.Enterprise); err != nil {
			return true
		}
	}
	return false
}

// deliver shows a stored answer where the question was asked: in the thread,
// to the asker alone, or at the address of a command.
func (a *App) deliver(ctx context.Context, j *job, it *item, s stored, t tongue) error {
	l := look{id: s.id, tongue: t}
	if it.Kind == kindButton || it.Kind == kindCommand {
		l.asked = plain(it.Text)
	}
	if it.Reply != "" {
		return a.respond(ctx, it.Reply, render(s.answer, l))
	}
	if s.sharedBy != "" {
		l.preface = t.say("shared", s.sharedBy)
	}
	if !s.private || s.sharedBy != "" {
		return a.show(ctx, j, it, render(s.answer, l), nil)
	}
	note := a.note(s, t)
	l.share = true
	return a.show(ctx, j, it, []message{note}, func() error { return a.whisper(ctx, it, s, render(s.answer, l)) })
}

// note stands in the thread for an answer that only staff may see; its button
// shows the answer again to those who may.
func (a *App) note(s stored, t tongue) message {
	row := button(actView, s.id, t.say("button.view"))
	return simple(t.say("private", s.user), actions(row))
}

// tellPlace says how many questions are before one that still waits.
func (a *App) tellPlace(j *job) {
	place := a.queue.place(j)
	if place == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	it, ok, err := a.inbox.load(ctx, j.key)
	if err != nil || !ok || it.Deleted || it.Reply != "" {
		return
	}
	a.stage(ctx, j, it, tongueOf(plain(it.Text)).say("queued", place))
}

// sweepLoop keeps this replica's leases, takes over those of replicas that
// died, and sees what was stopped elsewhere.
func (a *App) sweepLoop(ctx context.Context) {
	for purged := (time.Time{}); ; {
		if now := a.now(); now.Sub(purged) > time.Hour {
			purged = now
			if err := a.inbox.purge(now.Add(-a.c.Keep)); err != nil {
				a.log.Error("cannot purge", "error", err)
			}
		}
		mine, err := a.inbox.sweep()
		if err != nil {
			a.log.Error("cannot sweep the inbox", "error", err)
		}
		for _, c := range mine {
			if !a.queue.has(c.key) {
				a.start(c)
			}
		}
		if stopped, err := a.inbox.stoppedHere(ctx); err == nil {
			for _, c := range stopped {
				a.queue.stopped(c.key)
			}
		}
		if !sleep(ctx, min(a.c.Lease/4, time.Second)) {
			return
		}
	}
}
