package bot

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"zhengda/bot/kpi"
	"zhengda/internal/zh"
	"zhengda/rag"
)

// desk is what a model works with on one question: the clauses and figures
// that it has been given. It is safe for concurrent use.
type desk struct {
	b *Bot
	c *corpus
	q *question

	mu       sync.Mutex
	evidence []*rag.Clause
	figures  []Figure
}

const (
	evidenceMost = 24  // clauses for one question
	clauseShown  = 700 // runes of one clause
	foundMost    = 5   // clauses of one search
)

// give numbers a clause, from 1; it keeps the number that it has. It is 0
// when there is no room.
func (d *desk) give(k *rag.Clause) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if i := slices.Index(d.evidence, k); i >= 0 {
		return i + 1
	}
	if len(d.evidence) == evidenceMost {
		return 0
	}
	d.evidence = append(d.evidence, k)
	return len(d.evidence)
}

// show is a clause as a model sees it: number, label, and text without what
// speaks to a machine.
func (d *desk) show(k *rag.Clause, star string) string {
	n := d.give(k)
	if n == 0 {
		return ""
	}
	r := []rune(k.Text)
	var text strings.Builder
	size := 0
	for _, s := range d.tell(k) {
		if size += s.End - s.Start; size > clauseShown && text.Len() > 0 {
			text.WriteString(ellipsis)
			break
		}
		text.WriteString(oneLine(string(r[s.Start:s.End])))
	}
	return fmt.Sprintf("[%d]%s %s:%s", n, star, d.c.label(k), text.String())
}

// tell are the sentences of a clause that do not speak to a machine.
func (d *desk) tell(k *rag.Clause) []zh.Span {
	told := &d.c.byID[k.Document].told
	if v, ok := told.Load(k); ok {
		return v.([]zh.Span)
	}
	out := d.b.lex.plain(k.Text)
	told.Store(k, out)
	return out
}

// ToolError is an error that a model can read and act on.
type ToolError string

func (e ToolError) Error() string { return string(e) }

// toolFuncs are the tools by name.
var toolFuncs map[string]func(*desk, context.Context, json.RawMessage) (string, error)

func init() {
	toolFuncs = map[string]func(*desk, context.Context, json.RawMessage) (string, error){
		"search_policy": (*desk).search, "read_clause": (*desk).read, "list_structure": (*desk).structure,
		"query_kpi": (*desk).figure, "compare_versions": (*desk).compare,
	}
}

// offers are the tools that there is something behind.
func (d *desk) offers() []toolSpec {
	return slices.DeleteFunc(slices.Clone(d.b.model.prompts.tools), func(t toolSpec) bool {
		return t.Name == "query_kpi" && d.b.kpi == nil || t.Name == "compare_versions" && d.b.model.Compare == nil
	})
}

// run runs one call. What is wrong with it is part of the answer.
func (d *desk) run(ctx context.Context, t toolCall) string {
	f, ok := toolFuncs[t.name]
	if !ok || !slices.ContainsFunc(d.offers(), func(s toolSpec) bool { return s.Name == t.name }) {
		return "错误:没有这个工具"
	}
	out, err := f(d, ctx, json.RawMessage(t.arguments))
	var told ToolError
	switch {
	case errors.As(err, &told):
		return "错误:" + told.Error()
	case err != nil: // nothing internal is told
		return "错误:工具暂时不可用"
	}
	return d.b.lex.quiet(out)
}

// runAll runs calls at the same time; answers are in their order.
func (d *desk) runAll(ctx context.Context, calls []toolCall) []string {
	out := make([]string, len(calls))
	var wg sync.WaitGroup
	for i, t := range calls {
		wg.Go(func() { out[i] = d.run(ctx, t) })
	}
	wg.Wait()
	return out
}

