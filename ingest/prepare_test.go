package ingest

import (
	"testing"

	"zhengda/ingest/format"
)

// TestTitleOfFile: where the first line reads like no title, the name that people
// gave the file is one; a name that a machine gave is none.
func TestTitleOfFile(t *testing.T) {
	const body = "第一条　为鼓励投资，制定本办法。\n第二条　投资额五千万元以上的，给予奖励。\n"
	for _, c := range []struct{ name, first, want string }{
		{"沙湾县鼓励投资优惠办法.txt", "鼓励投资和招商引资", "沙湾县鼓励投资优惠办法"},
		{"沙湾县鼓励投资优惠办法.txt", "某县鼓励投资若干办法", "某县鼓励投资若干办法"},
		{"web_鼓励投资优惠_节选.txt", "鼓励投资和招商引资", "鼓励投资和招商引资"},
		{"附件1.txt", "鼓励投资和招商引资", "鼓励投资和招商引资"},
	} {
		var p prepared
		p.name = c.name
		if err := p.parse(format.Text{Body: c.first + "\n\n" + body, Format: "txt"}, MetaValues{}, MetaValues{}); err != nil || p.title != c.want {
			t.Errorf("%s, %s: %q, %v", c.name, c.first, p.title, err)
		}
	}
}
