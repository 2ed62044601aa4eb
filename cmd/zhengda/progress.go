package main

import (
	"fmt"
	"strings"
	"time"
)

// bar shows on standard error how far a long task is: on a terminal as a bar
// with the remaining time, elsewhere as a line now and then. A task that ends
// within a second shows nothing.
type bar struct {
	a     *app
	key   string // of a message with what is done and what there is to do
	live  bool
	start time.Time
	last  time.Time
	drawn bool
}

func (a *app) bar(key string) *bar {
	_, live := terminal(a.err)
	now := time.Now()
	b := &bar{a: a, key: key, live: live, start: now, last: now}
	if !live {
		b.last = now.Add(9 * time.Second) // the first line after ten seconds
	}
	return b
}

// show draws the bar, unless it did so a moment ago.
func (b *bar) show(done, total int) { b.draw(done, total, 0, "") }

// draw draws the bar with a remaining time, which is estimated when it is 0,
// and a remark.
func (b *bar) draw(done, total int, left time.Duration, remark string) {
	pause := 200 * time.Millisecond
	if !b.live {
		pause = 10 * time.Second
	}
	now := time.Now()
	if now.Sub(b.start) < time.Second || now.Sub(b.last) < pause || total == 0 {
		return
	}
	b.last = now
	if left == 0 && done > 0 {
		left = now.Sub(b.start) * time.Duration(total-done) / time.Duration(done)
	}
	text := b.a.say(b.key, done, total)
	if left > 0 {
		text += " " + b.a.say("progress.left", left.Round(time.Second))
	}
	if remark != "" {
		text += " " + remark
	}
	if !b.live {
		fmt.Fprintln(b.a.err, text)
		return
	}
	b.drawn = true
	fmt.Fprintf(b.a.err, "\r\x1b[K%s %s", gauge(float64(done)/float64(total), 20), text)
}

// done removes the bar.
func (b *bar) done() {
	if b.drawn {
		fmt.Fprint(b.a.err, "\r\x1b[K")
	}
}

// gauge is a bar of width characters, filled to a share.
func gauge(share float64, width int) string {
	n := int(max(0, min(1, share)) * float64(width))
	return strings.Repeat("█", n) + strings.Repeat("░", width-n)
}
