package ingest

import (
	_ "embed"
	"regexp"
	"strings"
	"unicode/utf8"

	"zhengda/internal/zh"
)

// wordRun is what is never marked in part: a number, a Latin word.
var wordRun = regexp.MustCompile(`[0-9０-９]+(?:[.,][0-9]+)*%?|[A-Za-z]+|.|\n`)

// maxEdits bounds the search for the shortest difference.
const maxEdits = 1000

// markWords is the difference between two texts.
func markWords(a, b string) []Edit {
	x, y := wordRun.FindAllString(a, -1), wordRun.FindAllString(b, -1)
	head := 0
	for head < len(x) && head < len(y) && x[head] == y[head] {
		head++
	}
	tail := 0
	for tail < len(x)-head && tail < len(y)-head && x[len(x)-1-tail] == y[len(y)-1-tail] {
		tail++
	}
	var e edits
	e.add("=", x[:head]...)
	e.shortest(x[head:len(x)-tail], y[head:len(y)-tail])
	e.add("=", x[len(x)-tail:]...)
	return e.tidy()
}

type edits []Edit

func (e *edits) add(op string, words ...string) {
	if len(words) == 0 {
		return
	}
	text := strings.Join(words, "")
	if n := len(*e); n > 0 && (*e)[n-1].Op == op {
		(*e)[n-1].Text += text
		return
	}
	*e = append(*e, Edit{op, text})
}

// shortest appends the shortest difference of x and y (Myers, An O(ND)
// Difference Algorithm and Its Variations, 1986), or all of both when they
// have little in common.
func (e *edits) shortest(x, y []string) {
	n, m := len(x), len(y)
	limit := min(n+m, maxEdits)
	v := make([]int, 2*limit+3)
	at := func(k int) *int { return &v[k+limit+1] }
	var trace [][]int
	for d := 0; d <= limit; d++ {
		trace = append(trace, append([]int(nil), v[limit+1-d:limit+2+d]...))
		for k := -d; k <= d; k += 2 {
			i := 0
			if k == -d || k != d && *at(k - 1) < *at(k + 1) {
				i = *at(k + 1)
			} else {
				i = *at(k - 1) + 1
			}
			for i < n && i-k < m && x[i] == y[i-k] {
				i++
			}
			*at(k) = i
			if i >= n && i-k >= m {
				e.follow(x, y, trace)
				return
			}
		}
	}
	e.add("-", x...)
	e.add("+", y...)
}

// follow walks the trace of shortest back from the end.
func (e *edits) follow(x, y []string, trace [][]int) {
	i, j := len(x), len(y)
	var back []Edit
	for d := len(trace) - 1; d >= 0; d-- {
		v := func(k int) int { // trace[d] holds diagonals -d to d before step d
			if k < -d || k > d {
				return -1
			}
			return trace[d][k+d]
		}
		k := i - j
		from := k - 1
		if k == -d || k != d && v(k-1) < v(k+1) {
			from = k + 1
		}
		pi, pj := 0, 0
		if d > 0 {
			pi = v(from)
			pj = pi - from
		}
		for i > pi && j > pj {
			back = append(back, Edit{"=", x[i-1]})
			i, j = i-1, j-1
		}
		switch {
		case d == 0:
		case from == k+1:
			back = append(back, Edit{"+", y[j-1]})
			j--
		default:
			back = append(back, Edit{"-", x[i-1]})
			i--
		}
	}
	for n := len(back) - 1; n >= 0; n-- {
		e.add(back[n].Op, back[n].Text)
	}
}

// tidy takes single characters that stayed between changes into them, and
// puts what went before what came.
func (e edits) tidy() []Edit {
	var out edits
	for i := 0; i < len(e); {
		if e[i].Op == "=" {
			out.add("=", e[i].Text)
			i++
			continue
		}
		var went, came string
		for ; i < len(e); i++ {
			island := e[i].Op == "=" && i+1 < len(e) && utf8.RuneCountInString(e[i].Text) == 1 && !strings.ContainsAny(e[i].Text, "，,。；;、：:\n")
			if e[i].Op == "=" && !island {
				break
			}
			if e[i].Op != "+" {
				went += e[i].Text
			}
			if e[i].Op != "-" {
				came += e[i].Text
			}
		}
		if went != "" {
			out.add("-", went)
		}
		if came != "" {
			out.add("+", came)
		}
	}
	return out
}

//go:embed data/classes.txt
var classesTxt string

// classWords are words whose coming or going changes what a clause means.
var classWords = readClassWords(classesTxt)

func readClassWords(txt string) map[Class][]string {
	m := map[Class][]string{}
	for line := range strings.Lines(txt) {
		f := strings.Fields(line)
		if len(f) > 1 && !strings.HasPrefix(f[0], "#") {
			m[Class(f[0])] = append(m[Class(f[0])], f[1:]...)
		}
	}
	return m
}

// classify says in what respects b differs from a.
func classify(a, b string, words []Edit) []Class {
	var out []Class
	amounts, times := figures(a)
	amounts2, times2 := figures(b)
	if amounts != amounts2 {
		out = append(out, NumberChanged)
	}
	if times != times2 || touches(words, DeadlineChanged) {
		out = append(out, DeadlineChanged)
	}
	if touches(words, ScopeChanged) || listChanged(words) {
		out = append(out, ScopeChanged)
	}
	if len(out) == 0 {
		out = append(out, WordingChanged)
	}
	return out
}

// figures lists the amounts and the times of s.
func figures(s string) (amounts, times string) {
	for _, q := range zh.Quantities(s) {
		if q.Ordinal {
			continue
		}
		f := q.Value.String() + q.Unit + string(q.Cmp) + ";"
		if q.Date || isPeriod(q.Unit) {
			times += f
		} else {
			amounts += f
		}
	}
	return amounts, times
}

func isPeriod(unit string) bool {
	switch unit {
	case "年", "月", "日", "天", "个月", "工作日", "小时", "周", "季度", "分钟":
		return true
	}
	return false
}

func touches(words []Edit, k Class) bool {
	for _, e := range words {
		if e.Op == "=" {
			continue
		}
		for _, w := range classWords[k] {
			if strings.Contains(e.Text, w) {
				return true
			}
		}
	}
	return false
}

// listChanged reports that an item of an enumeration came or went.
func listChanged(words []Edit) bool {
	for i, e := range words {
		if e.Op == "=" {
			continue
		}
		alone := !(i > 0 && words[i-1].Op == "-") && !(i+1 < len(words) && words[i+1].Op == "+" && e.Op == "-")
		if alone && (strings.HasPrefix(e.Text, "、") || strings.HasSuffix(e.Text, "、")) {
			return true
		}
	}
	return false
}
