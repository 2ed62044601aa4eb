package bot

import (
	"fmt"
	"strings"
)

// form is a text with gaps: {{.Name}} takes an argument, and what is between
// {{if .Name}} and {{end}} stands only where that argument is not empty.
type form struct {
	gaps []gap
	rest string // after the last gap
}

// gap is what stands in {{}}, with the text before it.
type gap struct{ before, verb, name string }

func newForm(text string) (*form, error) {
	f := &form{}
	for open := false; ; {
		before, after, more := strings.Cut(text, "{{")
		if !more {
			if f.rest = text; open {
				return nil, fmt.Errorf("{{if}} without {{end}}")
			}
			return f, nil
		}
		inner, after, closed := strings.Cut(after, "}}")
		verb, name := "", strings.TrimSpace(inner)
		if rest, ok := strings.CutPrefix(name, "if "); ok {
			verb, name = "if", strings.TrimSpace(rest)
		}
		switch {
		case name == "end" && open:
			verb, name, open = "end", "", false
		case !closed || !strings.HasPrefix(name, ".") || strings.ContainsAny(name[1:], " .|") || verb == "if" && open:
			return nil, fmt.Errorf("{{%s}}: want {{.Name}}, or {{if .Name}} and {{end}}", inner)
		}
		open = open || verb == "if"
		f.gaps = append(f.gaps, gap{before, verb, strings.TrimPrefix(name, ".")})
		text = after
	}
}

// fill writes the text with its arguments. It fails when one is missing.
func (f *form) fill(a args) (string, error) {
	var b strings.Builder
	skip := false
	write := func(s string) {
		if !skip {
			b.WriteString(s)
		}
	}
	for _, g := range f.gaps {
		write(g.before)
		value, ok := a[g.name]
		switch {
		case g.verb == "end":
			skip = false
		case !ok:
			return "", fmt.Errorf("no argument %s", g.name)
		case g.verb == "if":
			skip = fmt.Sprint(value) == ""
		default:
			write(fmt.Sprint(value))
		}
	}
	write(f.rest)
	return b.String(), nil
}
