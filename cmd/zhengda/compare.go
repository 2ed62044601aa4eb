package main

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"zhengda/bot"
	"zhengda/ingest"
)

// compare says in words how two versions of a document differ, for a model.
// A version for staff is compared for staff alone.
func (h *house) compare(ctx context.Context, who bot.Persona, doc, from, to string) (string, error) {
	newer, err := h.version(ctx, who, doc, to)
	if err != nil {
		return "", err
	}
	if from == "" {
		all, err := h.lib.History(ctx, doc)
		if err != nil {
			return "", err
		}
		for _, v := range all { // newest first
			if v.Number < newer.Number {
				from = strconv.Itoa(v.Number)
				break
			}
		}
		if from == "" {
			return "", bot.ToolError(chinese.say("compare.single"))
		}
	}
	older, err := h.version(ctx, who, doc, from)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	(&screen{w: &b}).changes(ingest.Compare(&older.Document, &newer.Document), chinese)
	if b.Len() == 0 {
		return chinese.say("docs.same"), nil
	}
	return b.String(), nil
}

// version is a version that the persona may know of; others are as unknown as
// those that never were.
func (h *house) version(ctx context.Context, who bot.Persona, doc, version string) (ingest.Version, error) {
	v, err := h.lib.Show(ctx, doc, version)
	switch {
	case errors.Is(err, ingest.ErrUnknown), err == nil && v.Document.Meta.Audience == "staff" && !who.Internal():
		return v, bot.ToolError(chinese.say("compare.unknown"))
	}
	return v, err
}
