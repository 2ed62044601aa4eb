package zh

// Span is a range of runes.
type Span struct{ Start, End int }

// Sentences splits s at 。！？； and line ends, never inside quotation marks,
// 《》 or brackets that close within the line. Spans hold no surrounding white space and
// are never empty.
func Sentences(s string) []Span {
	r := []rune(s)
	var out []Span
	start := 0
	emit := func(end int) {
		a, b := start, end
		for a < b && isSpace(r[a]) {
			a++
		}
		for b > a && isSpace(r[b-1]) {
			b--
		}
		if a < b {
			out = append(out, Span{a, b})
		}
		start = end
	}
	for i := 0; i < len(r); i++ {
		switch c := r[i]; {
		case c == '\n':
			emit(i)
		case closer(c) != 0:
			if j := closing(r, i); j > 0 {
				if end := lastStop(r, i, j); end {
					emit(j + 1) // “…。” ends the sentence with its quotation
				}
				i = j
			}
		case c == '。' || c == '！' || c == '？' || c == '；' || c == '!' || c == '?' || c == ';':
			emit(i + 1)
		}
	}
	emit(len(r))
	return out
}

func isSpace(r rune) bool {
	return r == ' ' || r == '\n' || r == '\t' || r == '\r' || r == '\u3000' || r == '\u00a0'
}

func closer(r rune) rune {
	switch r {
	case '“':
		return '”'
	case '《':
		return '》'
	case '（':
		return '）'
	case '(':
		return ')'
	case '「':
		return '」'
	}
	return 0
}

// closing finds the partner of the opening mark at r[i], at most 120 runes on
// and in the same line.
func closing(r []rune, i int) int {
	want := closer(r[i])
	for j := i + 1; j < len(r) && j < i+120 && r[j] != '\n'; j++ {
		if r[j] == want {
			return j
		}
	}
	return 0
}

func lastStop(r []rune, i, j int) bool {
	return r[i] == '“' && j > i+1 && (r[j-1] == '。' || r[j-1] == '！' || r[j-1] == '？')
}
