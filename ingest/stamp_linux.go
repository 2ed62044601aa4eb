package ingest

import (
	"fmt"
	"io/fs"
	"syscall"
	"time"
)

// settled is how long ago a file must have changed last for its stamp to tell
// it from a later state: clocks of file systems are coarse.
const settled = 2 * time.Second

// stampFile tells one state of a file from any other without reading it: by
// its device, inode, size and times, of which the time of the last change of
// the inode can be set by no program. It is "" while the file has changed too
// lately to be sure.
func stampFile(info fs.FileInfo) string {
	s, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return ""
	}
	changed := time.Unix(s.Ctim.Sec, s.Ctim.Nsec)
	if age := time.Since(changed); age < settled || time.Since(info.ModTime()) < settled {
		return ""
	}
	return fmt.Sprintf("%d %d %d %d %d", s.Dev, s.Ino, s.Size, info.ModTime().UnixNano(), changed.UnixNano())
}
