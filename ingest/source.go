package ingest

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"

	"zhengda/ingest/format"
)

// Limits of an archive, against ones made to exhaust memory.
const (
	archiveTotal   = 2 << 30 // bytes, all members together
	archiveMembers = 20000
	bombRatio      = 200 // compressed to plain, of members above bombSize
	bombSize       = 8 << 20
)

// source is one file to read: of a folder, of an archive, or of an fs.FS.
type source struct {
	name    string // as shown: path, or archive!member
	read    func() ([]byte, error)
	sidecar func() ([]byte, error) // nil bytes: there is none
	stamp   string                 // see stampFile; empty: the bytes must be looked at
	err     error                  // why it cannot be read at all
	skip    bool                   // no reader takes it
}

// walker finds sources and hands them to yield in a fixed order: the order of
// the paths given, folders by name.
type walker struct {
	ctx   context.Context
	max   int64
	yield func(source)
	seen  map[string]bool // folders by their real path
	names bool            // only names are wanted: archives are not opened
}

// walk visits what the user named. A file named outright is read whatever its
// name ends in; in a folder only the formats known are.
func (w *walker) walk(p string) {
	if w.ctx.Err() != nil {
		return
	}
	info, err := os.Stat(p)
	switch {
	case err != nil:
		w.fail(p, describe(err))
	case info.IsDir():
		w.folder(p)
	default:
		w.file(p, info, nil)
	}
}

func (w *walker) folder(dir string) {
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		w.fail(dir, describe(err))
		return
	}
	if real, err = filepath.Abs(real); err != nil {
		w.fail(dir, err)
		return
	}
	if w.seen[real] {
		return
	}
	w.seen[real] = true
	entries, err := os.ReadDir(dir)
	if err != nil {
		w.fail(dir, describe(err))
	}
	sidecars := map[string]bool{}
	for _, e := range entries {
		if isSidecar(e.Name()) {
			sidecars[e.Name()] = true
		}
	}
	for _, e := range entries {
		if w.ctx.Err() != nil {
			return
		}
		if hidden(e.Name()) {
			continue
		}
		p := filepath.Join(dir, e.Name())
		info, err := os.Stat(p) // follows links
		switch {
		case err != nil:
			w.fail(p, describe(err))
		case info.IsDir() && e.Type()&fs.ModeSymlink != 0 && leadsBack(p, real):
			w.fail(p, errLoop)
		case info.IsDir():
			w.folder(p)
		default:
			w.file(p, info, sidecars)
		}
	}
}

// leadsBack reports whether the link p in the folder dir leads to dir or to a
// folder above it. dir is a real, absolute path.
func leadsBack(p, dir string) bool {
	to, err := filepath.EvalSymlinks(p)
	if err != nil {
		return false
	}
	if to, err = filepath.Abs(to); err != nil {
		return false
	}
	rel, err := filepath.Rel(to, dir)
	return err == nil && filepath.IsLocal(rel)
}

// file visits a file. Sidecars are those of its folder by name; nil when the
// user named the file outright.
func (w *walker) file(p string, info fs.FileInfo, sidecars map[string]bool) {
	named := sidecars == nil
	switch {
	case !info.Mode().IsRegular():
		w.fail(p, errors.New("不是普通文件"))
	case format.IsArchive(p) && w.names:
		w.yield(source{name: p})
	case format.IsArchive(p):
		w.archive(p)
	case isSidecar(p) && !named, !named && !format.Known(p):
		if !isSidecar(p) {
			w.yield(source{name: p, skip: true})
		}
	case info.Size() > w.max:
		w.fail(p, tooLarge(info.Size(), w.max))
	default:
		w.yield(w.onDisk(p, info, sidecars))
	}
}

// onDisk is a file to be read from the disk.
func (w *walker) onDisk(p string, info fs.FileInfo, sidecars map[string]bool) source {
	s := source{name: p, read: func() ([]byte, error) { return readStable(p, w.max) }, sidecar: func() ([]byte, error) { return nil, nil }}
	s.stamp = stampFile(info)
	if sidecars != nil && len(sidecars) == 0 {
		return s
	}
	for _, side := range sidecarsOf(p) {
		if sidecars != nil && !sidecars[filepath.Base(side)] {
			continue
		}
		i, err := os.Stat(side)
		if err != nil {
			continue
		}
		s.sidecar = func() ([]byte, error) { return os.ReadFile(side) }
		if t := stampFile(i); t == "" || s.stamp == "" {
			s.stamp = ""
		} else {
			s.stamp += " " + side + " " + t
		}
		break
	}
	return s
}

func (w *walker) archive(p string) {
	z, err := zip.OpenReader(p)
	if err != nil {
		w.fail(p, fmt.Errorf("压缩包打不开: %w", describe(err)))
		return
	}
	defer z.Close()
	if len(z.File) > archiveMembers {
		w.fail(p, fmt.Errorf("压缩包里有 %d 个文件,上限 %d", len(z.File), archiveMembers))
		return
	}
	members := map[string]*zip.File{}
	for _, f := range z.File {
		members[memberName(f)] = f
	}
	open := func(name string) ([]byte, error) {
		if f := members[name]; f != nil {
			return readMember(f, w.max)
		}
		return nil, fs.ErrNotExist
	}
	left := int64(archiveTotal)
	for _, f := range z.File {
		name := memberName(f)
		if w.ctx.Err() != nil {
			return
		}
		if f.FileInfo().IsDir() || hidden(path.Base(name)) || strings.HasPrefix(name, "__MACOSX/") || isSidecar(name) {
			continue
		}
		shown := p + "!" + name
		if err := unsafeMember(f, name); err != nil {
			w.fail(shown, err)
			continue
		}
		if !format.Known(name) {
			w.yield(source{name: shown, skip: true})
			continue
		}
		if left -= int64(min(f.UncompressedSize64, archiveTotal)); left < 0 {
			w.fail(shown, fmt.Errorf("压缩包展开后超过 %d MB,疑为压缩炸弹", archiveTotal>>20))
			return
		}
		body, err := readMember(f, w.max) // here, not later: the archive is open now
		if err != nil {
			w.fail(shown, err)
			continue
		}
		side, sideErr := firstOf(name, open)
		w.yield(source{name: shown, read: func() ([]byte, error) { return body, nil },
			sidecar: func() ([]byte, error) { return side, sideErr }})
	}
}

