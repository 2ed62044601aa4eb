package bot

import "testing"

func TestForm(t *testing.T) {
	f, err := newForm("{{if .Before}}前:{{.Before}};{{end}}“{{ .Name }}”共{{.N}}处")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		a    args
		want string // empty: an argument is missing
	}{
		{args{"Before": "{{.N}}", "Name": "甲", "N": 3}, "前:{{.N}};“甲”共3处"},
		{args{"Before": "", "Name": "甲", "N": 0}, "“甲”共0处"},
		{args{"Name": "甲", "N": 1}, ""},
		{args{"Before": "", "N": 1}, ""},
	} {
		if got, err := f.fill(c.a); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%v: %q, %v", c.a, got, err)
		}
	}
	for _, bad := range []string{"{{.Label", "{{}}", "{{.}} {{.A.B}}", "{{if .A}}", "{{end}}", "{{if .A}}{{if .B}}{{end}}{{end}}", "{{range .A}}{{end}}", "{{.A | len}}"} {
		if _, err := newForm(bad); err == nil {
			t.Errorf("%s is taken for a form", bad)
		}
	}
}
