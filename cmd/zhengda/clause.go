package main

import (
	"strconv"
	"strings"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// findClauses are the clauses of d that a label means: 17, 第17条, 第十二条,
// 二（三）, 总体奋斗目标.
func findClauses(d *rag.Document, label string) (found []*rag.Clause) {
	key := labelKey(label)
	if key == "" {
		return nil
	}
	n, numbered := zh.Numeral(key)
	for i := range d.Clauses {
		c := &d.Clauses[i]
		_, marker, _ := strings.Cut(c.ID, "#")
		if numbered && c.Number == n && n > 0 || labelKey(c.Label) == key || labelKey(marker) == key {
			found = append(found, c)
		}
	}
	return found
}

// labelKey makes ways to write a label comparable: 第十二条, 第 12 条, 12.
func labelKey(label string) string {
	s := strings.Trim(zh.Squeeze(zh.Fold(label)), ".、")
	if bare, ok := strings.CutPrefix(s, "第"); ok {
		if bare, ok := strings.CutSuffix(bare, "条"); ok {
			if n, ok := zh.Numeral(bare); ok {
				return strconv.Itoa(n)
			}
		}
	}
	return s
}

// clause shows a whole clause.
func (s *screen) clause(d *rag.Document, c *rag.Clause) {
	head := c.Label
	if c.Title != "" {
		head += " " + c.Title
	}
	s.text("", bold, head)
	path := append([]string{"《" + d.Title + "》"}, c.Path...)
	s.text("", faint, strings.Join(path, " › "))
	s.text("", "", c.Text)
	s.line("")
}
