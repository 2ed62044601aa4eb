package bot

// Wake lets a model that failed several times be asked again.
func Wake(m *Model) { m.resume.Store(0); m.failed.Store(0) }
