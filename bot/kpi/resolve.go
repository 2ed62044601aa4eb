package kpi

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"zhengda/internal/zh"
)

// Catalog is a set of indicators that can be found by code, name and alias,
// and by what a sentence says. It does not change once made.
type Catalog struct {
	inds    []Indicator
	byCode  map[string][]int // years ascending
	terms   map[string][]int // folded name or alias → indicators
	longest int              // runes of the longest term
	list    []term
	grams   map[[2]rune][]int // bigram → terms that hold it
}

// term is one name of an indicator, folded.
type term struct {
	runes []rune
	ind   int
}

// Match is one indicator that a text speaks of.
type Match struct {
	Indicator Indicator
	Score     float64 // 1 for a whole name or alias, less for a part of one
	Start     int     // rune offsets of
	End       int     // the words in the text
}

// NewCatalog makes a catalog of inds.
func NewCatalog(inds []Indicator) *Catalog {
	c := &Catalog{inds: slices.Clone(inds), byCode: map[string][]int{}, terms: map[string][]int{}, grams: map[[2]rune][]int{}}
	slices.SortStableFunc(c.inds, func(a, b Indicator) int { return cmp.Compare(a.Year, b.Year) })
	for n, i := range c.inds {
		c.byCode[i.Code] = append(c.byCode[i.Code], n)
		seen := map[string]bool{}
		for _, name := range append([]string{i.Name, core(i.Name)}, i.Aliases...) {
			if name = fold(name); name != "" && !seen[name] {
				seen[name] = true
				c.add(name, n)
			}
		}
	}
	return c
}

func (c *Catalog) add(name string, n int) {
	c.terms[name] = append(c.terms[name], n)
	t := term{[]rune(name), n}
	c.longest = max(c.longest, len(t.runes))
	c.list = append(c.list, t)
	for i := 0; i+1 < len(t.runes); i++ {
		g := [2]rune{t.runes[i], t.runes[i+1]}
		if l := c.grams[g]; len(l) == 0 || l[len(l)-1] != len(c.list)-1 {
			c.grams[g] = append(l, len(c.list)-1)
		}
	}
}

// fold makes names comparable: width, case, quotation marks and white space
// do not matter.
func fold(s string) string {
	r, _ := foldMap(s)
	return string(r)
}

// foldMap is fold with a map back: the i-th rune comes from rune at[i] of s.
func foldMap(s string) (folded []rune, at []int) {
	all, pos := zh.FoldMap(s)
	for i, r := range all {
		if r != '"' && r != '\'' && !unicode.IsSpace(r) {
			folded, at = append(folded, r), append(at, pos[i])
		}
	}
	return folded, append(at, pos[len(all)])
}

// All are the indicators, by year and then as they were given.
func (c *Catalog) All() []Indicator { return c.inds }

// Code is the indicator of that code and year; year 0 means the latest year.
func (c *Catalog) Code(code string, year int) (Indicator, bool) {
	for _, n := range slices.Backward(c.byCode[code]) {
		if year == 0 || c.inds[n].Year == year {
			return c.inds[n], true
		}
	}
	return Indicator{}, false
}

// Resolve finds the indicators that text speaks of: whole names and aliases,
// the longest at each place, and parts of names where nothing whole stands.
// A name that two indicators share gives both; after the word of another
// level (省级) it is another thing's and gives none. One match per code, of its
// latest year; best score first, then by place, then by code.
func (c *Catalog) Resolve(text string) []Match {
	r, at := foldMap(text)
	used := make([]bool, len(r))
	best := map[string]Match{}
	keep := func(n int, score float64, a, b int) {
		i := c.inds[n]
		if old, ok := best[i.Code]; ok && (old.Score > score || old.Score == score && old.Indicator.Year >= i.Year) {
			return
		}
		best[i.Code] = Match{i, score, at[a], at[b-1] + 1}
	}
	for i := 0; i < len(r); i++ {
		n := c.longestAt(r, i)
		if n == 0 {
			continue
		}
		if _, other := ends("otherlevel", string(r[max(0, i-4):i])); !other {
			for _, k := range c.terms[string(r[i:i+n])] {
				keep(k, 1, i, i+n)
			}
		}
		for j := i; j < i+n; j++ {
			used[j] = true
		}
		i += n - 1
	}
	c.partial(r, used, keep)
	out := make([]Match, 0, len(best))
	for _, m := range best {
		out = append(out, m)
	}
	slices.SortFunc(out, func(a, b Match) int {
		return cmp.Or(cmp.Compare(b.Score, a.Score), a.Start-b.Start, strings.Compare(a.Indicator.Code, b.Indicator.Code))
	})
	return out
}

// longestAt is the length of the longest name at r[i:], 0 for none. A Latin
// name must stand as a word.
func (c *Catalog) longestAt(r []rune, i int) int {
	for n := min(c.longest, len(r)-i); n > 1; n-- {
		if _, ok := c.terms[string(r[i:i+n])]; ok && !(letter(r, i-1) && letter(r, i)) && !(letter(r, i+n-1) && letter(r, i+n)) {
			return n
		}
	}
	return 0
}

func letter(r []rune, i int) bool {
	return i >= 0 && i < len(r) && r[i] < 0x80 && (unicode.IsLetter(r[i]) || unicode.IsDigit(r[i]))
}

// Thresholds of a partial match, chosen on the questions of the question set:
// a run of minRun runes of the name, which hold at least minShare of what
// tells the name from the others.
const (
	minRun   = 3
	minShare = 0.45
)

// partial finds parts of names in the runes that no whole name uses. What a
// bigram weighs falls with the number of names that hold it.
func (c *Catalog) partial(r []rune, used []bool, keep func(n int, score float64, a, b int)) {
	hits := map[int]bool{}
	for i := 0; i+1 < len(r); i++ {
		if !used[i] && !used[i+1] {
			for _, t := range c.grams[[2]rune{r[i], r[i+1]}] {
				hits[t] = true
			}
		}
	}
	type part struct {
		term       int
		share      float64
		start, end int
	}
	var parts []part
	top := 0.0
	for t := range hits {
		start, end, share := c.run(c.list[t].runes, r, used)
		if end-start >= minRun && share >= minShare {
			parts = append(parts, part{t, share, start, end})
			top = max(top, share)
		}
	}
	for _, p := range parts {
		if p.share >= 0.85*top {
			keep(c.list[p.term].ind, 0.9*p.share, p.start, p.end)
		}
	}
}

// run is the longest stretch of name that stands in r, and its share of the
// name's weight.
func (c *Catalog) run(name, r []rune, used []bool) (start, end int, share float64) {
	total := 0.0
	weight := func(i int) float64 { return 1 / float64(len(c.grams[[2]rune{name[i], name[i+1]}])) }
	for i := 0; i+1 < len(name); i++ {
		total += weight(i)
	}
	for i := range name {
		for j := range r {
			n, w := 0, 0.0
			for i+n < len(name) && j+n < len(r) && !used[j+n] && name[i+n] == r[j+n] {
				if n > 0 {
					w += weight(i + n - 1)
				}
				n++
			}
			if n > end-start || n == end-start && w/total > share {
				start, end, share = j, j+n, w/total
			}
		}
	}
	return start, end, share
}
