package zh

import (
	"fmt"
	"strings"
	"testing"
)

func TestNumeral(t *testing.T) {
	for s, want := range map[string]int{
		"12": 12, "１２": 12, "12,000": 12000, "十二": 12, "二十": 20, "一百零一": 101, "一百一十": 110, "二〇二四": 2024, "二○二四": 2024,
		"三千八百": 3800, "一万二": 12000, "一千二": 1200, "一万零二": 10002, "两千三": 2300, "一亿二千万": 120000000, "1.2万": 12000, "十": 10, "一百二十三": 123,
	} {
		if got, ok := Numeral(s); !ok || got != want {
			t.Errorf("Numeral(%q) = %d, %v; want %d", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "万", "条", "1.5", "十二条", "a"} {
		if got, ok := Numeral(s); ok {
			t.Errorf("Numeral(%q) = %d; want none", s, got)
		}
	}
	for n := 1; n < 10000; n++ {
		if got, ok := Numeral(FormatNumeral(n)); !ok || got != n {
			t.Fatalf("FormatNumeral(%d) = %s reads as %d", n, FormatNumeral(n), got)
		}
	}
}

func TestQuantities(t *testing.T) {
	for s, want := range map[string]string{
		"总数达到13000家,入库超过16000家": "13000家>= 16000家>",
		"突破13000万家、16000万家":     "130000000家> 160000000家=",
		"保持在5%以上":               "5%>=",
		"突破5000亿元":              "500000000000元>",
		"累计培育技术转移人才3800名以上":     "3800名>=",
		"自同意之日起四十五日内发出,并在一年内结案": "45日<= 1年<=",
		"第十七条规定的三项":             "#17条 3项=",
		"支持一批企业、一种模式":           "",
		"不低于百分之五十":              "50%>=",
		"百分之一点五":                "1.5%=",
		"允许不超过五分之一":             "20%<=",
		"2024年9月30日":            "@2024年 @930日",
		"公示时间不得少于十五日":           "15日>=",
		"处二万元以上十万元以下的罚款":        "20000元>= 100000元<=",
		"GB 5009.179":           "5009.179=",
		"1.5万人":                 "15000名=",
		"3,860.5亿元":             "386050000000元=",
		"近2个会计年度":               "2年=",
		"连续三个月":                 "3个月=",
		"支持IPv6":                "",
		"约5个左右":                 "5个=",
		"十四五规划":                 "",
		"厚度低于0.01毫米":            "0.01毫米<",
		"最高不超过200万元":            "2000000元<=",
		"“一院一所一校一港一企”模式":        "1所=",
	} {
		var got []string
		for _, q := range Quantities(s) {
			p := ""
			if q.Ordinal {
				got = append(got, fmt.Sprintf("#%s%s", q.Value, q.Unit))
				continue
			}
			if q.Date {
				got = append(got, fmt.Sprintf("@%s%s", q.Value, q.Unit))
				continue
			}
			got = append(got, fmt.Sprintf("%s%s%s%s", p, q.Value, q.Unit, q.Cmp))
		}
		if g := strings.Join(got, " "); g != want {
			t.Errorf("%s: %s; want %s", s, g, want)
		}
	}
}

func TestFoldMap(t *testing.T) {
	s := "Ａ“先投後股”１㎡—\u200b完"
	f, at := FoldMap(s)
	if string(f) != `a"先投後股"1m2-完` {
		t.Errorf("Fold = %q", string(f))
	}
	if r := []rune(s); r[at[len(f)-1]] != '完' || at[len(f)] != len(r) {
		t.Error("the map back is wrong")
	}
}

func TestSentences(t *testing.T) {
	s := "第一句。他说：“好。再来！”后句；第三《a。b》句\n末行(1。2)止"
	var got []string
	for _, p := range Sentences(s) {
		got = append(got, string([]rune(s)[p.Start:p.End]))
	}
	if g := strings.Join(got, "|"); g != "第一句。|他说：“好。再来！”|后句；|第三《a。b》句|末行(1。2)止" {
		t.Error(g)
	}
}

func FuzzQuantities(f *testing.F) {
	f.Add("达到13,000家以上,百分之五点二")
	f.Fuzz(func(t *testing.T, s string) {
		n, last := len([]rune(s)), 0
		for _, q := range Quantities(s) {
			if q.Start < last || q.End <= q.Start || q.End > n {
				t.Fatalf("bad span %+v in %q", q, s)
			}
			last = q.End
		}
		Sentences(s)
		FoldMap(s)
	})
}