// decode reads the arguments of a call strictly.
func decode(raw json.RawMessage, into any) error {
	if len(bytes.TrimSpace(raw)) == 0 {
		raw = json.RawMessage("{}")
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		return ToolError("参数不是符合要求的 JSON")
	}
	if dec.More() {
		return ToolError("参数后面有多余的内容")
	}
	return nil
}

// documents are those whose title has the words and that are about the year, of
// those that the question may see.
func (d *desk) documents(title string, year int) ([]*source, error) {
	var out []*source
	title = zh.Squeeze(zh.Fold(strings.Trim(title, "《》 ")))
	for _, s := range d.c.docs {
		if strings.Contains(s.title, title) && (year == 0 || s.year == year) {
			out = append(out, s)
		}
	}
	if len(out) == 0 {
		return nil, ToolError("没有这样的文件;用 list_structure 看有哪些文件")
	}
	if i := slices.IndexFunc(out, func(s *source) bool { return s.title == title }); i >= 0 {
		return out[i : i+1], nil
	}
	return out, nil
}

func (d *desk) search(ctx context.Context, raw json.RawMessage) (string, error) {
	var a struct {
		Query    string `json:"query"`
		Document string `json:"document"`
		Year     int    `json:"year"`
	}
	if err := decode(raw, &a); err != nil {
		return "", err
	}
	if a.Query == "" || len([]rune(a.Query)) > 200 {
		return "", ToolError("query 须为 1 至 200 字")
	}
	docs, err := d.documents(a.Document, a.Year)
	if err != nil {
		return "", err
	}
	ps, err := d.c.index.Search(ctx, rag.Query{Text: a.Query, Documents: ids(docs), K: foundMost})
	if err != nil {
		return "", err
	}
	var ks []*rag.Clause
	for _, p := range ps {
		ks = append(ks, p.Clause)
	}
	return d.list(ks), nil
}

// list shows clauses, as far as there is room.
func (d *desk) list(ks []*rag.Clause) string {
	var out []string
	for _, k := range ks {
		if s := d.show(k, ""); s != "" {
			out = append(out, s)
		}
	}
	switch {
	case len(ks) == 0:
		return "没有找到"
	case len(out) == 0:
		return "材料已满,请用已有的材料作答"
	}
	return strings.Join(out, "\n")
}

func (d *desk) read(_ context.Context, raw json.RawMessage) (string, error) {
	var a struct{ Document, Clause string }
	if err := decode(raw, &a); err != nil {
		return "", err
	}
	docs, err := d.documents(a.Document, 0)
	if err != nil {
		return "", err
	}
	want := strings.Trim(zh.Squeeze(zh.Fold(a.Clause)), "第条款")
	n, isNumber := zh.Numeral(want)
	var ks []*rag.Clause
	for _, s := range docs {
		for i := range s.Clauses {
			k := &s.Clauses[i]
			if isNumber && k.Number == n && n > 0 || want != "" && strings.Trim(zh.Squeeze(zh.Fold(k.Label)), "第条款") == want {
				ks = append(ks, k)
			}
		}
	}
	if len(ks) == 0 {
		return "", ToolError("没有这一条;用 list_structure 看有哪些条")
	}
	return d.list(ks[:min(len(ks), foundMost)]), nil
}

// structureMost is how many lines of a structure are shown.
const structureMost = 80

func (d *desk) structure(_ context.Context, raw json.RawMessage) (string, error) {
	var a struct{ Document string }
	if err := decode(raw, &a); err != nil {
		return "", err
	}
	docs, err := d.documents(a.Document, 0)
	if err != nil {
		return "", err
	}
	var out []string
	for _, s := range docs {
		out = append(out, "《"+s.Title+"》")
		if len(docs) > 1 {
			continue
		}
		for _, k := range s.Clauses {
			out = append(out, strings.TrimSpace(k.Label+" "+k.Title))
		}
	}
	if len(out) > structureMost {
		out = append(out[:structureMost], ellipsis)
	}
	return strings.Join(out, "\n"), nil
}

