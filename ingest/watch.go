package ingest

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// WatchOptions say how Watch goes.
type WatchOptions struct {
	Interval time.Duration // between two looks; 2 s
	Ingest   IngestOptions
	// Report, when set, is given every run that found something to do.
	Report func(Report, error)
}

// Watch follows files and folders: it ingests what is there and is new, and
// then what comes or changes, once it has stayed the same between two looks,
// until ctx ends; it returns ctx.Err(). A file that was read before as it is,
// is left alone, whatever version of its document has been made active since.
// Files that go away stay published.
func (l *Library) Watch(ctx context.Context, paths []string, o WatchOptions) error {
	if o.Interval <= 0 {
		o.Interval = 2 * time.Second
	}
	o.Ingest.NewOnly = true
	last, done := map[string]stampOf{}, map[string]stampOf{}
	for first := true; ; first = false {
		now := snapshot(paths)
		var ready []string
		for p, s := range now {
			if done[p] != s && (first || last[p] == s) {
				ready = append(ready, p)
				done[p] = s
			}
		}
		last = now
		if len(ready) > 0 {
			slices.Sort(ready)
			r, err := l.Ingest(ctx, ready, o.Ingest)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // the store: try these again
				for _, p := range ready {
					delete(done, p)
				}
			}
			if o.Report != nil && (err != nil || r.Added+r.Changed+r.Failed > 0) {
				o.Report(r, err)
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(o.Interval):
		}
	}
}

// stampOf tells one state of a file from another.
type stampOf struct {
	size int64
	time time.Time
}

// snapshot is the state of all files below paths that Ingest would read, by
// name; sidecar files count for the file that they describe.
func snapshot(paths []string) map[string]stampOf {
	m := map[string]stampOf{}
	for _, root := range paths {
		w := &walker{ctx: context.Background(), max: 1 << 62, seen: map[string]bool{}, names: true, yield: func(s source) {
			if s.err != nil || s.skip {
				return
			}
			st := stateOf(s.name)
			for _, side := range sidecarsOf(s.name) {
				if x := stateOf(side); x.time.After(st.time) {
					st.time = x.time
				}
			}
			m[s.name] = st
		}}
		w.walk(filepath.Clean(root))
	}
	return m
}

func stateOf(p string) (s stampOf) {
	if info, err := os.Stat(p); err == nil {
		s = stampOf{info.Size(), info.ModTime()}
	}
	return s
}
