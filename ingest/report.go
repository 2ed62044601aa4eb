package ingest

import (
	"time"

	"zhengda/rag"
)

// Status says what became of one file.
type Status string

// The states of a file in a Report.
const (
	Added     Status = "added"
	Changed   Status = "changed"
	Unchanged Status = "unchanged"
	Failed    Status = "failed"
)

// Report says what one run of Ingest did, file by file in the order read.
type Report struct {
	Documents []DocumentReport `json:"documents"`
	// Skipped lists the files of a folder or an archive that no reader takes.
	Skipped    []string `json:"skipped,omitempty"`
	Added      int      `json:"added"`
	Changed    int      `json:"changed"`
	Unchanged  int      `json:"unchanged"`
	Failed     int      `json:"failed"`
	DryRun     bool     `json:"dry_run,omitempty"`
	Generation int64    `json:"generation"` // of the library after the run
	Timing     Timing   `json:"timing_ms"`
}

// Timing holds milliseconds.
type Timing struct {
	Total int64 `json:"total"`
}

// DocumentReport says what became of one file.
type DocumentReport struct {
	ID       string       `json:"id"`
	Title    string       `json:"title"`
	File     string       `json:"file"`
	Format   string       `json:"format,omitempty"`
	Status   Status       `json:"status"`
	Version  string       `json:"version"`
	Previous string       `json:"previous"`
	Clauses  ClauseCounts `json:"clauses"`
	// Embedded counts the clauses whose embedded text is not in the previous
	// version, each distinct text once.
	Embedded int `json:"embedded"`
	// Changes are the clauses that differ from the previous version.
	Changes  []Change        `json:"changes,omitempty"`
	Warnings []ReportWarning `json:"warnings"`
	Error    string          `json:"error"`
}

// ClauseCounts lists the labels of the clauses that differ from the previous
// version and counts those that do not.
type ClauseCounts struct {
	Added     []string `json:"added"`
	Changed   []string `json:"changed"`
	Removed   []string `json:"removed"`
	Moved     []string `json:"moved"` // same text under another label or heading
	Unchanged int      `json:"unchanged"`
}

// ReportWarning is something a reader of the document should know.
type ReportWarning struct {
	Kind    string `json:"kind"`
	Text    string `json:"text"`
	Clauses []int  `json:"clauses,omitempty"` // printed numbers
}

// Progress is how far a run has come.
type Progress struct {
	Done, Failed int
	Total        int // files found so far; final once Counted
	Counted      bool
	Bytes        int64         // read so far
	Rate         float64       // files a second since the start
	Remaining    time.Duration // 0 while unknown
	File         string        // the last one done
	Waiting      bool          // another process is publishing in this library
}

func (r *Report) add(d DocumentReport) {
	if d.Warnings == nil {
		d.Warnings = []ReportWarning{}
	}
	c := &d.Clauses
	for _, list := range []*[]string{&c.Added, &c.Changed, &c.Removed, &c.Moved} {
		if *list == nil {
			*list = []string{}
		}
	}
	r.Documents = append(r.Documents, d)
	switch d.Status {
	case Added:
		r.Added++
	case Changed:
		r.Changed++
	case Unchanged:
		r.Unchanged++
	case Failed:
		r.Failed++
	}
}

// fill compares the prepared document with the active version, which may be
// nil.
func fill(d *DocumentReport, old *version, p *prepared) {
	known := map[string]bool{}
	var before *rag.Document
	if old != nil {
		before = &old.doc
		d.Previous = itoa(old.number)
		for i := range before.Clauses {
			known[embeddedHash(before, &before.Clauses[i])] = true
		}
	}
	for i := range p.doc.Clauses {
		if h := embeddedHash(&p.doc, &p.doc.Clauses[i]); !known[h] {
			known[h] = true
			d.Embedded++
		}
	}
	if old != nil && old.hash == p.hash {
		d.Status, d.Version = Unchanged, d.Previous
		d.Clauses.Unchanged = len(p.doc.Clauses)
		return
	}
	changes := Compare(before, &p.doc)
	d.Clauses = count(changes, len(p.doc.Clauses))
	if d.Status = Added; old != nil {
		d.Status, d.Changes = Changed, changes
	}
}

// count sums up what became of n clauses.
func count(changes []Change, n int) (c ClauseCounts) {
	c.Unchanged = n
	for _, x := range changes {
		switch {
		case x.Is(New):
			c.Added = append(c.Added, x.Label)
			c.Unchanged--
		case x.Is(Gone):
			c.Removed = append(c.Removed, x.Label)
		case x.Words == nil:
			c.Moved = append(c.Moved, x.Label)
			c.Unchanged--
		default:
			c.Changed = append(c.Changed, x.Label)
			c.Unchanged--
		}
	}
	return c
}
