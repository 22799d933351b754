package config

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	lookEvery = 30 * time.Second // events get lost, and network shares send none
	settleIn  = 200 * time.Millisecond
	settleMax = 2 * time.Second // a folder in which something is always written is still for no moment
)

// Watch calls changed after the file's content became another one, until ctx ends. It watches the folder, since editors put a new file in the
// place of the old, and it looks now and then by itself. A file that is gone or half-written calls nobody until it can be read.
func Watch(ctx context.Context, file string, changed func()) {
	last, _ := os.ReadFile(file)
	var events chan fsnotify.Event
	if w, err := fsnotify.NewWatcher(); err == nil {
		defer w.Close()
		if w.Add(filepath.Dir(file)) == nil {
			events = w.Events
			go func() {
				for range w.Errors { // a queue that ran over: the next look finds what was missed
				}
			}()
		}
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case e, ok := <-events:
			if !ok {
				events = nil
				continue
			}
			if filepath.Base(e.Name) != filepath.Base(file) { // a neighbour
				continue
			}
			if !quiet(ctx, events) {
				return
			}
		}
		if now, err := os.ReadFile(file); err == nil && len(now) > 0 && !bytes.Equal(now, last) {
			last = now
			changed()
		}
	}
}

// quiet waits until the folder is still for a moment: a file is written in several steps. False: ctx ended.
func quiet(ctx context.Context, events <-chan fsnotify.Event) bool {
	t, end := time.NewTimer(settleIn), time.After(settleMax)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return false
		case <-t.C:
			return true
		case <-end:
			return true
		case _, ok := <-events:
			if !ok {
				return true
			}
			t.Reset(settleIn)
		}
	}
}
