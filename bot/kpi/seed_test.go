package kpi

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// seeds reads the curated indicators of the first document.
func seeds(t testing.TB) []Indicator {
	t.Helper()
	inds := readSeed(t, filepath.Join(root(t), "seeds", "kpis.csv"))
	f, err := os.Open(filepath.Join(root(t), "seeds", "kpi_aliases.txt"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := ReadAliases(f, inds); err != nil {
		t.Fatal(err)
	}
	return inds
}

func readSeed(t testing.TB, path string) []Indicator {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	inds, err := ReadIndicators(f)
	if err != nil {
		t.Fatal(err)
	}
	return inds
}

func TestSeeds(t *testing.T) {
	inds, problems := Bind(plan2024(t), seeds(t))
	if len(inds) != 21 || problems != nil {
		t.Fatalf("%d indicators, problems %q; want 21 and none", len(inds), problems)
	}
	for _, i := range inds {
		if i.Year != 2024 || i.Document != "plan2024" || i.ClauseID == "" {
			t.Errorf("%s is not bound: %+v", i.Code, i)
		}
		for _, m := range i.Conflicts() {
			if !m.Suspicious || m.Unit != "万家" || m.Clause != 12 {
				t.Errorf("%s: %+v is not the slip of clause 12", i.Code, m)
			}
		}
	}
	if n := len(inds[0].Conflicts()); inds[0].Code != "gaoqi_total" || n != 1 {
		t.Errorf("gaoqi_total has %d conflicts; want 1", n)
	}
	doc := plan2024(t)
	doc.Clauses[1].Text = strings.Replace(doc.Clauses[1].Text, "13000家", "13500家", 1)
	if _, problems := Bind(doc, seeds(t)); len(problems) != 4 {
		t.Errorf("a changed sentence of four targets: problems %q", problems)
	}
}

func TestReadIndicatorsErrors(t *testing.T) {
	head := "code,name_zh,unit,target_value,comparator,clause,source_sentence,canonical_code\n"
	for in, want := range map[string]string{
		"":                           "空",
		"code,unit\n":                "缺少列 name_zh",
		head + "a,甲,家,x,=,1,句,\n":    "第2行",
		head + "a,甲,家,1,~,1,句,\n":    "comparator",
		head + "a,甲,家,1,=,一,句,\n":    "clause",
		head + "a,甲,,1,=,1,句,\n":     "不得为空",
		head + "a,甲,家,1,=,1,句,zzz\n": "canonical_code",
		head + "a,甲\n":               "2列",
		head + "a,\xff,家,1,=,1,句,\n": "UTF-8",
	} {
		if _, err := ReadIndicators(strings.NewReader(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", in, err, want)
		}
	}
}

func TestReadAliasesErrors(t *testing.T) {
	inds := []Indicator{{Code: "a"}}
	for in, want := range map[string]string{"a 甲": "制表符", "# ok\nb\t甲": "第2行"} {
		if err := ReadAliases(strings.NewReader(in), inds); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %s", in, err, want)
		}
	}
	if err := ReadAliases(strings.NewReader("\ufeffa\t甲、乙 R&D_x"), inds); err != nil || strings.Join(inds[0].Aliases, "|") != "甲|乙|R&D x" {
		t.Errorf("aliases %q, %v", inds[0].Aliases, err)
	}
}
