package ingest

import (
	"fmt"
	"slices"
	"strings"

	"zhengda/rag"
)

// Severity says how much a Finding matters.
type Severity string

// Severities, gravest first: an answer that states the thing would be wrong;
// a reader may be misled; a blemish.
const (
	Error   Severity = "error"
	Caution Severity = "warning"
	Note    Severity = "note"
)

// Finding is a defect or contradiction in published text.
type Finding struct {
	Kind     string   `json:"kind"`
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`   // in Chinese, for a person
	Quotes   []Quote  `json:"quotes"` // what shows it; the suspicious place first
}

// Quote is a place in a clause.
type Quote struct {
	DocumentID string `json:"document_id"`
	Document   string `json:"document"`
	ClauseID   string `json:"clause_id"`
	Label      string `json:"label"`
	Clause     int    `json:"clause"` // printed number
	Text       string `json:"text"`   // verbatim
	Start      int    `json:"start"`  // rune offsets of Text in the clause's text
	End        int    `json:"end"`
}

// Lint looks for contradictions and defects: in each document, and between
// documents of one issuer and one year. It only reads; the findings come by
// document, then severity, then place. Few false alarms count for more than
// many finds.
func Lint(docs []rag.Document) []Finding {
	var out []Finding
	for i := range docs {
		d := &docs[i]
		l := newLinter(d)
		for _, check := range []func(){l.contradictions, l.totals, l.references, l.terms, l.typos, l.dates} {
			check()
		}
		slices.SortStableFunc(l.found, func(a, b Finding) int { return rank(a.Severity) - rank(b.Severity) })
		out = append(out, l.found...)
	}
	return append(out, across(docs)...)
}

func rank(s Severity) int { return slices.Index([]Severity{Error, Caution, Note}, s) }

// linter checks one document.
type linter struct {
	doc   *rag.Document
	runes [][]rune // the clauses' texts
	found []Finding
}

func (l *linter) add(kind string, s Severity, text string, quotes ...Quote) {
	l.found = append(l.found, Finding{kind, s, text, quotes})
}

// quote is the place start to end of clause i.
func (l *linter) quote(i, start, end int) Quote {
	c := &l.doc.Clauses[i]
	return Quote{DocumentID: l.doc.ID, Document: l.doc.Title, ClauseID: c.ID, Label: c.Label, Clause: c.Number,
		Text: string(l.runes[i][start:end]), Start: start, End: end}
}

// warning is the finding as a report shows it.
func (f Finding) warning() ReportWarning {
	w := ReportWarning{Kind: f.Kind, Text: f.Text}
	for _, q := range f.Quotes {
		if !slices.Contains(w.Clauses, q.Clause) {
			w.Clauses = append(w.Clauses, q.Clause)
		}
	}
	return w
}

// parseFindings are the defects that parsing met with: numbers missing from
// a sequence or standing twice in it.
func parseFindings(p Parsed, d *rag.Document) (out []Finding) {
	for _, w := range p.Warnings {
		if w.Kind != MissingNumber && w.Kind != RepeatedNumber {
			continue
		}
		f := Finding{Kind: w.Kind, Severity: Caution, Text: w.Text}
		for i := range d.Clauses {
			if c := &d.Clauses[i]; w.Start >= c.Start && w.Start < c.End {
				f.Quotes = append(f.Quotes, Quote{DocumentID: d.ID, Document: d.Title, ClauseID: c.ID, Label: c.Label, Clause: c.Number,
					Text: firstRunes(c.Text, 30), Start: 0, End: min(30, len([]rune(c.Text)))})
				break
			}
		}
		out = append(out, f)
	}
	return out
}

func firstRunes(s string, n int) string {
	r := []rune(s)
	return string(r[:min(n, len(r))])
}

// where names a place for a person.
func where(q Quote) string {
	return fmt.Sprintf("%s「%s」", q.Label, strings.Join(strings.Fields(q.Text), " "))
}
