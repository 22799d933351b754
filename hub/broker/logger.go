package broker

import (
	"context"
	"fmt"
	"log/slog"
)

// logger hands nats-server's lines on. Its notices are about itself and of no use to an operator; errors of one client are normal life.
type logger struct{ log *slog.Logger }

func (l logger) at(level slog.Level, format string, v []any) {
	if ctx := context.Background(); l.log.Enabled(ctx, level) {
		l.log.Log(ctx, level, "broker: "+fmt.Sprintf(format, v...))
	}
}

// Each method implements server.Logger; Fatalf ends nothing here: Start sees that the broker is not ready and says so.
func (l logger) Noticef(format string, v ...any) { l.at(slog.LevelDebug, format, v) }
func (l logger) Warnf(format string, v ...any)   { l.at(slog.LevelInfo, format, v) }
func (l logger) Errorf(format string, v ...any)  { l.at(slog.LevelInfo, format, v) }
func (l logger) Fatalf(format string, v ...any)  { l.at(slog.LevelError, format, v) }
func (l logger) Debugf(format string, v ...any)  { l.at(slog.LevelDebug, format, v) }
func (l logger) Tracef(format string, v ...any)  { l.at(slog.LevelDebug, format, v) }
