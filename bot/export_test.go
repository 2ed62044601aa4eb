package bot

import (
	"strconv"

	"zhengda/rag"
)

// Wake lets a model that failed several times be asked again.
func Wake(m *Model) { m.resume.Store(0); m.failed.Store(0) }

// Pick is the sentence of a clause that a statement of a model copies, or why
// there is none.
func Pick(b *Bot, said string, k *rag.Clause) (text, why string) {
	whole := evidence{clause: k, doc: b.derive().byID[k.Document]}
	var es []evidence
	for _, s := range sentencesOf(whole) {
		es = append(es, whole.at(s))
	}
	e, why := pick(said, es)
	return e.text, why
}

// Each is what a sentence asks of several things, one by one.
func (x *Lexicon) Each(s string) []string {
	var out []string
	for _, p := range x.each(s) {
		out = append(out, p.text)
	}
	return out
}

// Statements are those of a draft, each with the numbers that it marks.
func Statements(draft string) []string {
	var out []string
	for _, s := range statements(draft) {
		text := s.text
		for _, n := range s.markers {
			text += " " + strconv.Itoa(n)
		}
		out = append(out, text)
	}
	return out
}
