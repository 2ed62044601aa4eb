package bot

// Wake lets a model that failed several times be asked again.
func Wake(m *Model) { m.resume.Store(0); m.failed.Store(0) }

// Each is what a sentence asks of several things, one by one.
func (x *Lexicon) Each(s string) []string {
	var out []string
	for _, p := range x.each(s) {
		out = append(out, p.text)
	}
	return out
}
