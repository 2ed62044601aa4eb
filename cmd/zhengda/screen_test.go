package main

import (
	"bytes"
	"strings"
	"testing"
)

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		in   string
		want string
	}{
		{"短", "短"},
		{"一二三四五六七八九十一二", "一二三四五六七八九十|一二"},
		{"一二三四五六七八九十,一二", "一二三四五六七八九|十,一二"},   // no line begins with a comma
		{"一二三四五六七八九“十一”二", "一二三四五六七八九|“十一”二"}, // nor ends with an opening mark
		{"支持 2024 Zhengda-policies 企业", "支持 2024|Zhengda-policies 企|业"},
		{strings.Repeat("a", 45), strings.Repeat("a", 20) + "|" + strings.Repeat("a", 20) + "|aaaaa"},
		{"", ""},
	} {
		got := wrap(c.in, 20)
		if s := strings.Join(got, "|"); s != c.want {
			t.Errorf("%q: %q; want %q", c.in, s, c.want)
		}
	}
	if got := wrap(strings.Repeat("长", 100), 0); len(got) != 1 {
		t.Errorf("without a width: %q", got)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("一二三四五六七八九十,一二 three four “五”", 20)
	f.Add("\u0301\u200b（（（（（（（（（（（（（（（（（（", 21)
	f.Fuzz(func(t *testing.T, s string, width int) {
		if width < 20 || width > 200 || strings.ContainsAny(s, "\n") {
			return
		}
		drop := func(s string) string { return strings.ReplaceAll(string([]rune(s)), " ", "") }
		if got := drop(strings.Join(wrap(s, width), "")); got != drop(s) {
			t.Errorf("%q becomes %q", s, got)
		}
	})
}

func TestTable(t *testing.T) {
	var b bytes.Buffer
	(&screen{w: &b}).table([][]string{{"代码", "n"}, {"a", "12"}, {"技术合同", "3"}}, 1)
	if want := "代码       n\na         12\n技术合同   3\n"; b.String() != want {
		t.Errorf("%q; want %q", b.String(), want)
	}
}

func TestColour(t *testing.T) {
	var b bytes.Buffer
	for _, c := range []struct {
		colour bool
		want   string
	}{{true, "\x1b[1m字\x1b[0m"}, {false, "字"}} {
		if got := (&screen{w: &b, colour: c.colour}).paint(bold, "字"); got != c.want {
			t.Errorf("%q; want %q", got, c.want)
		}
	}
	a := &app{out: &b, getenv: func(string) string { return "" }}
	if a.screen().colour {
		t.Error("colour without a terminal")
	}
}
