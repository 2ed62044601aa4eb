package format

import (
	"fmt"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// readHTML keeps the text of a page without its navigation.
func readHTML(s string) (Text, error) {
	doc, err := html.ParseWithOptions(strings.NewReader(s), html.ParseOptionEnableScripting(false))
	if err != nil {
		return Text{}, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	h := &page{stats: map[*html.Node]stat{}}
	h.total = h.measure(doc).runes
	h.meta(doc)
	h.walk(doc)
	h.t.Body = h.out.String()
	if h.t.Title != "" && !strings.Contains(squeeze(h.t.Body), squeeze(h.t.Title)) {
		h.t.Title = trimSite(h.t.Title)
	}
	if h.password && visible(h.t.Body) < errorPageRunes {
		return Text{}, fmt.Errorf("%w(登录框)", ErrErrorPage)
	}
	return h.t, nil
}

// page collects the text of one page.
type page struct {
	t        Text
	out      lines
	stats    map[*html.Node]stat
	total    int // visible runes of the whole page
	password bool
	lists    []*list
	pre      int
}

// list numbers the items of an ol as a browser shows them.
type list struct {
	ordered bool
	kind    string // numbering format, as in numbering.go
	suffix  string
	next    int
}

// stat is what an element holds, its descendants included.
type stat struct {
	runes, links, linked int // visible runes, links, visible runes in links
	h1                   bool
}

// measure fills h.stats for n and all below it.
func (h *page) measure(n *html.Node) (s stat) {
	if n.Type == html.TextNode {
		s.runes = visible(n.Data)
	}
	if n.DataAtom == atom.Script || n.DataAtom == atom.Style {
		return s
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		b := h.measure(c)
		s.runes, s.links, s.linked, s.h1 = s.runes+b.runes, s.links+b.links, s.linked+b.linked, s.h1 || b.h1
	}
	s.h1 = s.h1 || n.DataAtom == atom.H1
	if n.DataAtom == atom.A && attr(n, "href") != "" {
		s.links, s.linked = s.links+1, s.runes
	}
	if n.Type == html.ElementNode {
		h.stats[n] = s
	}
	return s
}

// meta reads what the head says, and the names that government sites use.
func (h *page) meta(n *html.Node) {
	for c := range n.Descendants() {
		switch c.DataAtom {
		case atom.Title:
			if h.t.Title == "" {
				h.t.Title = strings.Join(strings.Fields(textOf(c)), " ")
			}
		case atom.Meta:
			v := strings.TrimSpace(attr(c, "content"))
			switch strings.ToLower(attr(c, "name")) {
			case "articletitle":
				if v != "" {
					h.t.Title = v
				}
			case "pubdate", "publishdate", "publish_date":
				h.t.Published = v
			case "contentsource", "source":
				h.t.Issuer = v
			case "url":
				h.t.URL = v
			}
		case atom.Link:
			if attr(c, "rel") == "canonical" {
				h.t.URL = attr(c, "href")
			}
		case atom.Input:
			h.password = h.password || strings.EqualFold(attr(c, "type"), "password")
		}
	}
}

func (h *page) walk(n *html.Node) {
	switch n.Type {
	case html.TextNode:
		h.text(n.Data)
		return
	case html.ElementNode:
		if silent[n.DataAtom] || h.drop(n) {
			return
		}
	case html.CommentNode, html.DoctypeNode:
		return
	}
	switch n.DataAtom {
	case atom.Br:
		h.out.newline()
	case atom.Table:
		if h.table(n) {
			return
		}
		h.block(n)
	case atom.Ul, atom.Ol:
		h.lists = append(h.lists, listOf(n))
		h.block(n)
		h.lists = h.lists[:len(h.lists)-1]
	case atom.Li:
		h.out.newline()
		if len(h.lists) > 0 {
			h.out.add(h.lists[len(h.lists)-1].marker(n))
		}
		h.children(n)
		h.out.newline()
	case atom.Pre, atom.Textarea:
		h.pre++
		h.block(n)
		h.pre--
	case atom.Td, atom.Th: // of a table that only arranges the page
		h.block(n)
	case atom.Rt, atom.Rp:
	default:
		if blocks[n.DataAtom] {
			h.block(n)
		} else {
			h.children(n)
		}
	}
}

func (h *page) block(n *html.Node) {
	h.out.newline()
	h.children(n)
	h.out.newline()
}

func (h *page) children(n *html.Node) {
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		h.walk(c)
	}
}

func (h *page) text(s string) {
	if h.pre > 0 {
		for i, line := range strings.Split(s, "\n") {
			if i > 0 {
				h.out.newline()
			}
			h.out.add(line)
		}
		return
	}
	h.out.flow(s)
}

// drop reports whether n is no text of the document, and records its text.
func (h *page) drop(n *html.Node) bool {
	why := h.chrome(n)
	if why {
		if s := strings.Join(strings.Fields(textOf(n)), " "); s != "" {
			h.t.Dropped = append(h.t.Dropped, s)
		}
	}
	return why
}

func (h *page) chrome(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Html, atom.Body, atom.Main, atom.Article, atom.H1, atom.P, atom.Td, atom.Tr, atom.Tbody:
		return isHidden(n)
	case atom.Nav, atom.Footer, atom.Aside, atom.Button, atom.Select, atom.Form, atom.Header:
		return h.small(n) && !h.stats[n].h1
	}
	if isHidden(n) {
		return true
	}
	switch attr(n, "role") {
	case "navigation", "banner", "contentinfo", "search", "complementary":
		return h.small(n)
	}
	if named(n) && h.small(n) && !h.stats[n].h1 {
		return true
	}
	return h.linkList(n)
}

