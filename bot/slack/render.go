package slack

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	slackgo "github.com/slack-go/slack"

	"zhengda/bot"
)

// Limits of a message, below Slack's own (3,000 units a section, 50 blocks,
// 13,200 units over all blocks, 4,000 of text, 75 of a button, 10,000 and 100
// rows of a table).
const (
	maxSection = 2900
	maxBlocks  = 45
	maxUnits   = 12000
	maxText    = 3800
	maxButton  = 72
	maxQuote   = 160
	maxName    = 120
	maxRows    = 30
	maxCell    = 60
)

// message is one Slack message: its blocks, and the same in plain text for
// notifications and for when Slack rejects the blocks.
type message struct {
	blocks []slackgo.Block
	text   string
}

// Actions of buttons; their values name an answer, so that the state stays on
// the server.
const (
	actClause   = "clause"   // value: answer ID, ":", place of the citation
	actFeedback = "feedback" // value: "up:" or "down:", answer ID
	actChart    = "chart"    // value: answer ID
	actShare    = "share"    // value: answer ID
	actView     = "view"     // value: answer ID
	actAsk      = "ask"      // value: the question
)

// look says how an answer is to be shown.
type look struct {
	id      string // of the stored answer; empty: without buttons
	tongue  tongue
	asked   string // the question, when no message of the asker shows it
	preface string // a line in Slack's own markup before the answer
	share   bool   // with a button that shows it to everybody
}

// piece is a block with what it counts towards the limits, and its text.
type piece struct {
	block slackgo.Block
	units int
	table bool
	text  string
}

// render lays an answer out in as few messages as the limits allow. Every
// citation is kept, with a mark in the text, a line and a button of its own.
func render(a bot.Answer, l look) []message {
	var ps []piece
	if l.preface != "" {
		ps = append(ps, prose(l.preface)...)
	}
	if l.asked != "" {
		ps = append(ps, prose(l.tongue.say("asked", strings.ReplaceAll(escape(clamp(l.asked, 300)), "\n", " ")))...)
	}
	cited := map[int]bool{}
	for _, c := range a.Citations {
		cited[c.N] = true
	}
	body := strings.TrimSpace(mrkdwn(a.Text, cited))
	if strings.Trim(body, "\u200b \n*") == "" {
		body = l.tongue.say("empty")
	}
	var warnings []piece
	for _, w := range a.Warnings {
		text := mrkdwn(w.Text, cited)
		sign := l.tongue.say("warning", text)
		if marked, ok := replaceLine(body, text, sign); ok { // the answer says it itself
			body = marked
			continue
		}
		warnings = append(warnings, prose(sign)...)
	}
	ps = append(ps, prose(body)...)
	ps = append(ps, figures(a.Figures, l.tongue)...)
	ps = append(ps, warnings...)
	for i, c := range a.Citations {
		ps = append(ps, citation(c, i, l))
	}
	ps = append(ps, buttons(a, l)...)
	return pack(ps)
}

// replaceLine puts another line in the place of a whole line of text, if it is
// there.
func replaceLine(text, line, by string) (string, bool) {
	lines := strings.Split(text, "\n")
	i := slices.Index(lines, line)
	if i < 0 || line == "" {
		return text, false
	}
	lines[i] = by
	return strings.Join(lines, "\n"), true
}

// prose is text in Slack's own markup, as sections.
func prose(s string) (ps []piece) {
	for _, part := range split(s, maxSection) {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		text := slackgo.NewTextBlockObject(slackgo.MarkdownType, part, false, false)
		ps = append(ps, piece{block: slackgo.NewSectionBlock(text, nil, nil), units: width(part), text: part})
	}
	return ps
}

// small is a line of context below what it belongs to.
func small(s string) piece {
	s = clamp(s, maxSection)
	text := slackgo.NewTextBlockObject(slackgo.MarkdownType, s, false, false)
	return piece{block: slackgo.NewContextBlock("", text), units: width(s), text: s}
}

