package kpi

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"zhengda/internal/zh"
	"zhengda/rag"
)

// ReadIndicators reads curated indicators from CSV with a header. Columns, in
// any order: code, name_zh, unit, target_value, comparator, period (annual or
// cumulative), clause (printed number), source_sentence, canonical_code,
// notes, document (title), year, hedge, label, office; others are ignored. A
// row whose canonical_code is another row's code is a mention of that
// indicator. Indicators come in the order of the file.
func ReadIndicators(r io.Reader) ([]Indicator, error) {
	rows, err := readTable(r, "code", "name_zh", "unit", "target_value", "comparator", "clause", "source_sentence")
	if err != nil {
		return nil, fmt.Errorf("read indicators: %w", err)
	}
	var out []Indicator
	var others []Indicator
	canonical := map[string]string{}
	for _, row := range rows {
		i, err := row.indicator()
		if err != nil {
			return nil, fmt.Errorf("read indicators: 第%d行: %w", row.line, err)
		}
		if c := row.get("canonical_code"); c != "" && c != i.Code {
			canonical[i.Code] = c
			others = append(others, i)
			continue
		}
		out = append(out, i)
	}
	for _, o := range others {
		at := slices.IndexFunc(out, func(i Indicator) bool { return i.Code == canonical[o.Code] && i.Year == o.Year })
		if at < 0 {
			return nil, fmt.Errorf("read indicators: %s: canonical_code %q 不存在", o.Code, canonical[o.Code])
		}
		out[at].mention(o)
	}
	return out, nil
}

// ReadAliases reads lines of a code, a tab, and names separated by spaces or
// 、, and adds them to the indicators of that code. A line beginning with #
// is a comment; an alias with a space in it is written with _ instead.
func ReadAliases(r io.Reader, inds []Indicator) error {
	b, err := io.ReadAll(r)
	if err != nil {
		return fmt.Errorf("read aliases: %w", err)
	}
	n := 0
	for line := range strings.Lines(string(bytes.TrimPrefix(b, bom))) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		code, names, ok := strings.Cut(line, "\t")
		if !ok {
			return fmt.Errorf("read aliases: 第%d行: 指标代码与别名之间须有一个制表符", n)
		}
		known := false
		for i := range inds {
			if inds[i].Code != code {
				continue
			}
			known = true
			for _, a := range strings.FieldsFunc(names, func(r rune) bool { return r == ' ' || r == '、' || r == '\t' }) {
				if a = strings.ReplaceAll(a, "_", " "); !slices.Contains(inds[i].Aliases, a) {
					inds[i].Aliases = append(inds[i].Aliases, a)
				}
			}
		}
		if !known {
			return fmt.Errorf("read aliases: 第%d行: 指标代码 %q 不存在", n, code)
		}
	}
	return nil
}

// mention adds o, another statement of the same indicator, to i.
func (i *Indicator) mention(o Indicator) {
	m := Mention{Code: o.Code, Unit: o.Unit, Target: o.Target, Comparator: o.Comparator,
		ClauseID: o.ClauseID, Clause: o.Clause, Label: o.Label, Words: o.Words}
	v, err := Convert(o.Target, o.Unit, i.Unit)
	m.Conflict = err != nil || !v.Equal(i.Target)
	m.Suspicious = m.Conflict && err == nil && slip(v, o.Unit, i.Target, i.Unit)
	i.Mentions = append(i.Mentions, m)
}

// slip reports that v, printed in unit, is the target times a power of ten
// thousand that its own scale word 万 or 亿 accounts for: a stray 万.
func slip(v decimal.Decimal, unit string, target decimal.Decimal, targetUnit string) bool {
	_, e := splitUnit(unit)
	_, te := splitUnit(targetUnit)
	return e > te && !target.IsZero() && v.Equal(target.Shift(e-te))
}

// Bind ties indicators to the clauses of doc, when doc is the document they
// name: IDs, label, and their words as the clause prints them. What is not of
// doc is returned unchanged. The problems name every indicator whose words no
// longer stand in doc.
func Bind(doc rag.Document, inds []Indicator) (out []Indicator, problems []string) {
	title := fold(doc.Title)
	for _, i := range inds {
		if fold(i.Title) == title {
			i.Document = doc.ID
			if c, words, ok := locate(doc, i.Clause, i.Words); ok {
				i.ClauseID, i.Clause, i.Label, i.Words = c.ID, c.Number, c.Label, words
			} else {
				problems = append(problems, fmt.Sprintf("%s(%s):%s中找不到原文“%s”", i.Name, i.Code, doc.Title, i.Words))
			}
			i.Mentions = slices.Clone(i.Mentions)
			for k := range i.Mentions {
				m := &i.Mentions[k]
				if c, words, ok := locate(doc, m.Clause, m.Words); ok {
					m.ClauseID, m.Clause, m.Label, m.Words = c.ID, c.Number, c.Label, words
				} else {
					problems = append(problems, fmt.Sprintf("%s(%s):%s中找不到原文“%s”", i.Name, m.Code, doc.Title, m.Words))
				}
			}
		}
		out = append(out, i)
	}
	return out, problems
}

