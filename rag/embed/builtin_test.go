package embed_test

import (
	"bufio"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"slices"
	"strings"
	"testing"

	"zhengda/rag/embed"
	"zhengda/rag/embed/embedtest"
)

func builtinOn(t testing.TB, kernel string) *embed.Model {
	t.Helper()
	m, err := embed.BuiltinOn(kernel, 2)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// golden reads the texts of testdata/golden.txt and their vectors according to
// onnxruntime with the original weights.
func golden(t *testing.T) (texts []string, vectors [][]float32) {
	t.Helper()
	text, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open("testdata/golden.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var line struct{ Vector []byte }
		if err := json.Unmarshal(s.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		v := make([]float32, len(line.Vector)/2)
		for i := range v {
			v[i] = float16(binary.LittleEndian.Uint16(line.Vector[2*i:]))
		}
		vectors = append(vectors, v)
	}
	texts = strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	if len(texts) != len(vectors) || len(texts) < 60 {
		t.Fatalf("%d texts, %d vectors", len(texts), len(vectors))
	}
	return texts, vectors
}

// float16 decodes a half-precision number that is zero or finite.
func float16(b uint16) float32 {
	exponent, fraction := int(b>>10&0x1f), float64(b&0x3ff)
	x := math.Ldexp(1024+fraction, exponent-25)
	if exponent == 0 {
		x = math.Ldexp(fraction, -24)
	}
	if b>>15 == 1 {
		x = -x
	}
	return float32(x)
}

func TestFloat16(t *testing.T) {
	b, _ := base64.StdEncoding.DecodeString("ADwAwAABAIA=") // 1, -2, 2⁻¹⁶, -0
	for i, want := range []float32{1, -2, 1. / 65536, 0} {
		if got := float16(binary.LittleEndian.Uint16(b[2*i:])); got != want {
			t.Errorf("number %d: %g, want %g", i, got, want)
		}
	}
}

func TestVectorsMatchOriginal(t *testing.T) {
	texts, want := golden(t)
	fast, err := builtinOn(t, embed.Kernels()[0]).Embed(t.Context(), texts)
	if err != nil {
		t.Fatal(err)
	}
	if err := embed.Check(fast, len(texts), 512); err != nil {
		t.Fatal(err)
	}
	for i, v := range fast {
		if c := embedtest.Cosine(v, want[i]); c < .998 {
			t.Errorf("cosine %.5f to the original: %s", c, texts[i])
		}
	}
	// The other kernels are slower: every fourth text will do.
	for _, kernel := range embed.Kernels()[1:] {
		t.Run(kernel, func(t *testing.T) {
			m := builtinOn(t, kernel)
			for i := 0; i < len(texts); i += 4 {
				v, err := m.Embed(t.Context(), texts[i:i+1])
				if err != nil {
					t.Fatal(err)
				}
				if c := embedtest.Cosine(v[0], want[i]); c < .998 {
					t.Errorf("cosine %.5f to the original: %s", c, texts[i])
				}
				if c := embedtest.Cosine(v[0], fast[i]); c < .999 {
					t.Errorf("cosine %.5f to %s: %s", c, embed.Kernels()[0], texts[i])
				}
			}
		})
	}
}

func TestBuiltin(t *testing.T) {
	m, err := embed.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	if m.Name() != "bge-small-zh-v1.5/int8" || m.Dim() != 512 {
		t.Errorf("model %s of dimension %d", m.Name(), m.Dim())
	}
	for _, kernel := range embed.Kernels() {
		t.Run(kernel, func(t *testing.T) { embedtest.Run(t, builtinOn(t, kernel)) })
	}
	if _, err := embed.BuiltinOn("abacus", 1); err == nil {
		t.Error("an unknown instruction set is accepted")
	}
}

func TestBuiltinKnowsMeaning(t *testing.T) {
	m := builtinOn(t, embed.Kernels()[0])
	v, err := m.Embed(t.Context(), []string{
		"创业公司没钱能不能让政府先给钱以后算入股",
		"探索开展“先投后股”试点工作，支持一批科技成果转化和科技人才创业企业。",
		"推进政务新媒体与政府网站整体协同。",
	})
	if err != nil {
		t.Fatal(err)
	}
	near, far := embedtest.Cosine(v[0], v[1]), embedtest.Cosine(v[0], v[2])
	if near < far+.1 {
		t.Errorf("cosine %.3f to the clause that answers, %.3f to another", near, far)
	}
}

func TestLongTextIsMeanOfWindows(t *testing.T) {
	m := builtinOn(t, embed.Kernels()[0])
	const window = 510
	runes := []rune(strings.Repeat("支持科技型企业开展技术创新，完善贴息政策，加强人才引进。", 40))[:900]
	parts := []string{string(runes[:window]), string(runes[len(runes)-window:])}
	v, err := m.Embed(t.Context(), append(parts, string(runes)))
	if err != nil {
		t.Fatal(err)
	}
	mean := make([]float32, m.Dim())
	for i := range mean {
		mean[i] = v[0][i] + v[1][i]
	}
	if c := embedtest.Cosine(mean, v[2]); c < .9999 {
		t.Errorf("cosine %.5f to the mean of its windows", c)
	}
}

func TestFoldMakesTextsEqual(t *testing.T) {
	m := builtinOn(t, embed.Kernels()[0])
	v, err := m.Embed(t.Context(), []string{"GDP增长８％，“揭榜”", "gdp增长8%，\"揭榜\""})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(v[0], v[1]) {
		t.Error("full-width and capital letters change the vector")
	}
}

// BenchmarkEmbed times one question of 20 tokens on one core, one clause of
// 300 and a batch of clauses on two.
func BenchmarkEmbed(b *testing.B) {
	clause := strings.Repeat("科技型中小企业申请贴息", 28)
	var batch []string
	for i := range 32 {
		batch = append(batch, clause[:(40+6*i)*3])
	}
	for _, what := range []struct {
		name  string
		cores int
		texts []string
	}{
		{"question", 1, []string{clause[:18*3]}},
		{"clause", 2, []string{clause[:298*3]}},
		{"batch", 2, batch},
	} {
		for _, kernel := range embed.Kernels() {
			b.Run(what.name+"/"+kernel, func(b *testing.B) {
				m, err := embed.BuiltinOn(kernel, what.cores)
				if err != nil {
					b.Fatal(err)
				}
				for b.Loop() {
					if _, err := m.Embed(b.Context(), what.texts); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}
