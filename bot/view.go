package bot

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
)

// view is the corpus as this question may see it: of the documents that it is
// restricted to, if it is, without those for staff
// where the persona is not, without what is not in force on the day asked
// about unless the question names it or a place that has nothing else, and of
// a series of yearly plans the latest unless it names a year.
func (c *corpus) view(q *question, day time.Time) *corpus {
	alone := func(s *source) bool { // of a place asked about that has nothing in force
		return slices.Contains(q.places, s.place) && !slices.ContainsFunc(c.docs, func(o *source) bool { return o.place == s.place && q.mayRead(o) && o.inForce(day) })
	}
	docs := slices.DeleteFunc(slices.Clone(c.docs), func(s *source) bool {
		switch {
		case !q.mayRead(s):
			return true
		case !s.inForce(day):
			return !q.names(s) && !(s.repealed(day) && alone(s))
		}
		return len(q.years) == 0 && !q.names(s) && slices.ContainsFunc(c.docs, func(o *source) bool { return o.inForce(day) && o.follows(s) })
	})
	if len(docs) == len(c.docs) {
		return c
	}
	v := *c
	v.docs, v.partial = docs, true
	return &v
}

// day is the day that q is asked about.
func (q *question) day(now time.Time) time.Time {
	if t, err := time.Parse(time.DateOnly, q.ask.AsOf); err == nil {
		return t
	}
	return now
}

// revive adds to the view c of whole the document that is no longer in force and
// says clearly more of the question than anything that is: its quotes are told
// with its end.
func (b *Bot) revive(ctx context.Context, whole, c *corpus, q *question, day time.Time) (*corpus, error) {
	var past []*source
	for _, s := range whole.docs {
		if s.repealed(day) && q.mayRead(s) && !slices.Contains(c.docs, s) {
			past = append(past, s)
		}
	}
	if len(past) == 0 || len(q.refs) > 0 {
		return c, nil
	}
	then, err := b.gather(ctx, whole, q, ids(past))
	if err != nil || len(then) == 0 || q.share(then[0].fold) < unhintShare {
		return c, err
	}
	now, err := b.gather(ctx, c, q, ids(c.docs))
	if err != nil || len(now) > 0 && (q.share(then[0].fold) < q.share(now[0].fold)+unhintShare || then[0].dense < now[0].dense) {
		return c, err
	}
	v := *c
	v.docs, v.partial = append(slices.Clone(c.docs), then[0].doc), true
	return &v, nil
}

// mayRead reports that q may be answered from the document.
func (q *question) mayRead(s *source) bool {
	return (q.ask.Documents == nil || slices.Contains(q.ask.Documents, s.ID)) && (s.Meta.Audience != "staff" || q.ask.Persona.Internal())
}

// inForce reports that the document has effect on that day, as far as its
// dates are known.
func (s *source) inForce(day time.Time) bool {
	return (s.Meta.Effective.IsZero() || !s.Meta.Effective.After(day)) && !s.repealed(day)
}

func (s *source) repealed(day time.Time) bool {
	return !s.Meta.Repealed.IsZero() && !s.Meta.Repealed.After(day)
}

// follows reports that s is a later year's plan of the series of o: of the
// same place, with the same kind of title.
func (s *source) follows(o *source) bool {
	return s.year > o.year && o.year > 0 && s.place == o.place && s.place != "" && series(s.title) == series(o.title)
}

// series is the end of a title, which names the kind of document: 工作要点.
func series(title string) string {
	r := []rune(strings.TrimRightFunc(title, func(r rune) bool { return !unicode.Is(unicode.Han, r) }))
	return string(r[max(0, len(r)-4):])
}

// names reports that q gives the title of the document, or a name in it, in full
// or with words left out.
func (q *question) names(s *source) bool {
	return s.saidInFull(q) || slices.ContainsFunc(q.titles, func(t string) bool { return titleMatch(t, s) > 0 }) || q.shortens(s) != ""
}

// shortens is how q calls the document with words of its title left out: 支持创业的
// 实施办法 for 关于深化支持青年创业的若干实施办法; "" where it does not.
func (q *question) shortens(s *source) string {
	title := strings.ReplaceAll(s.title, "的", "")
	for _, called := range q.called {
		best := ""
		for i := len(called) - shortTitleLeast; i >= 0; i-- { // the end first: where that is not in it, more is not
			name := strings.ReplaceAll(string(called[i:]), "的", "")
			if !abbreviates(name, title) {
				break
			}
			if hanCount(name) >= shortTitleLeast {
				best = string(called[i:])
			}
		}
		if best != "" {
			return best
		}
	}
	return ""
}

// kindRE finds words that end with a kind of document.
var kindRE = regexp.MustCompile(`[\p{Han}\d]{4,40}?(办法|措施|方案|规定|条例|意见|政策|细则|计划|要点|通知|公告|清单|规范|规程|准则|指南)`)

const (
	shortTitleLeast = 8 // characters of a title that is said with words left out
	calledMost      = 8 // such titles in one question
)
