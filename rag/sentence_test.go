package rag

import (
	"testing"

	"zhengda/rag/embed"
)

func TestSentences(t *testing.T) {
	for name, limit := range map[string]int{"at build": 0, "when asked": -1} {
		t.Run(name, func(t *testing.T) {
			e := &counting{Embedder: embed.NewHashed(256)}
			x := build(t, Options{Embedder: e, SentenceLimit: limit})
			c, _ := x.Clause("a-rules#3")
			e.texts = 0
			for range 2 {
				got, err := x.Sentences(t.Context(), Query{Text: "评价不合格怎么办"}, []*Clause{c})
				if err != nil || len(got) != 2 {
					t.Fatalf("%v %v", got, err)
				}
				if got[0].Text != "省科技厅每年组织一次评价。" || string([]rune(c.Text)[got[1].Start:got[1].End]) != got[1].Text {
					t.Errorf("sentences %v", got)
				}
				best, _ := BestSentence(got)
				if best.Text != "评价不合格的，取消资格。" || best.Lexical <= got[0].Lexical || best.Dense <= got[0].Dense || best.Coverage <= got[0].Coverage {
					t.Errorf("best is %+v", best)
				}
			}
			want := 1 // the question
			if limit < 0 {
				want = 3
			}
			if e.texts != want {
				t.Errorf("embedded %d texts, want %d", e.texts, want)
			}
		})
	}
	x := build(t, Options{})
	other := &Clause{ID: "none", Text: "不在索引里的条款。也能评分。"}
	if got, err := x.Sentences(t.Context(), Query{Text: "评分"}, []*Clause{other}); err != nil || len(got) != 2 || got[1].Lexical <= got[0].Lexical {
		t.Errorf("a clause from outside: %v %v", got, err)
	}
	if got, err := x.Sentences(t.Context(), Query{Text: "评分"}, nil); err != nil || len(got) != 0 {
		t.Errorf("no clauses: %v %v", got, err)
	}
	if _, ok := BestSentence(nil); ok {
		t.Error("none of no sentences is best")
	}
}
