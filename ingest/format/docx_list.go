package format

import (
	"strconv"
	"strings"
)

// numbering generates the list numbers of a Word document, which stand in no
// paragraph's text (ECMA-376 part 1, 17.9).
type numbering struct {
	abstract map[string]*abstractNum
	nums     map[string]*num
	styles   map[string]*style
	counters map[string]*[9]int // by abstract definition
	started  map[string]bool    // nums whose start overrides have been applied
}

type abstractNum struct {
	id     string
	levels [9]*level
	link   string // numStyleLink: the levels stand in that style's list
}

type num struct {
	abstract  string
	overrides map[int]*level
	starts    map[int]int
}

type level struct {
	start    int
	format   string
	text     string
	suffix   string
	restart  int  // level whose step restarts this one, from 1; 0 never; -1 any above
	arabic   bool // isLgl: all numbers in Arabic digits
	styleRef string
}

// style is what a paragraph style says about numbering and outline.
type style struct {
	name, basedOn string
	numID         string
	level         int
	hidden        bool
}

// parseNumbering reads numbering.xml.
func (n *numbering) parseNumbering(root *node) {
	for _, c := range root.kids {
		switch c.name {
		case "abstractNum":
			a := &abstractNum{id: c.attr("abstractNumId"), link: c.child("numStyleLink").attr("val")}
			for _, l := range c.kids {
				if i, err := strconv.Atoi(l.attr("ilvl")); l.name == "lvl" && err == nil && i >= 0 && i < 9 {
					a.levels[i] = parseLevel(l)
				}
			}
			n.abstract[a.id] = a
		case "num":
			m := &num{abstract: c.child("abstractNumId").attr("val"), overrides: map[int]*level{}, starts: map[int]int{}}
			for _, o := range c.kids {
				i, err := strconv.Atoi(o.attr("ilvl"))
				if o.name != "lvlOverride" || err != nil || i < 0 || i > 8 {
					continue
				}
				if l := o.child("lvl"); l != nil {
					m.overrides[i] = parseLevel(l)
				}
				if s := o.child("startOverride"); s != nil {
					m.starts[i] = atoi(s.attr("val"), 1)
				}
			}
			n.nums[c.attr("numId")] = m
		}
	}
}

func parseLevel(l *node) *level {
	v := &level{start: atoi(l.child("start").attr("val"), 0), format: l.child("numFmt").attr("val"), text: l.child("lvlText").attr("val"),
		suffix: l.child("suff").attr("val"), restart: -1, styleRef: l.child("pStyle").attr("val")}
	if l.child("start") == nil {
		v.start = 0
	}
	if r := l.child("lvlRestart"); r != nil {
		v.restart = atoi(r.attr("val"), 0)
	}
	if g := l.child("isLgl"); g != nil {
		v.arabic = on(g)
	}
	// Word writes its newer formats in an mc:AlternateContent around numFmt.
	if v.format == "" {
		v.format = "decimal"
		if f := l.find("numFmt"); f != nil {
			v.format = f.attr("val")
			if v.format == "custom" {
				v.format = "decimal"
			}
		}
	}
	return v
}

// parseStyles reads styles.xml.
func (n *numbering) parseStyles(root *node) {
	for _, c := range root.kids {
		if c.name != "style" {
			continue
		}
		p := c.child("pPr").child("numPr")
		n.styles[c.attr("styleId")] = &style{
			name: strings.ToLower(c.child("name").attr("val")), basedOn: c.child("basedOn").attr("val"),
			numID: p.child("numId").attr("val"), level: atoi(p.child("ilvl").attr("val"), -1),
			hidden: on(c.child("rPr").child("vanish")),
		}
	}
}

// lists of a paragraph: its own numPr, else that of its style.
func (n *numbering) listOf(pPr *node) (numID string, lvl int) {
	p := pPr.child("numPr")
	numID, lvl = p.child("numId").attr("val"), atoi(p.child("ilvl").attr("val"), -1)
	styleID := pPr.child("pStyle").attr("val")
	for id, depth := styleID, 0; numID == "" && depth < 20; depth++ {
		s := n.styles[id]
		if s == nil {
			return "", 0
		}
		if numID = s.numID; numID != "" && lvl < 0 {
			if lvl = s.level; lvl < 0 {
				lvl = n.levelOfStyle(numID, id)
			}
		}
		id = s.basedOn
	}
	return numID, min(max(lvl, 0), 8)
}

// levelOfStyle finds the level that names the style as its own.
func (n *numbering) levelOfStyle(numID, styleID string) int {
	if _, a := n.resolve(numID); a != nil {
		for i, l := range a.levels {
			if l != nil && l.styleRef == styleID {
				return i
			}
		}
	}
	return 0
}

// resolve follows a num to its definition, through a list style if need be.
func (n *numbering) resolve(numID string) (*num, *abstractNum) {
	m := n.nums[numID]
	for range 5 {
		if m == nil {
			return nil, nil
		}
		a := n.abstract[m.abstract]
		if a == nil || a.link == "" {
			return m, a
		}
		s := n.styles[a.link]
		if s == nil || s.numID == numID {
			return m, a
		}
		numID = s.numID
		m = n.nums[numID]
	}
	return nil, nil
}

func (m *num) level(a *abstractNum, i int) *level {
	if l := m.overrides[i]; l != nil {
		return l
	}
	return a.levels[i]
}

// next is the marker of the next paragraph of a list, "" when it has none.
func (n *numbering) next(numID string, lvl int) string {
	m, a := n.resolve(numID)
	if m == nil || a == nil {
		return ""
	}
	l := m.level(a, lvl)
	if l == nil {
		return ""
	}
	c := n.counters[a.id]
	if c == nil {
		c = new([9]int)
		for i := range c {
			c[i] = -1
		}
		n.counters[a.id] = c
	}
	if !n.started[numID] { // a list of its own over a shared definition
		n.started[numID] = true
		for i := range m.starts {
			c[i] = -1
		}
	}
	for i := 0; i < lvl; i++ { // a level above that has not begun shows its start
		if c[i] < 0 {
			c[i] = m.startOf(a, i)
		}
	}
	if c[lvl] < 0 {
		c[lvl] = m.startOf(a, lvl)
	} else {
		c[lvl]++
	}
	for i := lvl + 1; i < 9; i++ {
		if d := m.level(a, i); d == nil || d.restart < 0 || d.restart > lvl {
			c[i] = -1
		}
	}
	return spaced(l.marker(m, a, c), l.suffix)
}

func (m *num) startOf(a *abstractNum, i int) int {
	if s, ok := m.starts[i]; ok {
		return s
	}
	if l := m.level(a, i); l != nil {
		return l.start
	}
	return 1
}

// marker fills the places %1 to %9 of the level's text.
func (l *level) marker(m *num, a *abstractNum, c *[9]int) string {
	if l.format == "bullet" {
		return ""
	}
	var b strings.Builder
	for i := 0; i < len(l.text); i++ {
		if l.text[i] != '%' || i+1 == len(l.text) || l.text[i+1] < '1' || l.text[i+1] > '9' {
			b.WriteByte(l.text[i])
			continue
		}
		i++
		k := int(l.text[i] - '1')
		d := m.level(a, k)
		if d == nil {
			continue
		}
		kind := d.format
		if l.arabic {
			kind = "decimal"
		}
		b.WriteString(ordinal(kind, max(c[k], 0)))
	}
	return b.String()
}

func atoi(s string, otherwise int) int {
	if v, err := strconv.Atoi(s); err == nil {
		return v
	}
	return otherwise
}
