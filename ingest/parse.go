package ingest

import (
	"zhengda/rag"
)

// Parsed is a document as it was read: what is printed where, with nothing
// lost. Every visible rune of the source belongs to exactly one of Title, a
// paragraph of Preamble, a chapter heading, a clause or a dropped warning.
// All offsets are rune offsets in the text given to Parse.
type Parsed struct {
	Title string `json:"title"`
	// Subject is the title of the one document that a covering notice carries;
	// empty where there is no covering notice, or one for several.
	Subject string `json:"subject,omitempty"`
	// Preamble is the unnumbered text before the first clause.
	Preamble []Paragraph `json:"preamble"`
	Chapters []Chapter   `json:"chapters"`
	Clauses  []Clause    `json:"clauses"`
	Warnings []Warning   `json:"warnings"`
}

// Paragraph is a paragraph of the preamble.
type Paragraph struct {
	Label string `json:"label"` // its own lead-in (总体奋斗目标), its role (文号, 主送, 落款), else 前言第1段
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
}

// Chapter is a heading above clauses. Without Label and Number it is the title
// of a further document in the same file, or a heading that lost its number.
type Chapter struct {
	rag.Chapter
	Start int `json:"start"`
	End   int `json:"end"`
}

// Clause is the smallest citable unit; its fields are those of rag.Clause.
type Clause struct {
	Label  string   `json:"label"`
	Number int      `json:"number"`
	Title  string   `json:"title"`
	Path   []string `json:"path"`
	Text   string   `json:"text"`
	Start  int      `json:"start"`
	End    int      `json:"end"`

	key string // Label with the part it stands in: unique in the document
}

// Kinds of warnings.
const (
	Dropped         = "dropped"          // page chrome, page numbers, markup
	MissingNumber   = "missing_number"   // the sequence of numbers has a gap
	RepeatedNumber  = "repeated_number"  // a number stands twice in a sequence
	GluedHeading    = "glued_heading"    // a marker stood in the middle of a line
	BrokenParagraph = "broken_paragraph" // a sentence was cut by a blank line
)

// Warning is something the reader should know about the source, which is
// never repaired in silence.
type Warning struct {
	Kind  string `json:"kind"`
	Text  string `json:"text"`
	Start int    `json:"start"`
	End   int    `json:"end"`
	// Range repeats Start and End where the runes belong to no other part.
	Range *Range `json:"dropped,omitempty"`
}

// Range is a range of rune offsets.
type Range struct {
	Start int `json:"start"`
	End   int `json:"end"`
}
