// Package rag holds documents and their clauses, and the index that finds
// them.
package rag

import "time"

// Document is one published version of a policy document.
type Document struct {
	ID      string // stable across versions, e.g. "xian-2024-a1b2c3"
	Title   string
	Version string // content hash prefix or number, as printed in citations
	Meta    Meta
	// Chapters are the headings that group clauses, in reading order.
	Chapters []Chapter
	// Clauses are in reading order: the unnumbered text before the first
	// clause comes first with Number 0.
	Clauses []Clause
}

// Meta is what is known about a document beside its text. Zero values mean
// unknown.
type Meta struct {
	Number     string // 文号, e.g. 国发〔2019〕5号
	Issuer     string
	Year       int       // the year the document is about, from its title
	Issued     time.Time // date of issue
	Effective  time.Time // in force from
	Repealed   time.Time // no longer in force from
	Audience   string    // "public" (default) or "staff"
	Supersedes string    // title or 文号 of what it replaces
	Source     string    // file name it was read from
	URL        string
}

// Chapter is a heading above clauses (章, 节, 一、).
type Chapter struct {
	Label  string `json:"label"` // as printed, without punctuation: "一", "第一章"
	Number int    `json:"number"`
	Title  string `json:"title"`
	// Path are the full headings above this one, outermost first.
	Path []string `json:"path,omitempty"`
}

// Clause is the smallest unit that can be cited.
type Clause struct {
	// ID is stable while other clauses change: document ID, "#", and the
	// marker with its parents (doc#17, doc#二（三）, doc#第十二条, doc#前言1).
	ID       string
	Document string   // ID of the document it belongs to
	Label    string   // as cited: 第17条, 第十二条, 一、（二）3., 总体奋斗目标, 前言第1段
	Number   int      // printed number; 0 for unnumbered text
	Title    string   // run-in title without its full stop; may be empty
	Path     []string // full chapter headings above, outermost first: "六、推动科创生态优化,营造良好创新环境"
	// Text is the whole clause, verbatim, without its printed marker; lines
	// broken in mid-sentence are joined, paragraphs are separated by "\n".
	Text string
	// Start and End are rune offsets in the decoded source, marker included.
	Start, End int
}
