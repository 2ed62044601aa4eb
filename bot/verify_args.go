package bot

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// fill verifies the arguments of a phrase by their names.
func (k *check) fill(s shape, m []string, used map[int]bool) string {
	arg := map[string]string{"": s.key}
	for i, name := range s.re.SubexpNames() {
		if name != "" {
			arg[name] = m[i]
		}
	}
	for name, v := range arg {
		if name != "" && !k.arg(name, v, arg, used) {
			return fmt.Sprintf("phrase %s: %s %q does not verify", s.key, name, v)
		}
	}
	return ""
}

// arg verifies one argument.
func (k *check) arg(name, v string, all map[string]string, used map[int]bool) bool {
	switch name {
	case "Text", "Mark":
		return k.quotedArg(all, used)
	case "Label", "First", "Last", "LabelA", "LabelB":
		return k.hasLabel(v, all["Mark"]) || name == "Label" && k.isSaid(v)
	case "Labels":
		return k.isRange(v) || !slices.ContainsFunc(splitList(v), func(l string) bool { return !k.hasLabel(l, "") })
	case "Title":
		return k.isTitle(v)
	case "Heading":
		return slices.ContainsFunc(k.c.clausesOf(nil), func(cl *rag.Clause) bool {
			return slices.Contains(cl.Path, v) && strings.Contains(zh.Fold(v), zh.Fold(all["Term"]))
		})
	case "Name":
		return slices.ContainsFunc(k.a.Figures, func(f Figure) bool { return f.Name == v })
	case "Attr":
		return zh.IsKind(v) || k.isSaid(v) || slices.ContainsFunc(k.b.lex.attrs, func(a *attribute) bool { return a.zhN == v || a.enN == v })
	case "Term", "Topic", "From", "Place", "Asked", "Year", "To":
		return k.isSaid(v) || name == "To" && k.readAs(all["From"], v)
	case "Quote":
		return k.isSaid(v) || k.inQuotes(v)
	case "QuoteA":
		return v != all["QuoteB"] && k.quotedAt(v, all["LabelA"])
	case "QuoteB":
		return k.quotedAt(v, all["LabelB"])
	case "Have", "Range", "Rest":
		return v == "" || k.line(v, used) == ""
	case "N", "Chapters", "Clauses", "Sum", "Terms", "Base", "Rate", "Product", "Value", "Years", "List":
		return k.countArg(name, v, all)
	}
	return k.totalArg(name, v)
}

// quotedArg verifies a quote inside a phrase, by the marker behind it.
func (k *check) quotedArg(all map[string]string, used map[int]bool) bool {
	text := all["Text"] + all["Mark"]
	return k.quotation(text, used) == ""
}

func (k *check) isSaid(v string) bool {
	v = zh.Squeeze(zh.Fold(v))
	return v != "" && strings.Contains(k.said, v) && wholeFigures(v, k.said)
}

// wholeFigures reports that the figures of v are figures of text, not parts of
// longer ones.
func wholeFigures(v, text string) bool {
	have := zh.Quantities(text)
	for _, f := range zh.Quantities(v) {
		if !slices.ContainsFunc(have, func(g zh.Quantity) bool { return g.Value.Equal(f.Value) }) {
			return false
		}
	}
	return true
}

// readAs reports that from can be read as to: they sound alike, or from is its
// pinyin.
func (k *check) readAs(from, to string) bool {
	return sound(from) == sound(to) && sound(to) != "" || k.c.fromPinyin(zh.Fold(from)) == zh.Fold(to)
}

// hasLabel reports a label of the corpus; with a marker, that of its clause.
func (k *check) hasLabel(v, marker string) bool {
	if m := markRE.FindStringSubmatch(marker); m != nil {
		n, _ := strconv.Atoi(m[1])
		cit, ok := k.cited(n)
		cl, found := k.c.index.Clause(cit.ClauseID)
		return ok && found && k.c.label(cl) == v
	}
	for _, d := range k.c.docs {
		for i := range d.Clauses {
			if cl := &d.Clauses[i]; cl.Label == v || k.c.label(cl) == v {
				return true
			}
		}
		for _, ch := range d.Chapters {
			if chapterLabel(ch) == v {
				return true
			}
		}
	}
	return false
}

func (k *check) isRange(v string) bool {
	for _, d := range k.c.docs {
		for _, ch := range d.Chapters {
			if _, ks := d.chapter(ch.Number); len(ks) > 0 && labels(ks) == v {
				return true
			}
		}
	}
	return false
}

func (k *check) isTitle(v string) bool {
	return slices.ContainsFunc(k.c.docs, func(d *source) bool {
		return d.Title == v || shortTitle(d.Title) == v || slices.ContainsFunc(d.Chapters, func(ch rag.Chapter) bool { return ch.Title == v })
	})
}

func (k *check) inQuotes(v string) bool {
	v = zh.Squeeze(v)
	return v != "" && slices.ContainsFunc(k.a.Citations, func(c Citation) bool { return strings.Contains(zh.Squeeze(c.Quote), v) })
}

// hasFigures reports that every figure of v is a figure of some quote: 3000家 is
// none of 13000家.
func hasFigures(v string, cs []Citation) bool {
	return !slices.ContainsFunc(zh.Quantities(v), func(f zh.Quantity) bool {
		return !slices.ContainsFunc(cs, func(c Citation) bool {
			return slices.ContainsFunc(zh.Quantities(c.Quote), func(g zh.Quantity) bool { return g.Same(f) })
		})
	})
}

