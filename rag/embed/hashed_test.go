package embed_test

import (
	"slices"
	"testing"

	"zhengda/rag/embed"
	"zhengda/rag/embed/embedtest"
)

func TestHashed(t *testing.T) {
	embedtest.Run(t, embed.NewHashed(256))
}

func TestHashedSimilarity(t *testing.T) {
	e := embed.NewHashed(1024)
	v, err := e.Embed(t.Context(), []string{"先投后股试点", "开展“先投后股”试点工作", "政务新媒体", "……", "ＧＤＰ", "gdp"})
	if err != nil {
		t.Fatal(err)
	}
	if near, far := embedtest.Cosine(v[0], v[1]), embedtest.Cosine(v[0], v[2]); near < .5 || far > .2 {
		t.Errorf("cosine %.2f with shared words, %.2f without", near, far)
	}
	if v[3][0] != 1 {
		t.Error("a text without letters is not the first axis")
	}
	if !slices.Equal(v[4], v[5]) {
		t.Error("full-width capitals change the vector")
	}
}
