package eval

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Result is how a set of answers does.
type Result struct {
	Cases int     `json:"cases"`
	OK    float64 `json:"ok"`
	All   Row     `json:"all"`
	Types Rows    `json:"types"`
	// RefusedWhenDue and AnsweredWhenDue are the shares of the cases that want
	// a refusal, or an answer, and get it; nil where there is none.
	RefusedWhenDue  *Share    `json:"refused_when_due"`
	AnsweredWhenDue *Share    `json:"answered_when_due"`
	Failed          []Failure `json:"failed"`
}

// Failure is a case that is not OK.
type Failure struct {
	ID  string   `json:"id"`
	Why []string `json:"why"`
}

// Row holds the means over the cases of one type; nil where no case counts.
type Row struct {
	Type      string `json:"-"`
	N         int    `json:"n"`
	OK        *Share `json:"ok"`
	Text      *Share `json:"text"`
	Refuse    *Share `json:"refuse"`
	Quotes    *Share `json:"quotes"`
	Concise   *Share `json:"concise"`
	Recall    *Share `json:"cite_recall"`
	Precision *Share `json:"cite_prec"`
	Length    *Share `json:"chars"`
}

// Share is a mean with three decimals.
type Share float64

// Rows are rows in the order in which their types first come; in JSON an
// object by type.
type Rows []Row

// MarshalJSON implements json.Marshaler.
func (rs Rows) MarshalJSON() ([]byte, error) {
	b := []byte("{")
	for i, r := range rs {
		name, err := json.Marshal(r.Type)
		if err != nil {
			return nil, err
		}
		row, err := json.Marshal(r)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, name...), ':'), row...)
	}
	return append(b, '}'), nil
}

// Score judges the replies to cases, found by ID, and sums up.
func Score(cases []Case, replies []Reply, k *Corpus) Result {
	byID := make(map[string]*Reply)
	for i := range replies {
		byID[replies[i].ID] = &replies[i]
	}
	var all, due, notDue []Verdict
	byType := make(map[string][]Verdict)
	var types []string
	r := Result{Failed: []Failure{}}
	for _, c := range cases {
		v := k.Judge(c, byID[c.ID])
		all = append(all, v)
		if byType[c.Type] == nil {
			types = append(types, c.Type)
		}
		byType[c.Type] = append(byType[c.Type], v)
		if c.Refuse {
			due = append(due, v)
		} else {
			notDue = append(notDue, v)
		}
		if !v.OK {
			r.Failed = append(r.Failed, Failure{c.ID, v.Why})
		}
	}
	for _, t := range types {
		r.Types = append(r.Types, row(t, byType[t]))
	}
	r.All = row("ALL", all)
	r.Cases = len(all)
	if r.All.OK != nil {
		r.OK = float64(*r.All.OK)
	}
	refused := func(v Verdict) (float64, bool) { return truth(v.RefusedRight), true }
	r.RefusedWhenDue, r.AnsweredWhenDue = mean(due, refused), mean(notDue, refused)
	return r
}

// row sums up the cases of one type.
func row(name string, vs []Verdict) Row {
	flag := func(f func(Verdict) bool) *Share {
		return mean(vs, func(v Verdict) (float64, bool) { return truth(f(v)), true })
	}
	return Row{
		Type: name, N: len(vs),
		OK:        flag(func(v Verdict) bool { return v.OK }),
		Text:      flag(func(v Verdict) bool { return v.Text }),
		Refuse:    flag(func(v Verdict) bool { return v.RefusedRight }),
		Quotes:    flag(func(v Verdict) bool { return v.Quotes }),
		Concise:   flag(func(v Verdict) bool { return v.Concise }),
		Recall:    mean(vs, func(v Verdict) (float64, bool) { return v.Recall, v.Scored }),
		Precision: mean(vs, func(v Verdict) (float64, bool) { return v.Precision, v.Scored }),
		Length:    mean(vs, func(v Verdict) (float64, bool) { return float64(v.Length), true }),
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// mean is the mean over the verdicts that count.
func mean(vs []Verdict, f func(Verdict) (value float64, counts bool)) *Share {
	sum, n := 0.0, 0
	for _, v := range vs {
		if x, ok := f(v); ok {
			sum += x
			n++
		}
	}
	if n == 0 {
		return nil
	}
	x, err := strconv.ParseFloat(strconv.FormatFloat(sum/float64(n), 'f', 3, 64), 64)
	if err != nil {
		panic(err) // it has just been formatted
	}
	s := Share(x)
	return &s
}

// String is the table of a result, a row a type.
func (r Result) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%-15s%6s%9s%9s%9s%9s%9s%13s%11s%9s\n", "type", "n", "ok", "text", "refuse", "quotes", "concise", "cite_recall", "cite_prec", "chars")
	for _, x := range append(r.Types[:len(r.Types):len(r.Types)], r.All) {
		fmt.Fprintf(&b, "%-15s%6d%9s%9s%9s%9s%9s%13s%11s%9s\n", x.Type, x.N, x.OK, x.Text, x.Refuse, x.Quotes, x.Concise, x.Recall, x.Precision, x.Length)
	}
	fmt.Fprintf(&b, "refused when due %s, answered when due %s\n", r.RefusedWhenDue, r.AnsweredWhenDue)
	return b.String()
}

// String is the number, or - for none.
func (s *Share) String() string {
	if s == nil {
		return "-"
	}
	return strconv.FormatFloat(float64(*s), 'f', -1, 64)
}