// locate finds words in the clause of that number, else in any clause, and
// returns them as printed there.
func locate(doc rag.Document, number int, words string) (rag.Clause, string, bool) {
	for _, any := range []bool{false, true} {
		for _, c := range doc.Clauses {
			if any || c.Number == number {
				if got, ok := verbatim(c.Text, words); ok {
					return c, got, true
				}
			}
		}
	}
	return rag.Clause{}, "", false
}

// verbatim finds words in text, whatever their width, quotation marks and
// white space, and returns them as text has them.
func verbatim(text, words string) (string, bool) {
	want := []rune(zh.Squeeze(zh.Fold(words)))
	folded, at := zh.FoldMap(text)
	var have []rune
	var pos []int
	for i, r := range folded {
		if !strings.ContainsRune(" \n\t\r", r) {
			have, pos = append(have, r), append(pos, at[i])
		}
	}
	i := strings.Index(string(have), string(want))
	if i < 0 || len(want) == 0 {
		return "", false
	}
	n := len([]rune(string(have)[:i]))
	r := []rune(text)
	return string(r[pos[n] : pos[n+len(want)-1]+1]), true
}

var bom = []byte{0xef, 0xbb, 0xbf}

// row is one record of a CSV file with a header.
type row struct {
	line int // in the file, from 1
	cols map[string]int
	rec  []string
}

func (r row) get(col string) string {
	if i, ok := r.cols[col]; ok && i < len(r.rec) {
		return strings.TrimSpace(r.rec[i])
	}
	return ""
}

// readTable reads a CSV file whose header must hold the required columns.
func readTable(r io.Reader, required ...string) ([]row, error) {
	b, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	b = bytes.TrimPrefix(b, bom)
	if i := invalidUTF8(b); i > 0 {
		return nil, fmt.Errorf("第%d行: 不是 UTF-8 编码,请另存为 UTF-8", i)
	}
	c := csv.NewReader(bytes.NewReader(b))
	c.FieldsPerRecord = -1
	head, err := c.Read()
	if errors.Is(err, io.EOF) {
		return nil, errors.New("文件是空的,首行应为列名")
	} else if err != nil {
		return nil, err
	}
	cols := map[string]int{}
	for i, h := range head {
		cols[strings.TrimSpace(h)] = i
	}
	for _, name := range required {
		if _, ok := cols[name]; !ok {
			return nil, fmt.Errorf("第1行: 缺少列 %s(首行应为列名:%s)", name, strings.Join(required, ","))
		}
	}
	var out []row
	for {
		rec, err := c.Read()
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		var pe *csv.ParseError
		if errors.As(err, &pe) {
			return nil, fmt.Errorf("第%d行: 引号或分隔符有误: %w", pe.Line, pe.Err)
		} else if err != nil {
			return nil, err
		}
		line, _ := c.FieldPos(0)
		if len(rec) != len(head) {
			return nil, fmt.Errorf("第%d行: 有%d列,应为%d列", line, len(rec), len(head))
		}
		out = append(out, row{line, cols, rec})
	}
}

// invalidUTF8 is the number of the first line that is not UTF-8; 0 for none.
func invalidUTF8(b []byte) int {
	n := 0
	for line := range bytes.Lines(b) {
		n++
		if strings.ToValidUTF8(string(line), "") != string(line) {
			return n
		}
	}
	return 0
}

func (r row) indicator() (Indicator, error) {
	target, err := parseNumber(r.get("target_value"))
	if err != nil {
		return Indicator{}, err
	}
	op := zh.Cmp(r.get("comparator"))
	if !slices.Contains([]zh.Cmp{zh.EQ, zh.GE, zh.GT, zh.LE, zh.LT}, op) {
		return Indicator{}, fmt.Errorf("comparator %q 不是 >= > = <= < 之一", op)
	}
	clause, err := strconv.Atoi(r.get("clause"))
	if err != nil {
		return Indicator{}, fmt.Errorf("clause %q 不是整数", r.get("clause"))
	}
	year, err := strconv.Atoi(cmp.Or(r.get("year"), "0"))
	if err != nil {
		return Indicator{}, fmt.Errorf("year %q 不是年份", r.get("year"))
	}
	i := Indicator{
		Code: r.get("code"), Name: r.get("name_zh"), Unit: r.get("unit"), Target: target, Comparator: op,
		Hedge: r.get("hedge"), Basis: Basis(cmp.Or(r.get("period"), string(Annual))), Year: year, Title: r.get("document"),
		Clause: clause, Label: cmp.Or(r.get("label"), fmt.Sprintf("第%d条", clause)), Words: r.get("source_sentence"),
		Office: r.get("office"), Note: r.get("notes"),
	}
	if i.Code == "" || i.Name == "" || i.Unit == "" {
		return Indicator{}, errors.New("code、name_zh 与 unit 不得为空")
	}
	if i.Basis != Annual && i.Basis != Cumulative {
		return Indicator{}, fmt.Errorf("period %q 不是 annual 或 cumulative", i.Basis)
	}
	i.Derived = !strings.Contains(i.Words, Format(i.Target))
	return i, nil
}
