package bot

import (
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
func (c *corpus) view(q *question, now time.Time) *corpus {
	day := now
	if t, err := time.Parse(time.DateOnly, q.ask.AsOf); err == nil {
		day = t
	}
	alone := func(s *source) bool { // of a place asked about that has nothing in force
		return slices.Contains(q.places, s.place) && !slices.ContainsFunc(c.docs, func(o *source) bool { return o.place == s.place && q.mayRead(o) && o.inForce(day) })
	}
	docs := slices.DeleteFunc(slices.Clone(c.docs), func(s *source) bool {
		switch {
		case !q.mayRead(s):
			return true
		case !s.inForce(day):
			return !q.names(s) && !alone(s)
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

// names reports that q gives the title of the document, or a name in it.
func (q *question) names(s *source) bool {
	return s.saidInFull(q) || slices.ContainsFunc(q.titles, func(t string) bool { return titleMatch(t, s) > 0 })
}
