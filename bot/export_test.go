package bot

import (
	"zhengda/internal/zh"
	"zhengda/rag"
)

// Wake lets a model that failed several times be asked again.
func Wake(m *Model) { m.resume.Store(0); m.failed.Store(0) }

// Stands is a sentence of a model as it is shown, or why it does not stand in a
// clause.
func Stands(b *Bot, asked, sentence string, k *rag.Clause) (shown, why string) {
	j := &judge{b, b.derive(), b.model.prompts, &question{english: mostlyEnglish(zh.Fold(asked))}}
	found, why := j.statement(statement{text: sentence, markers: []int{1}}, []*rag.Clause{k})
	for _, f := range found {
		shown += f.text
	}
	return shown, why
}

// Each is what a sentence asks of several things, one by one.
func (x *Lexicon) Each(s string) []string {
	var out []string
	for _, p := range x.each(s) {
		out = append(out, p.text)
	}
	return out
}
