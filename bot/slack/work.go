package slack

import (
	"context"
	"errors"
	"fmt"
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

// start queues a message. Whoever has too many waiting is told so at once.
func (a *App) start(c claim) {
	full := a.queue.full(c.user)
	if full && !a.queue.has(c.key) {
		c.user += " refused"
	}
	j, place := a.queue.push(c)
	if j == nil {
		return
	}
	j.refused = full
	if place > 0 && !full {
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
		if failure = redact(err).Error(); !isFinal(err) && it.attempts < maxAttempts {
			if err := a.inbox.postpone(it.key, backoff(it.attempts), failure); err != nil {
				a.log.Error("cannot postpone", "error", err)
			}
			return
		}
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
	show := func(card, outcome string) error {
		if err := a.show(ctx, j, it, []message{simple(card)}, nil); err != nil {
			return err
		}
		eyes()
		a.outcome(ctx, *it, outcome)
		return nil
	}
	switch {
	case it.stopped:
		return show(t.say("stopped"), reactFailed)
	case j.refused:
		return show(t.say("queue.full", a.c.Queue), reactRefused)
	case question == "":
		example := t.say("hello.example")
		if len(a.c.Suggested) > 0 {
			example = a.c.Suggested[0]
		}
		return show(t.say("hello", escape(example)), reactDone)
	case isStop(it.Text):
		return show(t.say("stop.ok"), reactDone)
	}
	id := answerID(it.key, it.Rev)
	s, err := a.stored(ctx, id)
	if errors.Is(err, ErrNotFound) {
		s, err = a.ask(ctx, jctx, j, it, question)
	}
	if errors.Is(err, errAsk) {
		key := "failed"
		if errors.Is(err, context.DeadlineExceeded) {
			key = "timeout"
		}
		a.log.Error("no answer", "answer", id, "error", redact(err))
		return show(t.say(key, id[:8]), reactFailed)
	}
	if err != nil {
		return err
	}
	if err := a.deliver(ctx, j, it, s, t); err != nil {
		return err
	}
	eyes()
	if s.answer.Status == bot.Refused {
		a.outcome(ctx, *it, reactRefused)
	} else {
		a.outcome(ctx, *it, reactDone)
	}
	return nil
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

// inRoom asks with the documents that the channel is set to.
func (a *App) inRoom(ctx context.Context, it *item, q bot.Ask) (bot.Answer, error) {
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
	for {
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
