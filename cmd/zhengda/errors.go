package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"zhengda/bot/kpi"
	"zhengda/ingest"
	"zhengda/ingest/format"
	"zhengda/internal/db"
)

// Exit codes.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2 // wrong usage or unreadable input
	exitEmpty  = 3 // the corpus is empty
)

// problem is an error that the user can do something about: a message and its
// values.
type problem struct {
	code   int
	key    string
	values []any
}

func usage(key string, values ...any) error  { return &problem{exitUsage, key, values} }
func failed(key string, values ...any) error { return &problem{exitFailed, key, values} }

var errEmpty = &problem{exitEmpty, "err.empty", nil}

func (p *problem) Error() string { return english.say(p.key, p.values...) }

// Unwrap gives the errors among the values.
func (p *problem) Unwrap() (errs []error) {
	for _, v := range p.values {
		if err, ok := v.(error); ok {
			errs = append(errs, err)
		}
	}
	return errs
}

// known are the errors of packages that have a message of their own. A message
// is given the error's text and the data folder.
var known = []struct {
	err  error
	code int
	key  string
}{
	{db.ErrNotWritable, exitFailed, "err.not_writable"},
	{db.ErrDamaged, exitFailed, "err.db_damaged"},
	{db.ErrFull, exitFailed, "err.full"},
	{db.ErrBusy, exitFailed, "err.busy"},
	{db.ErrNewer, exitFailed, "err.newer"},
	{ingest.ErrUnknown, exitUsage, "err.unknown_document"},
	{ingest.ErrAmbiguous, exitUsage, "err.ambiguous_document"},
	{ingest.ErrEmpty, exitUsage, "err.no_text"},
	{ingest.ErrBinary, exitUsage, "err.binary"},
	{format.ErrUnsupported, exitUsage, "err.binary"},
	{format.ErrEncrypted, exitUsage, "err.encrypted"},
	{format.ErrScanned, exitUsage, "err.scanned"},
	{format.ErrErrorPage, exitUsage, "err.error_page"},
	{format.ErrDamaged, exitUsage, "err.file_damaged"},
	{kpi.ErrUnknown, exitUsage, "err.unknown_indicator"},
	{kpi.ErrPeriod, exitUsage, "err.period"},
	{context.DeadlineExceeded, exitFailed, "err.timeout"},
	{context.Canceled, exitFailed, "err.canceled"},
	{fs.ErrNotExist, exitUsage, "err.not_exist"},
	{syscall.EISDIR, exitUsage, "err.is_folder"},
	{fs.ErrPermission, exitUsage, "err.permission"},
}

// explain says what err means and what to do about it.
func (a *app) explain(err error) (text string, code int) {
	var p *problem
	if errors.As(err, &p) {
		return a.say(p.key, a.plain(p.values)...), p.code
	}
	var several *kpi.AmbiguousError
	if errors.As(err, &several) {
		return several.Error(), exitUsage
	}
	var lines kpi.ImportError
	if errors.As(err, &lines) {
		return a.say("err.import", lines.Error()), exitUsage
	}
	for _, k := range known {
		if errors.Is(err, k.err) {
			return a.say(k.key, err.Error(), a.folder()), k.code
		}
	}
	return a.say("err.other", err.Error()), exitFailed
}

// plain turns errors among values into what they mean.
func (a *app) plain(values []any) []any {
	out := make([]any, len(values))
	for i, v := range values {
		if err, ok := v.(error); ok {
			v, _ = a.explain(err)
		}
		out[i] = v
	}
	return out
}

// fail writes err, if any, and returns the exit code.
func (a *app) fail(err error) int {
	if err == nil {
		return exitDone
	}
	text, code := a.explain(err)
	if text != "" {
		fmt.Fprintln(a.err, "zhengda: "+text)
	}
	return code
}
