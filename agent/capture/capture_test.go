package capture_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source"
)

// list is a source over numbers; it fails while broken is set.
type list struct {
	wake chan struct{}

	mu     sync.Mutex
	last   int
	broken error
}

func (l *list) set(last int, broken error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last, l.broken = last, broken
}

func (l *list) Name() string          { return "list" }
func (l *list) Wake() <-chan struct{} { return l.wake }
func (l *list) Read(_ context.Context, after source.Cursor, most int) (ds []source.Draft, next source.Cursor, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return nil, "", l.broken
	}
	n, _ := strconv.Atoi(string(after))
	for n < l.last && len(ds) < most {
		n++
		ds = append(ds, source.Draft{Key: strconv.Itoa(n)})
	}
	return ds, source.Cursor(strconv.Itoa(n)), nil
}

// memory is a sink; it fails once when full is set.
type memory struct {
	cursor source.Cursor
	keys   []string
	full   bool
}

func (m *memory) Cursor(context.Context, string) (source.Cursor, error) { return m.cursor, nil }
func (m *memory) Append(_ context.Context, _ string, c source.Cursor, ds []source.Draft) error {
	if m.full {
		m.full = false
		return errors.New("disk full")
	}
	m.cursor = c
	for _, d := range ds {
		m.keys = append(m.keys, d.Key)
	}
	return nil
}

func TestPumpStoresEachDraftOnceThroughTrouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		src, sink := &list{last: 450, wake: make(chan struct{}, 1)}, &memory{full: true}
		var told []string
		p := &capture.Pump{Source: src, Sink: sink, Log: slog.New(slog.DiscardHandler), Trouble: func(s capture.Stage, err error) {
			told = append(told, string(s)+":"+strconv.FormatBool(err != nil))
		}}
		ctx, stop := context.WithCancel(t.Context())
		go p.Run(ctx)
		time.Sleep(5 * capture.Every / 2) // virtual time, between two rounds
		src.set(450, errors.New("share is gone"))
		src.wake <- struct{}{}
		synctest.Wait()
		src.set(460, nil)
		time.Sleep(5 * capture.Every / 2)
		stop()
		synctest.Wait()
		if len(sink.keys) != 460 {
			t.Fatalf("got %d drafts, want 460", len(sink.keys))
		}
		for i, k := range sink.keys {
			if k != strconv.Itoa(i+1) {
				t.Fatalf("draft %d is %s", i+1, k)
			}
		}
		want := []string{"storing:true", "storing:false", "reading:true", "storing:false"}
		if len(told) != 4 || told[0] != want[0] || told[2] != want[2] {
			t.Fatalf("got %v, want %v", told, want)
		}
	})
}
