package format

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// node is an XML element; a nil node has no attributes and no children.
type node struct {
	name  string // local name, with "mc:" or "m:" kept off
	attrs []xml.Attr
	kids  []*node
	text  string
}

func (n *node) attr(name string) string {
	if n != nil {
		for _, a := range n.attrs {
			if a.Name.Local == name {
				return a.Value
			}
		}
	}
	return ""
}

// child is the first child of that name, or nil.
func (n *node) child(name string) *node {
	if n != nil {
		for _, c := range n.kids {
			if c.name == name {
				return c
			}
		}
	}
	return nil
}

// find is the first descendant of that name, or nil.
func (n *node) find(name string) *node {
	if n != nil {
		for _, c := range n.kids {
			if c.name == name {
				return c
			}
			if d := c.find(name); d != nil {
				return d
			}
		}
	}
	return nil
}

// on reads a toggle property: present and not switched off.
func on(n *node) bool {
	if n == nil {
		return false
	}
	switch n.attr("val") {
	case "0", "false", "off", "none":
		return false
	}
	return true
}

// Bounds of a part, against files made to exhaust memory.
const (
	maxDepth = 400
	maxNodes = 4_000_000
)

// parseXML reads one part of a document. Only the text of w:t and m:t is
// kept.
func parseXML(r io.Reader, part string) (*node, error) {
	dec := xml.NewDecoder(r)
	dec.Entity = map[string]string{}
	root := &node{}
	stack := []*node{root}
	count := 0
	for {
		tok, err := dec.RawToken()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, part, err)
		}
		top := stack[len(stack)-1]
		switch t := tok.(type) {
		case xml.StartElement:
			if count++; count > maxNodes || len(stack) > maxDepth {
				return nil, fmt.Errorf("%w: %s: 元素过多或嵌套过深", ErrDamaged, part)
			}
			n := &node{name: t.Name.Local}
			if len(t.Attr) > 0 {
				n.attrs = append([]xml.Attr(nil), t.Attr...)
			}
			top.kids = append(top.kids, n)
			stack = append(stack, n)
		case xml.EndElement:
			if len(stack) == 1 || top.name != t.Name.Local {
				return nil, fmt.Errorf("%w: %s: </%s> 不配对", ErrDamaged, part, t.Name.Local)
			}
			stack = stack[:len(stack)-1]
		case xml.CharData:
			if top.name == "t" || top.name == "delText" {
				top.text += string(t)
			}
		}
	}
	if len(stack) > 1 {
		return nil, fmt.Errorf("%w: %s: <%s> 没有结束", ErrDamaged, part, stack[len(stack)-1].name)
	}
	for _, c := range root.kids {
		if !strings.HasPrefix(c.name, "?") {
			return c, nil
		}
	}
	return nil, fmt.Errorf("%w: %s: 空", ErrDamaged, part)
}
