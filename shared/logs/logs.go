// Package logs is where a program's words go besides its console: a file that never grows beyond its share of the disk, and the system's event
// log with real levels. Nothing in it is trusted: a line is JSON, so that what somebody else wrote cannot pose as a line of ours.
package logs

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"unicode"
)

// Both sends each record to every handler that wants its level.
func Both(hs ...slog.Handler) slog.Handler { return fan(hs) }

type fan []slog.Handler

func (f fan) Enabled(ctx context.Context, l slog.Level) bool {
	for _, h := range f {
		if h.Enabled(ctx, l) {
			return true
		}
	}
	return false
}

func (f fan) Handle(ctx context.Context, r slog.Record) (err error) {
	for _, h := range f {
		if h.Enabled(ctx, r.Level) {
			err = errors.Join(err, h.Handle(ctx, r.Clone()))
		}
	}
	return err
}

func (f fan) WithAttrs(as []slog.Attr) slog.Handler {
	return f.each(func(h slog.Handler) slog.Handler { return h.WithAttrs(as) })
}
func (f fan) WithGroup(name string) slog.Handler {
	return f.each(func(h slog.Handler) slog.Handler { return h.WithGroup(name) })
}

func (f fan) each(do func(slog.Handler) slog.Handler) slog.Handler {
	out := make(fan, len(f))
	for i, h := range f {
		out[i] = do(h)
	}
	return out
}

// Events is the system's event log.
type Events interface {
	Info(id uint32, text string) error
	Warning(id uint32, text string) error
	Error(id uint32, text string) error
}

// Numbers of events: one per level, so that a person can filter by them.
const (
	idInfo, idWarning, idError = 1, 2, 3
	longest                    = 8 << 10 // Windows takes 31,839 letters
)

// ToEvents writes records of at least the level to the event log, as a sentence and one attribute a line.
func ToEvents(to Events, least slog.Level) slog.Handler { return events{to: to, least: least} }

type events struct {
	to    Events
	least slog.Level
	with  string
	group string
}

func (e events) Enabled(_ context.Context, l slog.Level) bool { return l >= e.least }

func (e events) Handle(_ context.Context, r slog.Record) error {
	text := oneLine(r.Message) + e.with
	r.Attrs(func(a slog.Attr) bool {
		text += e.attr(a)
		return true
	})
	if len(text) > longest {
		text = strings.ToValidUTF8(text[:longest], "") + "…"
	}
	switch {
	case r.Level >= slog.LevelError:
		return e.to.Error(idError, text)
	case r.Level >= slog.LevelWarn:
		return e.to.Warning(idWarning, text)
	default:
		return e.to.Info(idInfo, text)
	}
}

func (e events) attr(a slog.Attr) string {
	return "\r\n" + e.group + oneLine(a.Key) + ": " + oneLine(a.Value.Resolve().String())
}

func (e events) WithAttrs(as []slog.Attr) slog.Handler {
	for _, a := range as {
		e.with += e.attr(a)
	}
	return e
}

func (e events) WithGroup(name string) slog.Handler {
	e.group += oneLine(name) + "."
	return e
}

// oneLine takes what would begin a line of its own, or move a reader's cursor, out of words of others.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, s)
}
