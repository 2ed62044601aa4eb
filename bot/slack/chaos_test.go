package slack

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"zhengda/bot"
	"zhengda/internal/db"
)

// Variables of the chaos test: the address and the database of a replica, and
// how many events a run has. A full run is
//
//	ZHENGDA_SLACK_CHAOS=100000 go test -run Chaos -v -timeout 60m ./bot/slack
const (
	replicaEnv = "ZHENGDA_SLACK_REPLICA"
	chaosEnv   = "ZHENGDA_SLACK_CHAOS"
)

// TestReplica is a replica of the bot in a process of its own, for TestChaos
// to kill. It answers every question with the question, some slowly, some not.
func TestReplica(t *testing.T) {
	at, path, ok := strings.Cut(os.Getenv(replicaEnv), "|")
	if !ok {
		t.Skip("is started by TestChaos")
	}
	d, err := db.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(Config{BotToken: "xoxb-1", AppToken: "xapp-1", APIURL: at, DB: d, Workers: 16, StageAfter: 200 * time.Millisecond, Lease: 5 * time.Second, Renew: 4 * time.Second, Queue: 1000,
		Ask: func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
			i, _ := strconv.Atoi(strings.Fields(q.Question)[1])
			switch {
			case i%211 == 0:
				return bot.Answer{}, errors.New("no answer")
			case i%97 == 0:
				time.Sleep(400 * time.Millisecond)
			}
			return bot.Answer{Question: q.Question, Status: bot.Answered, Text: "答:" + q.Question + "[1]", Citations: []bot.Citation{{N: 1, Document: "文件", Label: "第1条", Quote: "引文"}}}, nil
		}})
	if err != nil {
		t.Fatal(err)
	}
	a.Run(context.Background())
}

// replica is a process that is killed and started again.
type replica struct {
	cmd *exec.Cmd
	out bytes.Buffer
}

func startReplica(t *testing.T, f *fake, path string) *replica {
	t.Helper()
	r := &replica{cmd: exec.Command(os.Args[0], "-test.run=^TestReplica$")}
	r.cmd.Env = append(os.Environ(), replicaEnv+"="+f.GetAPIURL()+"|"+path)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.out
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return r
}

// kill ends the process as a crash does: it has no say in it.
func (r *replica) kill(t *testing.T) {
	_ = r.cmd.Process.Kill()
	_ = r.cmd.Wait()
	if s := r.out.String(); strings.Contains(s, "panic") || strings.Contains(s, "DATA RACE") {
		t.Errorf("a replica: %s", s)
	}
}

// wish is one message and what must become of it.
type wish struct {
	channel, ts string
	want        string // words of the answer; empty: no answer may stand
}

// story makes the events of n messages or so, and what is wished of each.
func story(n int) (events []map[string]any, wishes []wish) {
	rnd := rand.New(rand.NewPCG(1, 2))
	var roots []wish
	for i := 0; len(events) < n; i++ {
		channel, user := fmt.Sprintf("C%d", rnd.IntN(400)), fmt.Sprintf("U%d", rnd.IntN(4000))
		ts := fmt.Sprintf("17%08d.%06d", i, rnd.IntN(1_000_000))
		text := fmt.Sprintf("问题 %d 甲?", i)
		w := wish{channel, ts, fmt.Sprintf("问题 %d 甲", i)}
		called := "<@" + fakeBot + "> " + text
		add := func(es ...map[string]any) { events = append(events, es...) }
		switch kind := rnd.IntN(100); {
		case kind < 10:
			w.channel = fmt.Sprintf("D%d", rnd.IntN(4000))
			add(said(w.channel, ts, "", user, text))
		case kind < 25 && len(roots) > 50: // on in a thread, without a mention
			root := roots[len(roots)-1-rnd.IntN(50)]
			w.channel = root.channel
			add(said(w.channel, ts, root.ts, user, text))
		case kind < 32:
			again := "<@" + fakeBot + "> " + strings.Replace(text, "甲", "乙", 1)
			w.want = fmt.Sprintf("问题 %d 乙", i)
			add(mention(channel, ts, "", user, text), said(channel, ts, "", user, called), edited(channel, ts, "", user, again, ts+"1"))
		case kind < 37:
			w.want = ""
			add(mention(channel, ts, "", user, text), said(channel, ts, "", user, called), deleted(channel, ts, user))
		case kind < 45: // talk that is not the bot's business
			w.want = ""
			add(said(channel, ts, "", user, text))
		default:
			roots = append(roots, w)
			add(mention(channel, ts, "", user, text), said(channel, ts, "", user, called))
		}
		if w.want != "" && i%211 == 0 {
			w.want = "暂时无法回答"
		}
		wishes = append(wishes, w)
	}
	return events, wishes
}

