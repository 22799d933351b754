// Package meter counts what goes through a stage.
package meter

import "sync/atomic"

// Stage are a stage's counts since the start. The zero value is ready; it is safe for concurrent use.
type Stage struct{ In, Out, Refused, Retried atomic.Uint64 }