// quotedAt reports that a quote of the clause labelled so has the figure v.
func (k *check) quotedAt(v, label string) bool {
	return slices.ContainsFunc(k.a.Citations, func(c Citation) bool {
		cl, ok := k.c.index.Clause(c.ClauseID)
		return ok && k.c.label(cl) == label && strings.Contains(zh.Squeeze(c.Quote), v) && hasFigures(v, []Citation{c})
	})
}

func splitList(v string) []string {
	return strings.FieldsFunc(v, func(r rune) bool { return r == '、' || r == ';' })
}

// countArg verifies what was counted or added up.
func (k *check) countArg(name, v string, all map[string]string) bool {
	switch name {
	case "Years":
		return !slices.ContainsFunc(splitList(v), func(y string) bool {
			return !slices.ContainsFunc(k.c.docs, func(d *source) bool { return strconv.Itoa(d.year) == y })
		})
	case "List":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			return chapterList(d) == v || slices.ContainsFunc(d.topChapters(), func(ch rag.Chapter) bool {
				return ch.Title == all["Title"] && headings(d.partsBelow(ch)) == v && strconv.Itoa(len(d.partsBelow(ch))) == all["N"]
			})
		})
	case "Chapters", "Clauses":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			chapters, clauses, _ := d.counts()
			return shortTitle(d.Title) == all["Title"] && strconv.Itoa(clauses) == all["Clauses"] && (all["Chapters"] == "" || strconv.Itoa(chapters) == all["Chapters"])
		})
	case "N":
		return k.countedN(v, all)
	case "Value":
		return k.inQuotes(v) && hasFigures(v, k.a.Citations)
	}
	return k.sumArg(all)
}

// countedN verifies a number: of the places quoted and named, of the clauses of
// a chapter, of the paragraphs before the first clause.
func (k *check) countedN(v string, all map[string]string) bool {
	n, err := strconv.Atoi(v)
	if err != nil {
		return false
	}
	switch all[""] {
	case "chapter":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			return slices.ContainsFunc(d.Chapters, func(ch rag.Chapter) bool {
				_, ks := d.chapter(ch.Number)
				return ch.Title == all["Title"] && len(ks) == n
			})
		})
	case "parts":
		return k.countArg("List", all["List"], all)
	case "pairs":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool { return shortTitle(d.Title) == all["Title"] && d.asked() == n })
	case "structurepre":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool { _, _, before := d.counts(); return before == n })
	case "noclauserange":
		return slices.ContainsFunc(k.c.docs, func(d *source) bool {
			first, last, m := d.numberedRange()
			return m == n && first == all["First"] && last == all["Last"]
		})
	case "more":
		return n >= len(splitList(all["Labels"]))
	}
	quoted := 0
	for l := range strings.Lines(k.a.Text) {
		quoted += len(markRE.FindAllString(l, -1))
	}
	more := 0
	for _, s := range k.b.lex.shapes {
		if s.key == "more" {
			for l := range strings.Lines(k.a.Text) {
				if m := s.re.FindStringSubmatch(strings.TrimSpace(l)); m != nil {
					more, _ = strconv.Atoi(m[s.re.SubexpIndex("N")])
				}
			}
		}
	}
	return n == quoted+more
}

// sumArg verifies 38家 = 8家+30家, 22家 = 30家-8家 and 4万元 = 8万元×50%: what is
// reckoned with are figures of the quotes, and it comes out so.
func (k *check) sumArg(all map[string]string) bool {
	if all[""] == "product" {
		base, okBase := k.quoted(all["Base"])
		rate, okRate := k.quoted(all["Rate"])
		product := zh.Quantities(all["Product"])
		return okBase && okRate && rate.Unit == "%" && len(product) == 1 && product[0].Unit == base.Unit &&
			product[0].Value.Equal(base.Value.Mul(rate.Value).Div(decimal.NewFromInt(100)))
	}
	want := zh.Quantities(all["Sum"])
	if len(want) != 1 {
		return false
	}
	sign := "+"
	if all[""] == "difference" {
		sign = "-"
	}
	left := want[0].Value
	for i, t := range strings.Split(all["Terms"], sign) {
		f, ok := k.quoted(t)
		switch {
		case !ok || f.Unit != want[0].Unit:
			return false
		case i > 0 && sign == "-":
			left = left.Add(f.Value)
		default:
			left = left.Sub(f.Value)
		}
	}
	return left.IsZero()
}

// quoted reads v as one figure that some quote has.
func (k *check) quoted(v string) (zh.Quantity, bool) {
	f := zh.Quantities(v)
	if len(f) != 1 || !slices.ContainsFunc(k.a.Citations, func(c Citation) bool { return hasFigure(c.Quote, f[0]) }) {
		return zh.Quantity{}, false
	}
	return f[0], true
}

// figureLine reports that l is what a phrase says of one of the figures, to
// the letter.
func (k *check) figureLine(l string) bool {
	for _, f := range k.a.Figures {
		for _, key := range k.b.lex.figureKeys {
			if k.b.lex.say(false, key, f.args()) == l || k.b.lex.say(true, key, f.args()) == l {
				return true
			}
		}
	}
	return false
}

// args are the values of a figure as phrases name them.
func (f Figure) args() args {
	return args{"Name": f.Name, "Target": f.Words, "Actual": f.Actual, "Unit": f.Unit, "AsOf": f.AsOf, "Source": f.Source, "Gap": f.Gap, "Over": f.Over,
		"Needed": f.Needed, "Monthly": f.Monthly, "Progress": f.Progress}
}

// totalArg verifies how many indicators there are and are shown.
func (k *check) totalArg(name, v string) bool {
	n, err := strconv.Atoi(v)
	return err == nil && (n == len(k.a.Figures) || name == "Shown" && n < len(k.a.Figures))
}