// shuffled are the events with a third of them twice, out of order.
func shuffled(events []map[string]any) []map[string]any {
	type placed struct {
		at float64
		e  map[string]any
	}
	var ps []placed
	for i, e := range events {
		ps = append(ps, placed{float64(i) + rand.Float64()*100, e})
		for rand.IntN(3) == 0 {
			ps = append(ps, placed{float64(i) + rand.Float64()*1000, e})
		}
	}
	slices.SortStableFunc(ps, func(a, b placed) int { return int(1e6 * (a.at - b.at)) })
	out := make([]map[string]any, len(ps))
	for i, p := range ps {
		out[i] = p.e
	}
	return out
}

// TestChaos delivers events twice, out of order and late, over sockets that
// are dropped, to two replicas on one database that are killed and started
// again, while Slack refuses, fails, and hangs up after having done what it
// was asked. Every message that was acknowledged must have one answer.
func TestChaos(t *testing.T) {
	n := 2500
	if s := os.Getenv(chaosEnv); s != "" {
		n, _ = strconv.Atoi(s)
	} else if testing.Short() {
		t.Skip("short")
	}
	f := newFake(t)
	f.lean = true
	var trouble atomic.Int64
	f.refuse = func(method string, v url.Values) string {
		if method == "auth.test" || method == "apps.connections.open" {
			return ""
		}
		x := rand.IntN(1000)
		if x < 6 {
			trouble.Add(1)
			return []string{"429", "500", "hang up"}[x/2]
		}
		return ""
	}
	path := filepath.Join(t.TempDir(), "x.db")
	replicas := []*replica{startReplica(t, f, path), startReplica(t, f, path)}
	eventually(t, "sockets", func() bool { f.mu.Lock(); defer f.mu.Unlock(); return len(f.conns) == 2 })

	events, wishes := story(n)
	deliveries := shuffled(events)
	begin := time.Now()
	var kills, drops int
	blow, over := make(chan struct{}, 1), make(chan struct{})
	go func() { // the storm
		defer close(over)
		i := 0
		for range blow {
			if i = (i + 1) % 3; i < 2 {
				replicas[i].kill(t)
				replicas[i] = startReplica(t, f, path)
				kills++
				continue
			}
			f.mu.Lock()
			conns := slices.Clone(f.conns)
			f.mu.Unlock()
			for _, c := range conns {
				f.drop(c)
			}
			drops++
		}
	}()

	var mu sync.Mutex
	var acks []time.Duration
	var redelivered atomic.Int64
	jobs := make(chan map[string]any)
	var wg sync.WaitGroup
	for range 24 {
		wg.Go(func() {
			for e := range jobs {
				for {
					at := time.Now()
					ack := f.deliver(rand.IntN(8), "events_api", callback(e))
					if ack == nil {
						time.Sleep(20 * time.Millisecond)
						continue
					}
					select {
					case <-ack:
						mu.Lock()
						acks = append(acks, time.Since(at))
						mu.Unlock()
					case <-time.After(3 * time.Second): // Slack's own patience
						redelivered.Add(1)
						continue
					}
					break
				}
			}
		})
	}
	d, err := db.OpenReadOnly(path)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	// drain waits until no more than n messages are unanswered, while their
	// number falls.
	drain := func(n int) (left int) {
		least, since := 1<<30, time.Now()
		for time.Since(since) < patience {
			if err := d.QueryRow(`SELECT count(*) FROM slack_inbox WHERE state='pending'`).Scan(&left); err != nil {
				t.Fatal(err)
			}
			if left <= n {
				break
			}
			if left < least {
				least, since = left, time.Now()
			}
			time.Sleep(100 * time.Millisecond)
		}
		return left
	}
	next := 0
	for i, e := range deliveries {
		if i%200 == 199 {
			drain(400) // a workspace asks no faster for long than it is answered
		}
		if i == next { // by deliveries, not by time: a slow machine has to get on too
			next += 150 + rand.IntN(300)
			select {
			case blow <- struct{}{}:
			default:
			}
		}
		jobs <- e
	}
	close(jobs)
	wg.Wait()
	close(blow)
	<-over
	if left := drain(0); left > 0 {
		t.Errorf("%d messages stay unanswered", left)
	}
	for _, r := range replicas {
		r.kill(t)
	}

	live := map[string][]*fakeMessage{}
	for _, m := range f.messages {
		if q := m.channel + " " + questionOf(m.meta); !m.deleted {
			live[q] = append(live[q], m)
		}
	}
	var double, lost, wrong, extra, mute int
	for _, w := range wishes {
		got := live[w.channel+" "+w.ts]
		react := f.reactions[w.channel+" "+w.ts]
		switch {
		case w.want == "" && len(got) > 0:
			extra++
		case w.want == "":
		case len(got) == 0:
			lost++
		case len(got) > 1:
			double++
		case !strings.Contains(got[0].text, w.want):
			wrong++
			if wrong < 5 {
				t.Logf("want %q, stands %q", w.want, got[0].text)
			}
		case !react[reactDone] && !react[reactFailed]:
			mute++
		}
	}
	if double+lost+wrong+extra+mute > 0 {
		t.Errorf("%d double answers, %d lost, %d wrong, %d where none was wanted, %d without a result mark", double, lost, wrong, extra, mute)
	}
	var edits int
	for channel, at := range f.edits {
		edits += len(at)
		if most := 1 + int(time.Since(begin)/time.Second); len(at) > most {
			t.Errorf("%d edits in %s in %v", len(at), channel, time.Since(begin))
		}
	}
	if len(f.bad) > 0 {
		t.Errorf("beyond the limits: %v", f.bad[:min(len(f.bad), 5)])
	}
	slices.Sort(acks)
	at := func(q float64) time.Duration { return acks[int(q*float64(len(acks)-1))].Round(100 * time.Microsecond) }
	t.Logf("%d events of %d messages in %d deliveries (+%d again for want of an acknowledgement) in %v; %d kills, %d drops, %d troubles of Slack; %d answers, %d edits",
		len(events), len(wishes), len(deliveries), redelivered.Load(), time.Since(begin).Round(time.Second), kills, drops, trouble.Load(), len(live), edits)
	t.Logf("%d double, %d lost, %d wrong, %d unwanted; acknowledged after p50 %v, p99 %v, max %v", double, lost, wrong, extra, at(.5), at(.99), at(1))
}

