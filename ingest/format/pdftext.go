package format

import (
	"github.com/ledongthuc/pdf"
)

// glyph is a character where it is set; X, Y and Size are in points from the
// lower left corner of the page.
type glyph struct {
	s       string
	x, y, w float64
	size    float64
}

// matrix is a transformation [a b 0; c d 0; e f 1] of PDF 32000-1, 8.3.
type matrix [6]float64

var identity = matrix{1, 0, 0, 1, 0, 0}

// mul is m applied before n.
func (m matrix) mul(n matrix) matrix {
	return matrix{
		m[0]*n[0] + m[1]*n[2], m[0]*n[1] + m[1]*n[3],
		m[2]*n[0] + m[3]*n[2], m[2]*n[1] + m[3]*n[3],
		m[4]*n[0] + m[5]*n[2] + n[4], m[4]*n[1] + m[5]*n[3] + n[5],
	}
}

// textState is what PDF 32000-1, 9.3 calls the text state, and the matrices.
type textState struct {
	ctm, tm, line                          matrix
	font                                   pdf.Font
	enc                                    pdf.TextEncoding
	simple                                 bool // one byte a character
	size, charGap, wordGap, leading, scale float64
	rise                                   float64
}

// typesetter runs the text operators of a page and notes each glyph.
type typesetter struct {
	glyphs []glyph
}

// maxForms bounds how deep forms stand in forms.
const maxForms = 8

func glyphsOf(p pdf.Page) []glyph {
	t := &typesetter{}
	contents := p.V.Key("Contents")
	if contents.Kind() == pdf.Null {
		return nil
	}
	t.run(contents, p.Resources(), identity, 0)
	return t.glyphs
}

func (t *typesetter) run(stream, resources pdf.Value, ctm matrix, depth int) {
	g := textState{ctm: ctm, tm: identity, line: identity, scale: 1}
	encoders := map[string]pdf.TextEncoding{}
	var saved []textState
	pdf.Interpret(stream, func(stk *pdf.Stack, op string) {
		args := make([]pdf.Value, stk.Len())
		for i := len(args) - 1; i >= 0; i-- {
			args[i] = stk.Pop()
		}
		num := func(i int) float64 {
			if i < len(args) {
				return args[i].Float64()
			}
			return 0
		}
		six := func() matrix { return matrix{num(0), num(1), num(2), num(3), num(4), num(5)} }
		switch op {
		case "q":
			saved = append(saved, g)
		case "Q":
			if n := len(saved) - 1; n >= 0 {
				g, saved = saved[n], saved[:n]
			}
		case "cm":
			g.ctm = six().mul(g.ctm)
		case "BT":
			g.tm, g.line = identity, identity
		case "Tm":
			g.tm = six()
			g.line = g.tm
		case "Td", "TD":
			if op == "TD" {
				g.leading = -num(1)
			}
			g.move(num(0), num(1))
		case "T*":
			g.move(0, -g.leading)
		case "Tc":
			g.charGap = num(0)
		case "Tw":
			g.wordGap = num(0)
		case "Tz":
			g.scale = num(0) / 100
		case "TL":
			g.leading = num(0)
		case "Ts":
			g.rise = num(0)
		case "Tf":
			if len(args) == 2 {
				g.setFont(resources.Key("Font").Key(args[0].Name()), args[0].Name(), encoders)
				g.size = num(1)
			}
		case "\"":
			g.wordGap, g.charGap = num(0), num(1)
			g.move(0, -g.leading)
			t.show(&g, args)
		case "'":
			g.move(0, -g.leading)
			t.show(&g, args)
		case "Tj":
			t.show(&g, args)
		case "TJ":
			for i := 0; len(args) > 0 && i < args[0].Len(); i++ {
				if x := args[0].Index(i); x.Kind() == pdf.String {
					t.show(&g, []pdf.Value{x})
				} else {
					g.advance(-x.Float64() / 1000 * g.size * g.scale)
				}
			}
		case "Do":
			if len(args) == 1 && depth < maxForms {
				t.form(resources.Key("XObject").Key(args[0].Name()), resources, g.ctm, depth)
			}
		}
	})
}

// form runs a form XObject, in which some programs set whole pages.
func (t *typesetter) form(x, resources pdf.Value, ctm matrix, depth int) {
	if x.Key("Subtype").Name() != "Form" {
		return
	}
	if m := x.Key("Matrix"); m.Len() == 6 {
		var f matrix
		for i := range f {
			f[i] = m.Index(i).Float64()
		}
		ctm = f.mul(ctm)
	}
	if r := x.Key("Resources"); r.Kind() == pdf.Dict {
		resources = r
	}
	t.run(x, resources, ctm, depth+1)
}

func (g *textState) setFont(v pdf.Value, name string, encoders map[string]pdf.TextEncoding) {
	g.font = pdf.Font{V: v}
	g.simple = v.Key("Subtype").Name() != "Type0"
	enc, ok := encoders[name]
	if !ok {
		enc = g.font.Encoder()
		encoders[name] = enc
	}
	g.enc = enc
}

func (g *textState) move(x, y float64) {
	g.line = matrix{1, 0, 0, 1, x, y}.mul(g.line)
	g.tm = g.line
}

func (g *textState) advance(x float64) { g.tm = matrix{1, 0, 0, 1, x, 0}.mul(g.tm) }

// show sets the string that is the last of args.
func (t *typesetter) show(g *textState, args []pdf.Value) {
	if len(args) == 0 || g.enc == nil {
		return
	}
	raw := args[len(args)-1].RawString()
	i := 0
	for _, r := range g.enc.Decode(raw) {
		width := 0.5 // of a Latin character, in ems; a Chinese one is 1 wide
		if displayWidth(string(r)) == 2 {
			width = 1
		}
		if g.simple && i < len(raw) {
			if w := g.font.Width(int(raw[i])); w > 0 {
				width = w / 1000
			}
		}
		i++
		place := matrix{g.size * g.scale, 0, 0, g.size, 0, g.rise}.mul(g.tm).mul(g.ctm)
		if r >= ' ' && r != '\ufffd' {
			t.glyphs = append(t.glyphs, glyph{string(r), place[4], place[5], width * place[0], place[3]})
		}
		gap := g.charGap
		if r == ' ' {
			gap += g.wordGap
		}
		g.advance((width*g.size + gap) * g.scale)
	}
}