// tree visits the files of an fs.FS.
func (w *walker) tree(fsys fs.FS) error {
	return fs.WalkDir(fsys, ".", func(p string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() || hidden(e.Name()) || isSidecar(p) || !format.Known(p) {
			return nil
		}
		read := func(p string) ([]byte, error) { return fs.ReadFile(fsys, p) }
		w.yield(source{name: p, read: func() ([]byte, error) { return read(p) },
			sidecar: func() ([]byte, error) { return firstOf(p, read) }})
		return w.ctx.Err()
	})
}

func (w *walker) fail(name string, err error) { w.yield(source{name: name, err: err}) }

// memberName is the name of an archive's member. Chinese archives made on
// Windows carry it in GB18030 without saying so.
func memberName(f *zip.File) string {
	if f.NonUTF8 {
		if s, err := Decode([]byte(f.Name)); err == nil {
			return s
		}
	}
	return f.Name
}

func unsafeMember(f *zip.File, name string) error {
	switch {
	case strings.Contains(name, `\`), !filepath.IsLocal(filepath.FromSlash(name)):
		return errors.New("压缩包内的路径越出压缩包,不读")
	case f.Mode()&fs.ModeSymlink != 0:
		return errors.New("压缩包内的符号链接,不读")
	case f.Flags&1 != 0:
		return errors.New("压缩包有密码,请解压后再入库")
	case format.IsArchive(name):
		return errors.New("压缩包里的压缩包,请解压后再入库")
	case f.UncompressedSize64 > bombSize && f.UncompressedSize64/max(f.CompressedSize64, 1) > bombRatio:
		return fmt.Errorf("展开到 %d 倍,疑为压缩炸弹,不读", f.UncompressedSize64/max(f.CompressedSize64, 1))
	}
	return nil
}

func readMember(f *zip.File, limit int64) ([]byte, error) {
	if f.UncompressedSize64 > uint64(limit) {
		return nil, tooLarge(int64(min(f.UncompressedSize64, 1<<62)), limit)
	}
	r, err := f.Open()
	if err != nil {
		return nil, fmt.Errorf("压缩包损坏: %w", err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, fmt.Errorf("压缩包损坏: %w", err)
	}
	if int64(len(b)) > limit {
		return nil, tooLarge(int64(len(b)), limit)
	}
	return b, nil
}

// readStable reads a file that nobody writes to meanwhile; one that changes
// gets a second chance and is then an error.
func readStable(p string, limit int64) ([]byte, error) {
	for range 2 {
		b, same, err := readOnce(p, limit)
		if err != nil || same {
			return b, err
		}
	}
	return nil, errors.New("读取时文件正在变化,请在写完后再入库")
}

func readOnce(p string, limit int64) (b []byte, same bool, err error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, false, describe(err)
	}
	defer f.Close()
	before, err := f.Stat()
	if err != nil {
		return nil, false, describe(err)
	}
	if before.Size() > limit {
		return nil, false, tooLarge(before.Size(), limit)
	}
	if b, err = io.ReadAll(io.LimitReader(f, limit+1)); err != nil {
		return nil, false, describe(err)
	}
	after, err := os.Stat(p)
	if err != nil {
		return nil, false, describe(err)
	}
	same = os.SameFile(before, after) && after.Size() == int64(len(b)) && after.ModTime().Equal(before.ModTime())
	return b, same, nil
}

func tooLarge(size, limit int64) error {
	return fmt.Errorf("文件太大(%d MB),上限 %d MB", size>>20, limit>>20)
}

var errLoop = errors.New("符号链接成环")

// describe says what is wrong with a path without repeating it.
func describe(err error) error {
	var pe *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("文件不存在")
	case errors.Is(err, fs.ErrPermission):
		return errors.New("没有读取权限")
	case errors.Is(err, syscall.ELOOP), strings.Contains(err.Error(), "too many links"):
		return errLoop
	case errors.As(err, &pe):
		return pe.Err
	}
	return err
}

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~$")
}

// isSidecar reports whether p holds the metadata of the file beside it.
func isSidecar(p string) bool {
	ext := strings.ToLower(path.Ext(p))
	return ext == ".yaml" || ext == ".yml"
}

// firstOf reads the first sidecar of p that there is.
func firstOf(p string, read func(string) ([]byte, error)) ([]byte, error) {
	for _, q := range sidecarsOf(p) {
		b, err := read(q)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return b, err
		}
	}
	return nil, nil
}

// sidecarsOf are the names that the sidecar of p may have: p.yaml, or p with
// its ending replaced.
func sidecarsOf(p string) []string {
	stem := strings.TrimSuffix(p, path.Ext(p))
	return []string{p + ".yaml", p + ".yml", stem + ".yaml", stem + ".yml"}
}