// citation is the line of one citation: mark, document, clause, and the quote
// as far as a line holds it; its button opens the whole clause.
func citation(c bot.Citation, i int, l look) piece {
	title := ""
	if c.Title != "" {
		title = " " + escape(clamp(c.Title, maxName))
	}
	s := l.tongue.say("citation", footnote(c.N), escape(clamp(c.Document, maxName)), escape(clamp(c.Label, maxName)), title)
	if q := strings.Join(strings.Fields(c.Quote), " "); q != "" {
		s += "\n> " + escape(clamp(q, maxQuote))
	}
	section := slackgo.NewSectionBlock(slackgo.NewTextBlockObject(slackgo.MarkdownType, s, false, false), nil, nil)
	if l.id != "" {
		b := button(actClause+":"+strconv.Itoa(i), l.id+":"+strconv.Itoa(i), l.tongue.say("button.clause"))
		section.Accessory = slackgo.NewAccessory(b)
	}
	return piece{block: section, units: width(s) + 10, text: s}
}

func button(action, value, text string) *slackgo.ButtonBlockElement {
	return slackgo.NewButtonBlockElement(action, clamp(value, 1900), slackgo.NewTextBlockObject(slackgo.PlainTextType, clamp(text, maxButton), true, false))
}

// buttons are what can be done with an answer: asking on, charts, sharing, and
// saying what it was worth.
func buttons(a bot.Answer, l look) (ps []piece) {
	if l.id == "" {
		return nil
	}
	var row []slackgo.BlockElement
	for i, q := range a.Followups {
		if q = strings.TrimSpace(q); q != "" && i < 5 {
			row = append(row, button(actAsk+":"+strconv.Itoa(i), q, q))
		}
	}
	if len(a.Figures) > 0 {
		row = append(row, button(actChart, l.id, l.tongue.say("button.chart")))
	}
	if l.share {
		row = append(row, button(actShare, l.id, l.tongue.say("button.share")).WithStyle(slackgo.StylePrimary))
	}
	if len(row) > 0 {
		ps = append(ps, piece{block: slackgo.NewActionBlock("", row...), units: 80 * len(row)})
	}
	plainText := func(key string) *slackgo.TextBlockObject {
		return slackgo.NewTextBlockObject(slackgo.PlainTextType, l.tongue.say(key), true, false)
	}
	feedback := slackgo.NewFeedbackButtonsBlockElement(actFeedback,
		slackgo.NewFeedbackButton(plainText("button.up"), "up:"+l.id), slackgo.NewFeedbackButton(plainText("button.down"), "down:"+l.id))
	return append(ps, piece{block: slackgo.NewContextActionsBlock("", feedback), units: 40})
}

// pack puts pieces into messages, in order, each within the limits; a message
// holds one table at most.
func pack(ps []piece) (out []message) {
	var m message
	units, table := 0, false
	flush := func() {
		if len(m.blocks) > 0 {
			out = append(out, m)
		}
		m, units, table = message{}, 0, false
	}
	for _, p := range ps {
		if len(m.blocks) >= maxBlocks || units+p.units > maxUnits || table && p.table {
			flush()
		}
		m.blocks = append(m.blocks, p.block)
		if p.text != "" {
			m.text = strings.TrimPrefix(m.text+"\n"+p.text, "\n")
		}
		units, table = units+p.units, table || p.table
	}
	flush()
	return out
}

// simple is a message of one text in Slack's own markup.
func simple(s string, more ...slackgo.Block) message {
	m := message{text: s}
	for _, p := range prose(s) {
		m.blocks = append(m.blocks, p.block)
	}
	m.blocks = append(m.blocks, more...)
	return m
}

// figures is the table of figures, with how fresh they are.
func figures(fs []bot.Figure, t tongue) (ps []piece) {
	for len(fs) > 0 {
		n := min(len(fs), maxRows)
		ps = append(ps, table(fs[:n], t))
		if line := fresh(fs[:n], t); line != "" {
			ps = append(ps, small(line))
		}
		fs = fs[n:]
	}
	return ps
}

