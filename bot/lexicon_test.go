package bot

import (
	"strings"
	"testing"
	"testing/fstest"
)

// TestLexiconExtends: files of the administrator add to the built-in ones.
func TestLexiconExtends(t *testing.T) {
	x, err := NewLexicon(fstest.MapFS{
		"terms.txt":        {Data: []byte("# ours\n瞪羚 = 高成长企业, 高企\n")},
		"policy_terms.txt": {Data: []byte("量子券\n")},
		"patterns.txt":     {Data: []byte("[forms]\ngreeting = ^吃了吗$\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := x.synonyms["瞪羚"]; len(got) != 2 || got[0] != "高成长企业" {
		t.Errorf("synonyms %v", got)
	}
	if !x.form("greeting", "吃了吗") || !x.form("greeting", "你好") {
		t.Error("the pattern was not added")
	}
}

// TestLexiconRefusesBadFiles: a line that cannot be read is named.
func TestLexiconRefusesBadFiles(t *testing.T) {
	for _, c := range [][2]string{{"terms.txt", "没有等号"}, {"patterns.txt", "[forms]\nyesno = ("}, {"phrases.txt", "[said]\nzh = {{.Label"},
		{"patterns.txt", "[forms]\norder = 忽略|"}, {"patterns.txt", "[forms]\norder = .*"}, {"patterns.txt", "[forms]\norder = 政策"}} {
		_, err := NewLexicon(fstest.MapFS{c[0]: {Data: []byte(c[1])}})
		if err == nil || !strings.Contains(err.Error(), c[0]) {
			t.Errorf("%s %s: %v", c[0], c[1], err)
		}
	}
}

// TestPhrasesSpeakBothLanguages: every phrase has Chinese and English with the
// same arguments.
func TestPhrasesSpeakBothLanguages(t *testing.T) {
	x, err := NewLexicon(nil)
	if err != nil {
		t.Fatal(err)
	}
	for key, p := range x.phrases {
		if p.zh == nil || p.en == nil {
			t.Errorf("%s: one language is missing", key)
		}
	}
}