// TestAcknowledgement: events are acknowledged before they are worked on, and
// while the first of them are. In a full run it also measures how soon.
func TestAcknowledgement(t *testing.T) {
	n, measure := 500, os.Getenv(chaosEnv) != ""
	if measure {
		n = 20000
	}
	r := newRig(t, func(c *Config) { c.Workers = 8 })
	r.lean = true
	acknowledged := make(chan struct{})
	r.asker.answer = func(ctx context.Context, q bot.Ask) (bot.Answer, error) {
		if !measure {
			<-acknowledged
		}
		return sample(q), nil
	}
	eventually(t, "a socket", func() bool { r.mu.Lock(); defer r.mu.Unlock(); return len(r.conns) > 0 })
	var mu sync.Mutex
	var acks []time.Duration
	jobs := make(chan int)
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := range jobs {
				at := time.Now()
				<-r.deliver(0, "events_api", callback(mention(fmt.Sprint("C", i%50), fmt.Sprintf("17%08d.000001", i), "", fmt.Sprint("U", i%500), "甲?")))
				mu.Lock()
				acks = append(acks, time.Since(at))
				mu.Unlock()
			}
		})
	}
	begin := time.Now()
	for i := range n {
		jobs <- i
		if measure {
			time.Sleep(2 * time.Millisecond)
		}
	}
	close(jobs)
	wg.Wait()
	close(acknowledged)
	slices.Sort(acks)
	t.Logf("%d acknowledgements, %.0f a second: p50 %v, p99 %v, max %v", n, float64(n)/time.Since(begin).Seconds(), acks[n/2], acks[n*99/100], acks[n-1])
}