// table shows target, actual and gap; to readers who may not see actual values
// the figures carry none, and the target alone is shown.
func table(fs []bot.Figure, t tongue) piece {
	b := slackgo.NewTableBlock("")
	withActual := hasActual(fs)
	keys := []string{"table.name", "table.target"}
	settings := []slackgo.ColumnSetting{{Align: slackgo.ColumnAlignmentLeft, IsWrapped: true}, {Align: slackgo.ColumnAlignmentRight, IsWrapped: true}}
	if withActual {
		keys = append(keys, "table.actual", "table.gap", "table.asof")
		settings = append(settings, settings[1], settings[1], settings[1])
	}
	p := piece{table: true}
	row := func(cells ...string) {
		var cs []slackgo.TableCell
		for _, c := range cells {
			if c = clamp(strings.ToValidUTF8(c, "\uFFFD"), maxCell); strings.TrimSpace(c) == "" {
				c = "–"
			}
			p.units += width(c)
			cs = append(cs, slackgo.NewTableRawTextCell(c))
		}
		b.AddRow(cs...)
	}
	var head, lines []string
	for _, k := range keys {
		head = append(head, t.say(k))
	}
	row(head...)
	for _, f := range fs {
		name, target, actual, gap := f.Name, goal(f), reached(f, t), distance(f, t)
		if withActual {
			row(name, target, actual, gap, f.AsOf)
			lines = append(lines, t.say("table.line", escape(clamp(name, maxCell)), escape(clamp(target, maxCell)), escape(clamp(actual, maxCell)), escape(clamp(gap, maxCell))))
		} else {
			row(name, target)
			lines = append(lines, t.say("table.line.target", escape(clamp(name, maxCell)), escape(clamp(target, maxCell))))
		}
	}
	p.block, p.text = b.WithColumnSettings(settings...), strings.Join(lines, "\n")
	return p
}

// hasActual reports whether figures hold what only staff may see.
func hasActual(fs []bot.Figure) bool {
	for _, f := range fs {
		if f.Actual != "" || f.Gap != "" || f.Progress != "" || f.Needed != "" || f.Over != "" || f.Monthly != "" {
			return true
		}
	}
	return false
}

var signs = map[string]string{">=": "≥", ">": ">", "<=": "≤", "<": "<", "=": ""}

func goal(f bot.Figure) string {
	switch {
	case f.Words != "":
		return f.Words
	case f.Target == "":
		return ""
	}
	return signs[f.Comparator] + f.Target + f.Unit
}

func reached(f bot.Figure, t tongue) string {
	if f.Actual == "" {
		return t.say("table.none")
	}
	s := f.Actual + f.Unit
	if f.Progress != "" {
		s += fmt.Sprintf(" (%s)", f.Progress)
	}
	return s
}

func distance(f bot.Figure, t tongue) string {
	switch {
	case f.Actual == "":
		return "–"
	case f.Over != "":
		return t.say("table.met") + " +" + f.Over + f.Unit
	case strings.Trim(f.Gap, "0.") == "":
		return t.say("table.met")
	}
	return f.Gap + f.Unit
}

// fresh says how old the actual values are and where they come from.
func fresh(fs []bot.Figure, t tongue) string {
	var days, sources []string
	seen := map[string]bool{}
	add := func(to *[]string, s string) {
		if s != "" && !seen[s] && len(*to) < 5 {
			seen[s] = true
			*to = append(*to, escape(clamp(s, maxName)))
		}
	}
	for _, f := range fs {
		if f.Actual != "" {
			add(&days, f.AsOf)
			add(&sources, f.Source)
		}
	}
	if len(days)+len(sources) == 0 {
		return ""
	}
	sep := "、"
	if t == english {
		sep = ", "
	}
	unknown := t.say("fresh.unknown")
	return t.say("fresh", cmp.Or(strings.Join(days, sep), unknown), cmp.Or(strings.Join(sources, sep), unknown))
}