// small reports whether n holds less than a third of the page's text.
func (h *page) small(n *html.Node) bool { return h.stats[n].runes*3 < h.total }

// linkList reports whether n is a list of links: three or more that make up
// most of its text.
func (h *page) linkList(n *html.Node) bool {
	switch n.DataAtom {
	case atom.Ul, atom.Ol, atom.Div, atom.Dl, atom.Table, atom.Section:
	default:
		return false
	}
	s := h.stats[n]
	return s.links >= 3 && s.linked*10 >= s.runes*7 && h.small(n)
}

func isHidden(n *html.Node) bool {
	style := strings.ReplaceAll(strings.ToLower(attr(n, "style")), " ", "")
	_, hidden := find(n, "hidden")
	return hidden || attr(n, "aria-hidden") == "true" && n.DataAtom != atom.Body ||
		strings.Contains(style, "display:none") || strings.Contains(style, "visibility:hidden")
}

// named reports whether the class or id of n is that of page chrome.
func named(n *html.Node) bool {
	for _, w := range strings.FieldsFunc(strings.ToLower(attr(n, "class")+" "+attr(n, "id")), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	}) {
		if chromeWords[strings.TrimRight(w, "0123456789")] {
			return true
		}
	}
	return false
}

// silent elements have no text; blocks begin and end a line.
var silent = map[atom.Atom]bool{
	atom.Script: true, atom.Style: true, atom.Template: true, atom.Iframe: true, atom.Svg: true, atom.Object: true,
	atom.Head: true, atom.Noscript: true, atom.Input: true, atom.Canvas: true, atom.Video: true, atom.Audio: true,
}

var blocks = map[atom.Atom]bool{
	atom.P: true, atom.Div: true, atom.Section: true, atom.Article: true, atom.Main: true, atom.Header: true, atom.Footer: true,
	atom.H1: true, atom.H2: true, atom.H3: true, atom.H4: true, atom.H5: true, atom.H6: true, atom.Blockquote: true, atom.Dl: true,
	atom.Dt: true, atom.Dd: true, atom.Figure: true, atom.Figcaption: true, atom.Hr: true, atom.Tr: true, atom.Tbody: true,
	atom.Thead: true, atom.Tfoot: true, atom.Caption: true, atom.Center: true, atom.Address: true, atom.Fieldset: true, atom.Form: true,
	atom.Li: true, atom.Body: true, atom.Details: true, atom.Summary: true, atom.Aside: true, atom.Nav: true,
}

func find(n *html.Node, key string) (string, bool) {
	for _, a := range n.Attr {
		if a.Key == key {
			return a.Val, true
		}
	}
	return "", false
}

func attr(n *html.Node, key string) string {
	v, _ := find(n, key)
	return v
}

// textOf is all text below n, scripts and styles left out.
func textOf(n *html.Node) string {
	var b strings.Builder
	var walk func(*html.Node)
	walk = func(n *html.Node) {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
		}
		if n.DataAtom == atom.Script || n.DataAtom == atom.Style {
			return
		}
		for c := n.FirstChild; c != nil; c = c.NextSibling {
			walk(c)
		}
		if blocks[n.DataAtom] {
			b.WriteByte(' ')
		}
	}
	walk(n)
	return b.String()
}

// trimSite cuts the name of the site from a page's title.
func trimSite(s string) string {
	for _, sep := range []string{" - ", "_", " | ", "--", "—", "-"} {
		if i := strings.Index(s, sep); i > 0 {
			return strings.TrimSpace(s[:i])
		}
	}
	return s
}
