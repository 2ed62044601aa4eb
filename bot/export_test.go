package bot

import (
	"zhengda/internal/zh"
	"zhengda/rag"
)

// Wake lets a model that failed several times be asked again.
func Wake(m *Model) { m.resume.Store(0); m.failed.Store(0) }

// Stands says why a sentence of a model does not stand in a clause; "" when it
// does.
func Stands(b *Bot, asked, sentence string, k *rag.Clause) string {
	c := b.derive()
	j := &judge{b, c, b.model.prompts, &question{english: mostlyEnglish(zh.Fold(asked))}}
	_, why := j.statement(statement{text: sentence, markers: []int{1}}, []*rag.Clause{k})
	return why
}
