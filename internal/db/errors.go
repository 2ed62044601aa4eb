package db

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Causes that a person can do something about. Open, OpenReadOnly, Migrate
// and Explain return errors that wrap them; each says what to do.
var (
	ErrNotWritable = errors.New("数据库不可写:请检查文件夹是否存在、是否有写权限,或用 --data 指定另一文件夹")
	ErrDamaged     = errors.New("文件已损坏或不是数据库:请从备份恢复,或移走该文件后重新入库")
	ErrFull        = errors.New("磁盘已满:请清理空间后重试,已保存的数据不受影响")
	ErrBusy        = errors.New("数据库正被另一进程占用:请稍后重试")
	ErrNewer       = errors.New("数据库由更新版本的程序写成:请升级本程序")
)

// Explain wraps err with the cause it stands for, if that is one of the
// package's; any other error, nil included, is returned as it is.
func Explain(err error) error {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return err
	}
	switch e.Code() & 0xff { // without the extended part
	case sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT:
		return cause(ErrDamaged, err)
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM:
		return cause(ErrNotWritable, err)
	case sqlite3.SQLITE_FULL:
		return cause(ErrFull, err)
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return cause(ErrBusy, err)
	}
	return err
}

// explain does for errors of the file system what Explain does for SQLite's.
func explain(err error) error {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return cause(ErrFull, err)
	case errors.Is(err, fs.ErrPermission), errors.Is(err, syscall.EROFS), errors.Is(err, syscall.ENOTDIR), errors.Is(err, syscall.EISDIR):
		return cause(ErrNotWritable, err)
	}
	return err
}

func cause(sentinel, err error) error { return fmt.Errorf("%w (%w)", sentinel, err) }