// figure runs query_kpi with the rights of the persona.
func (d *desk) figure(ctx context.Context, raw json.RawMessage) (string, error) {
	var req kpi.Request
	if err := decode(raw, &req); err != nil {
		return "", err
	}
	asOf, years := kpi.Date(d.q.ask.AsOf), d.q.years
	if req.AsOf == "" {
		req.AsOf = asOf
	}
	if req.Period == 0 && len(years) == 1 {
		req.Period = years[0]
	}
	asked := req.AsOf == asOf && (req.Period == 0 || slices.Contains(years, req.Period))
	tool := d.b.kpi
	if !d.q.ask.Persona.Internal() {
		tool = tool.Public()
	}
	r, err := d.query(ctx, tool, req)
	if err != nil {
		return "", err
	}
	meant, err := d.b.meant(ctx, d.c, d.q, tool)
	if err != nil {
		return "", err
	}
	asked = asked && slices.ContainsFunc(meant, func(i kpi.Indicator) bool { return i.Code == r.Indicator.Code })
	f := FigureOf(r)
	if !asked { // its line would be read as what the question asks for
		return fmt.Sprintf("%s;这不是所问的指标、日期或年度,不能引用", d.b.told1(d.q, f)), nil
	}
	d.mu.Lock()
	if !slices.ContainsFunc(d.figures, func(o Figure) bool { return o.Code == f.Code }) {
		d.figures = append(d.figures, f)
	}
	d.mu.Unlock()
	return fmt.Sprintf("{%s} %s;引用时单独一行写 {%s}", f.Code, d.b.told1(d.q, f), f.Code), nil
}

// query asks for one indicator. One of a document that may not be read is as
// unknown as one that never was.
func (d *desk) query(ctx context.Context, tool *kpi.Tool, req kpi.Request) (kpi.Result, error) {
	r, err := tool.Query(ctx, req)
	var among *kpi.AmbiguousError
	if errors.As(err, &among) {
		among.Among = slices.DeleteFunc(among.Among, func(i kpi.Indicator) bool { return !d.c.tells(d.q, i) })
		if len(among.Among) > 1 {
			return r, ToolError(among.Error())
		}
		err = kpi.ErrUnknown
		for _, i := range among.Among {
			req.Indicator = i.Code
			r, err = tool.Query(ctx, req)
		}
	}
	switch {
	case errors.Is(err, kpi.ErrUnknown), errors.Is(err, kpi.ErrPeriod), err == nil && !d.c.tells(d.q, r.Indicator):
		return kpi.Result{}, ToolError("没有这个指标,或这一年度没有目标")
	case err != nil:
		return kpi.Result{}, ToolError("参数不对:日期须为 YYYY-MM-DD")
	}
	return r, nil
}

// comparedMost is how much of a comparison is shown, in runes.
const comparedMost = 3000

func (d *desk) compare(ctx context.Context, raw json.RawMessage) (string, error) {
	var a struct{ Document, From, To string }
	if err := decode(raw, &a); err != nil {
		return "", err
	}
	if a.Document == "" {
		return "", ToolError("document 不能为空")
	}
	docs, err := d.documents(a.Document, 0)
	if err != nil {
		return "", err
	}
	if len(docs) > 1 {
		return "", ToolError("可指多份文件,请把标题写全")
	}
	text, err := d.b.model.Compare(ctx, d.q.ask.Persona, docs[0].ID, a.From, a.To)
	if err != nil {
		return "", err
	}
	r := []rune(d.b.lex.quiet(text))
	if len(r) > comparedMost {
		return string(r[:comparedMost]) + ellipsis, nil
	}
	return string(r), nil
}

// told1 says a figure in one line, by the phrases of the program.
func (b *Bot) told1(q *question, f Figure) string {
	key := "kpi_rowtarget"
	if f.Actual != "" {
		key = "kpi_row"
	}
	return b.lex.say(q.english, key, f.args())
}
