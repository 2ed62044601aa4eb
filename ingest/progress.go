package ingest

import (
	"sync"
	"time"
)

// meter counts the files of a run and tells whoever watches.
type meter struct {
	mu     sync.Mutex
	start  time.Time
	report func(Progress)
	p      Progress
}

func (m *meter) update(f func(*Progress), tell bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f(&m.p)
	if !tell || m.report == nil {
		return
	}
	p := m.p
	if s := time.Since(m.start).Seconds(); s > 0 && p.Done > 0 {
		p.Rate = float64(p.Done) / s
		p.Remaining = time.Duration(float64(p.Total-p.Done) / p.Rate * float64(time.Second))
	}
	m.report(p)
}

func (m *meter) found()   { m.update(func(p *Progress) { p.Total++ }, false) }
func (m *meter) counted() { m.update(func(p *Progress) { p.Counted = true }, false) }

// waiting tells that another run has the library.
func (m *meter) waiting() {
	m.update(func(p *Progress) { p.Waiting = true }, true)
}

func (m *meter) done(f prepared, failed bool) {
	m.update(func(p *Progress) {
		p.Done++
		p.Waiting = false
		p.Bytes += int64(f.bytes)
		p.File = f.name
		if failed {
			p.Failed++
		}
	}, true)
}
