package ingest

import (
	"slices"
	"strings"

	"zhengda/rag"
)

// Class says in what respect a clause changed.
type Class string

// The classes of a Change, gravest first.
const (
	NumberChanged   Class = "number"   // an amount, a rate, a comparator
	DeadlineChanged Class = "deadline" // a date or a period
	ScopeChanged    Class = "scope"    // who or what it applies to, how strictly
	WordingChanged  Class = "wording"
	Moved           Class = "moved" // another number or heading
	New             Class = "new"
	Gone            Class = "gone"
)

// Change is one clause that differs between two versions.
type Change struct {
	Classes []Class `json:"classes"` // at least one
	// Label and the rest are of the new version, of the old one when it is gone.
	Label    string   `json:"label"`
	Number   int      `json:"number"`
	Title    string   `json:"title,omitempty"`
	Path     []string `json:"path,omitempty"`
	OldLabel string   `json:"old_label,omitempty"` // when it was another
	Before   string   `json:"before,omitempty"`
	After    string   `json:"after,omitempty"`
	// Words marks what changed: the texts of = and - make Before, those of =
	// and + make After. Nil when the text is the same.
	Words []Edit `json:"words,omitempty"`
}

// Edit is a stretch of text that stayed (=), went (-) or came (+).
type Edit struct {
	Op   string `json:"op"`
	Text string `json:"text"`
}

// Is reports whether c is of class k.
func (c *Change) Is(k Class) bool { return slices.Contains(c.Classes, k) }

// Likeness, 0 to 1, above which two clauses are versions of one: low where
// they bear the same label, high where they do not.
const (
	sameLabelLikeness  = 0.25
	otherLabelLikeness = 0.6
)

// Compare lists the clauses that differ between two versions of a document:
// those of the new version in its order, then those that are gone. Either may
// be nil.
func Compare(a, b *rag.Document) []Change {
	var olds, news []rag.Clause
	if a != nil {
		olds = a.Clauses
	}
	if b != nil {
		news = b.Clauses
	}
	match := pair(olds, news)
	var out []Change
	used := make([]bool, len(olds))
	for j := range news {
		i := match[j]
		if i < 0 {
			c := changeOf(&news[j], New)
			c.After = news[j].Text
			out = append(out, c)
			continue
		}
		used[i] = true
		if c, ok := changed(&olds[i], &news[j]); ok {
			out = append(out, c)
		}
	}
	for i := range olds {
		if !used[i] {
			c := changeOf(&olds[i], Gone)
			c.Before = olds[i].Text
			out = append(out, c)
		}
	}
	return out
}

func changeOf(c *rag.Clause, classes ...Class) Change {
	return Change{Classes: classes, Label: c.Label, Number: c.Number, Title: c.Title, Path: c.Path}
}

func changed(a, b *rag.Clause) (Change, bool) {
	moved := a.Label != b.Label || !slices.Equal(a.Path, b.Path)
	if a.Text == b.Text && !moved {
		return Change{}, false
	}
	c := changeOf(b)
	if a.Text != b.Text {
		c.Before, c.After = a.Text, b.Text
		c.Words = markWords(a.Text, b.Text)
		c.Classes = classify(a.Text, b.Text, c.Words)
	}
	if moved {
		c.Classes = append(c.Classes, Moved)
		if a.Label != b.Label {
			c.OldLabel = a.Label
		}
	}
	return c, true
}

// pair finds for each new clause the old one it is a version of, or -1: the
// same text under the same label, the same text anywhere, a like text under
// the same label, a very like one anywhere.
func pair(olds, news []rag.Clause) []int {
	m := &matching{olds: olds, news: news, of: make([]int, len(news)), used: make([]bool, len(olds))}
	for j := range m.of {
		m.of[j] = -1
	}
	key := func(c *rag.Clause) string { _, k, _ := strings.Cut(c.ID, "#"); return k }
	m.exact(func(c *rag.Clause) string { return key(c) + "\x1e" + c.Text })
	m.exact(func(c *rag.Clause) string { return c.Text })
	m.alike(sameLabelLikeness, func(a, b *rag.Clause) bool { return key(a) == key(b) })
	m.alike(otherLabelLikeness, func(a, b *rag.Clause) bool { return true })
	return m.of
}

type matching struct {
	olds, news []rag.Clause
	of         []int
	used       []bool
	grams      map[*rag.Clause]map[[2]rune]int
}

func (m *matching) set(j, i int) { m.of[j], m.used[i] = i, true }

// exact pairs clauses of one key in their order.
func (m *matching) exact(key func(*rag.Clause) string) {
	at := map[string][]int{}
	for i := range m.olds {
		if !m.used[i] {
			k := key(&m.olds[i])
			at[k] = append(at[k], i)
		}
	}
	for j := range m.news {
		if m.of[j] >= 0 {
			continue
		}
		k := key(&m.news[j])
		if list := at[k]; len(list) > 0 {
			m.set(j, list[0])
			at[k] = list[1:]
		}
	}
}

// maxAlike bounds the pairs that are compared: beyond it only labels count.
const maxAlike = 250_000

// alike pairs the clauses left over, each with the most like of those that
// may match.
func (m *matching) alike(least float64, may func(a, b *rag.Clause) bool) {
	var is, js []int
	for i, u := range m.used {
		if !u {
			is = append(is, i)
		}
	}
	for j, i := range m.of {
		if i < 0 {
			js = append(js, j)
		}
	}
	type candidate struct {
		i, j  int
		score float64
	}
	var cs []candidate
	anywhere := len(is)*len(js) <= maxAlike
	for _, j := range js {
		for _, i := range is {
			if (anywhere || m.olds[i].Label == m.news[j].Label) && may(&m.olds[i], &m.news[j]) {
				if s := m.likeness(&m.olds[i], &m.news[j]); s >= least {
					cs = append(cs, candidate{i, j, s})
				}
			}
		}
	}
	slices.SortStableFunc(cs, func(x, y candidate) int {
		switch {
		case x.score > y.score:
			return -1
		case x.score < y.score:
			return 1
		}
		return 0
	})
	for _, c := range cs {
		if !m.used[c.i] && m.of[c.j] < 0 {
			m.set(c.j, c.i)
		}
	}
}

// likeness is the Dice coefficient of the clauses' character pairs: 1 for
// equal texts, 0 for texts that share none.
func (m *matching) likeness(a, b *rag.Clause) float64 {
	x, y := m.bigrams(a), m.bigrams(b)
	total, common := 0, 0
	for g, n := range x {
		total += n
		common += min(n, y[g])
	}
	for _, n := range y {
		total += n
	}
	if total == 0 {
		return 0
	}
	return 2 * float64(common) / float64(total)
}

func (m *matching) bigrams(c *rag.Clause) map[[2]rune]int {
	if g, ok := m.grams[c]; ok {
		return g
	}
	g := map[[2]rune]int{}
	last := rune(0)
	for _, r := range c.Text {
		g[[2]rune{last, r}]++
		last = r
	}
	if m.grams == nil {
		m.grams = map[*rag.Clause]map[[2]rune]int{}
	}
	m.grams[c] = g
	return g
}
