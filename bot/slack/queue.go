package slack

import (
	"context"
	"slices"
	"sync"
)

// job is one message being worked on, or waiting to be.
type job struct {
	key  key
	user string

	mu     sync.Mutex // held while a message of the answer is posted or edited
	posted bool       // the final answer is out: no stage may be shown over it
	placed bool       // the first message of the answer shows a stage
	tried  bool       // a stage was posted, or may have been
	marked bool       // what it will post is marked, and nothing can have been posted before

	refused bool // its author has too many waiting
	cancel  context.CancelFunc
	again   bool // the message changed meanwhile
	halted  bool // it was stopped, and the running work knows
}

// queue hands out jobs: at most limit at once for one user, users in turn,
// each user's in order.
type queue struct {
	mu      sync.Mutex
	ready   chan struct{} // as many tokens as there may be jobs to take
	perUser int
	limit   int
	jobs    map[key]*job
	waiting map[string][]*job // by user
	turn    []string          // users with waiting jobs
	running map[string]int
}

func newQueue(workers, perUser, limit int) *queue {
	return &queue{ready: make(chan struct{}, workers), perUser: perUser, limit: limit,
		jobs: map[key]*job{}, waiting: map[string][]*job{}, running: map[string]int{}}
}

// push adds a job. When there is one for c's message already, it is told that the message
// has changed, and added is nil. A job that is refused, because too many of its
// author's wait, does not wait for them. place is how many of the user's are
// before it.
func (q *queue) push(c claim) (added *job, place int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	k, user := c.key, c.user
	if j := q.jobs[k]; j != nil {
		j.again = true
		if j.cancel != nil {
			j.cancel()
		}
		return nil, 0
	}
	j := &job{key: k, user: user, refused: len(q.waiting[user]) >= q.limit}
	if j.refused {
		j.user += " refused"
	}
	q.jobs[k] = j
	place = q.running[j.user] + len(q.waiting[j.user])
	q.enqueue(j)
	return j, place
}

// has reports whether there is a job for k.
func (q *queue) has(k key) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.jobs[k] != nil
}

func (q *queue) enqueue(j *job) {
	if len(q.waiting[j.user]) == 0 {
		q.turn = append(q.turn, j.user)
	}
	q.waiting[j.user] = append(q.waiting[j.user], j)
	q.signal()
}

func (q *queue) signal() {
	select {
	case q.ready <- struct{}{}:
	default:
	}
}

// place is how many of the user's jobs are before j, running ones included.
func (q *queue) place(j *job) int {
	q.mu.Lock()
	defer q.mu.Unlock()
	i := slices.Index(q.waiting[j.user], j)
	if i < 0 {
		return 0
	}
	return q.running[j.user] + i
}

// next waits for a job and returns it with a context that ends when its
// message changes, or nil when ctx ends.
func (q *queue) next(ctx context.Context) (*job, context.Context) {
	for {
		if j, jctx := q.take(ctx); j != nil {
			return j, jctx
		}
		select {
		case <-ctx.Done():
			return nil, nil
		case <-q.ready:
		}
	}
}

func (q *queue) take(ctx context.Context) (*job, context.Context) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for i, u := range q.turn {
		if q.running[u] >= q.perUser {
			continue
		}
		j := q.waiting[u][0]
		q.turn = slices.Delete(q.turn, i, i+1)
		if rest := q.waiting[u][1:]; len(rest) > 0 {
			q.waiting[u] = rest
			q.turn = append(q.turn, u)
		} else {
			delete(q.waiting, u)
		}
		q.running[u]++
		jctx, cancel := context.WithCancel(ctx)
		j.cancel = cancel
		j.again = false
		return j, jctx
	}
	return nil, nil
}

// done ends j's turn. A message that changed meanwhile is queued again.
func (q *queue) done(j *job) {
	q.mu.Lock()
	defer q.mu.Unlock()
	j.cancel()
	j.cancel = nil
	if q.running[j.user]--; q.running[j.user] == 0 {
		delete(q.running, j.user)
	}
	if j.again {
		j.posted, j.placed, j.marked, j.halted = false, false, false, false
		q.enqueue(j)
	} else {
		delete(q.jobs, j.key)
	}
	q.signal()
}

// interrupt ends the running work on k, if any.
func (q *queue) interrupt(k key) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if j := q.jobs[k]; j != nil {
		j.again = true
		if j.cancel != nil {
			j.cancel()
		}
	}
}

// stopped interrupts the work on k because its author wants it to end; once.
func (q *queue) stopped(k key) {
	q.mu.Lock()
	j := q.jobs[k]
	known := j == nil || j.halted || j.cancel == nil
	if j != nil {
		j.halted = true
	}
	q.mu.Unlock()
	if !known {
		q.interrupt(k)
	}
}
