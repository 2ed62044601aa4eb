package bot

import (
	"context"
	"slices"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// scope is where an answer may come from.
type scope struct {
	docs []string // empty: everywhere
	// groups are the documents of each place or title that the question
	// compares; fewer than two otherwise.
	groups [][]string
	named  bool   // a title or number names the documents
	hinted bool   // only a part of a title tells them
	place  string // a place named that no document covers
	year   int    // a year asked for that no document covers
}

// scope finds the documents that q means: by title, number, place and year.
func (b *Bot) scope(c *corpus, q *question) scope {
	var s scope
	docs := c.docs
	if named := c.byName(q); len(named) > 0 {
		s.named = true
		docs = nil
		for _, g := range named {
			docs = append(docs, g...)
			s.groups = append(s.groups, ids(g))
		}
	}
	if s.named && len(s.groups) == 1 && q.several() { // the other one by a part of its title
		for _, d := range b.hinted(c, q) {
			if !slices.Contains(docs, d) {
				docs = append(docs, d)
				s.groups = append(s.groups, []string{d.ID})
			}
		}
	}
	if !s.named {
		if hinted := b.hinted(c, q); len(hinted) > 0 {
			docs = hinted
			s.hinted = true
			if len(hinted) > 1 && len(hinted) < 4 && q.several() {
				for _, d := range hinted {
					s.groups = append(s.groups, []string{d.ID})
				}
			}
		}
	}
	docs = b.byPlace(c, q, docs, &s)
	q.relativeYear(docs)
	docs = byYear(c, q, docs, &s)
	if len(docs) < len(c.docs) {
		s.docs = ids(docs)
	}
	return s
}

// unhint gives up documents that only a part of their title or their place told
// where a sentence elsewhere says clearly more of the question than any of
// theirs: for a place, in a document that has none itself and speaks of it.
func (b *Bot) unhint(ctx context.Context, c *corpus, q *question, s scope) (scope, error) {
	if !s.hinted && (s.named || len(q.places) == 0) || len(s.groups) > 1 || len(s.docs) == 0 {
		return s, nil
	}
	within, err := b.gather(ctx, c, q, s.docs)
	if err != nil {
		return s, err
	}
	wide := scope{}
	docs := byYear(c, q, b.byPlace(c, q, c.docs, &wide), &wide)
	for _, d := range c.docs {
		if d.place == "" && !slices.Contains(docs, d) && slices.ContainsFunc(q.places, d.has) {
			docs = append(docs, d)
		}
	}
	if len(docs) < len(c.docs) {
		wide.docs = ids(docs)
	}
	all, err := b.gather(ctx, c, q, wide.docs)
	if err != nil || len(all) == 0 || len(within) > 0 && (slices.Contains(s.docs, all[0].doc.ID) ||
		q.share(all[0].fold) < q.share(within[0].fold)+unhintShare || all[0].dense < within[0].dense) {
		return s, err
	}
	return wide, nil
}

// unhintShare is how much more of the question's terms a sentence elsewhere has.
const unhintShare = .25

// relativeYear reads 去年 and 明年 against the year that the documents are about.
func (q *question) relativeYear(docs []*source) {
	base := 0
	for _, d := range docs {
		base = max(base, d.year)
	}
	undated := slices.ContainsFunc(docs, func(d *source) bool { return d.year == 0 })
	if base == 0 || len(q.years) > 0 || !q.forms["year_planned"] && (undated || q.forms["year_told"]) {
		return
	}
	for _, w := range relativeYears {
		if strings.Contains(q.core, w.word) {
			q.years = append(q.years, base+w.off)
			return
		}
	}
}

var relativeYears = []struct {
	word string
	off  int
}{{"前年", -2}, {"去年", -1}, {"上年度", -1}, {"上一年度", -1}, {"明年", 1}, {"下一年度", 1}, {"后年", 2}, {"last year", -1}, {"next year", 1}}

func ids(docs []*source) []string {
	out := make([]string, 0, len(docs))
	for _, d := range docs {
		if !slices.Contains(out, d.ID) {
			out = append(out, d.ID)
		}
	}
	return out
}

// byName finds the documents whose title or 文号 q says: one group for each
// name said.
func (c *corpus) byName(q *question) [][]*source {
	if m := numberRE.FindStringSubmatch(q.norm); m != nil {
		for _, d := range c.docs {
			if n := numberRE.FindStringSubmatch(d.number); n != nil && n[1] == m[1] && n[2] == m[2] {
				return [][]*source{{d}}
			}
		}
	}
	type match struct {
		d    *source
		text string
		size int
	}
	var found []match
	for _, d := range c.docs {
		if !d.covers(q.places) && !d.saidInFull(q) {
			continue
		}
		for _, t := range q.titles {
			if n := titleMatch(t, d); n > 0 {
				found = append(found, match{d, t, n + 100})
			}
		}
		if s := q.shortens(d); s != "" {
			found = append(found, match{d, s, len([]rune(s))})
		}
		for _, name := range d.names {
			if s := common(q.core, name); len([]rune(s)) >= 6 && len([]rune(s))*2 >= len([]rune(name)) {
				found = append(found, match{d, s, len([]rune(s))})
			}
		}
	}
	slices.SortStableFunc(found, func(a, b match) int { return b.size - a.size })
	var groups [][]*source
	taken := q.core
	for _, m := range found {
		if !strings.Contains(taken, m.text) { // said by a longer title already
			for i, g := range groups {
				if g[0] == m.d || g[0].title == m.d.title {
					groups[i] = append(groups[i], m.d)
				}
			}
			continue
		}
		same := []*source{m.d}
		for _, o := range found {
			if o.d != m.d && o.text == m.text && o.size == m.size && !slices.Contains(same, o.d) {
				same = append(same, o.d)
			}
		}
		taken = strings.ReplaceAll(taken, m.text, "\n")
		groups = append(groups, same)
	}
	return groups
}

// saidInFull reports that q gives a name of the document in full.
func (s *source) saidInFull(q *question) bool {
	return slices.ContainsFunc(s.names, func(n string) bool { return strings.Contains(q.core, n) })
}

// titleMatch says how well a name in 《》 fits a document: 0 not at all, else
// the runes that agree.
func titleMatch(name string, d *source) int {
	for _, t := range d.names {
		switch {
		case t == name:
			return 2 * len([]rune(name))
		case strings.Contains(t, name) && len([]rune(name)) >= 4, strings.Contains(name, t) && len([]rune(t)) >= 4:
			return min(len([]rune(name)), len([]rune(t)))
		}
	}
	return 0
}

// common is the longest string of at least four runes that a and b share.
func common(a, b string) string {
	x, y := []rune(a), []rune(b)
	best, end := 0, 0
	row := make([]int, len(y)+1)
	for i := range x {
		prev := 0
		for j := range y {
			old := row[j+1]
			if x[i] == y[j] && x[i] != ' ' {
				row[j+1] = prev + 1
				if row[j+1] > best {
					best, end = row[j+1], i+1
				}
			} else {
				row[j+1] = 0
			}
			prev = old
		}
	}
	if best < 4 {
		return ""
	}
	return string(x[end-best : end])
}

// byPlace keeps the documents of the places named. A place that no document is
// from, and none mentions, cannot be answered.
func (b *Bot) byPlace(c *corpus, q *question, docs []*source, s *scope) []*source {
	var kept, extra []*source
	var groups [][]string
	for _, p := range b.innermost(c, q.places) {
		var of []*source
		for _, d := range docs {
			if d.place == p || d.part == p {
				of = append(of, d)
			}
		}
		if len(of) == 0 { // the province's own rules cover its cities
			for _, d := range docs {
				if d.place != "" && d.place == b.lex.places[p] && b.lex.places[p] != p {
					of = append(of, d)
				}
			}
		}
		if len(of) == 0 && s.named && q.several() { // 国家的…法和山东省的条例
			for _, d := range c.docs {
				if d.place == p && slices.ContainsFunc(docs, func(o *source) bool { return len([]rune(common(o.title, d.title))) >= 6 }) {
					of = append(of, d)
				}
			}
			if len(of) > 0 {
				s.groups = append(s.groups, ids(of))
				extra = append(extra, of...)
				continue
			}
		}
		if len(of) == 0 {
			if !s.named && !c.contains(p, nil) {
				s.place = p
			}
			continue
		}
		kept = append(kept, of...)
		groups = append(groups, ids(of))
	}
	if len(kept) == 0 || len(extra) > 0 {
		return append(slices.Clone(docs), extra...)
	}
	if len(groups) > 1 || len(s.groups) < 2 {
		s.groups = groups
	}
	if s.named && len(groups) == 1 && len(kept) < len(docs) {
		s.groups = nil
	}
	return kept
}

// hinted finds the documents of whose title q says a part that no other title
// has and few other documents speak of: “无废城市” without 试点工作方案.
func (b *Bot) hinted(c *corpus, q *question) []*source {
	var out []*source
	for _, d := range c.docs {
		if !d.covers(q.places) {
			continue
		}
		for _, name := range d.names {
			if part := strings.Trim(common(q.core, name), `"的和与在`); hanCount(part) >= 4 && c.hints(d, part) {
				out = append(out, d)
				break
			}
		}
	}
	return out
}

func hanCount(s string) int {
	n := 0
	for _, r := range s {
		if zh.IsHan(r) {
			n++
		}
	}
	return n
}

// covers reports that the document is from one of the places, or that there is
// nothing to tell it by.
func (s *source) covers(places []string) bool {
	return len(places) == 0 || s.place == "" || slices.ContainsFunc(places, func(p string) bool { return p == s.place || p == s.part || p == s.up })
}

// hintMost is how many other documents may speak of what tells a document.
const hintMost = 2

func (c *corpus) hints(d *source, part string) bool {
	others := 0
	for _, o := range c.docs {
		if o == d {
			continue
		}
		if strings.Contains(o.title, part) {
			return false
		}
		if c.contains(part, []string{o.ID}) {
			others++
		}
	}
	return others <= hintMost
}

// several reports a question that asks for one answer from each of two things.
func (q *question) several() bool {
	return q.forms["compare"] || strings.Contains(q.core, "分别") || strings.Contains(q.core, "各") || strings.Contains(q.core, "都") || strings.Contains(q.core, "两")
}

// innermost leaves out a place that a document names together with a narrower
// one that is asked for too: 西安 beside 浐灞.
func (b *Bot) innermost(c *corpus, places []string) []string {
	return slices.DeleteFunc(slices.Clone(places), func(p string) bool {
		return slices.ContainsFunc(places, func(o string) bool {
			return o != p && slices.ContainsFunc(c.docs, func(d *source) bool { return d.place == o && strings.Contains(d.title, p) })
		})
	})
}

// byYear keeps the documents of the years named when there are several
// versions of one plan to choose from.
func byYear(c *corpus, q *question, docs []*source, s *scope) []*source {
	if len(q.years) == 0 {
		return docs
	}
	var kept []*source
	for _, d := range docs {
		if d.year != 0 && slices.Contains(q.years, d.year) {
			kept = append(kept, d)
		}
	}
	if len(kept) > 0 {
		return kept
	}
	for _, y := range q.years {
		if s.named && slices.ContainsFunc(docs, func(d *source) bool { return d.year == 0 }) {
			continue
		}
		if !c.contains(yearText(y), ids(docs)) && !slices.ContainsFunc(docs, func(d *source) bool { return d.Meta.Issued.Year() == y }) {
			s.year = y
		}
	}
	return docs
}

// clausesOf are all clauses of the documents, or of the corpus.
func (c *corpus) clausesOf(docs []string) []*rag.Clause {
	var out []*rag.Clause
	for _, d := range c.among(docs) {
		for i := range d.Clauses {
			out = append(out, &d.Clauses[i])
		}
	}
	return out
}
