package e2e_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/demo/books"
	"github.com/tillpost/tillpost/test/fake/till"
)

// sell lets the tills sell until the returned function is called; it ends when everything that was sold is handed over. A till asks again
// until it is told that its ticket is safe, as every till does; now and then a sheet falls into the watched folder.
func (w *world) sell(t *testing.T) (stop func()) {
	ctx, cancel := context.WithCancel(t.Context())
	tills := till.New(w.store, w.dice.Uint64())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			events, truth := tills.Day(w.day, 20)
			for _, e := range events {
				if !w.tell(t.Context(), e) {
					return
				}
			}
			w.count(t, events, truth)
			w.sheet(t)
			select {
			case <-ctx.Done():
			case <-time.After(w.pause):
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// count takes what was handed over into the truth.
func (w *world) count(t *testing.T, events []till.Event, truth till.Truth) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for name, cents := range truth.Measures {
		w.measures[name] += cents
	}
	for _, e := range events {
		if e.Path != "/v1/tickets" {
			continue
		}
		if err := w.told.Hear(e.Body); err != nil {
			t.Error(err)
		}
	}
}

// tell hands an event over; false when the test is over before the agent took it.
func (w *world) tell(ctx context.Context, e till.Event) bool {
	for pause := 5 * time.Millisecond; ; pause = 20 * time.Millisecond {
		if w.taken(ctx, e) {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-time.After(pause):
		}
	}
}

func (w *world) taken(ctx context.Context, e till.Event) bool {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+w.addrs["door"]+e.Path, bytes.NewReader(e.Body))
	if err != nil {
		return false
	}
	req.Header.Set("Authorization", "Bearer till")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer resp.Body.Close()
	_, _ = io.Copy(io.Discard, resp.Body)
	return resp.StatusCode == http.StatusCreated
}

// sheet drops a file of two rows of one ticket.
func (w *world) sheet(t *testing.T) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.n++
	id, day, cents := fmt.Sprintf("sheet%06d", w.n), w.day.Format(time.DateOnly), int64(100+w.n%977)
	rows := fmt.Sprintf("No,When,What,Price\n%s,%s 18:00,Food,%s\n%s,%s 18:00,Bag,0.25\n", id, day, books.Text(cents), id, day)
	path := w.at("drop/" + id + ".csv")
	if err := os.WriteFile(path+".tmp", []byte(rows), 0o600); err != nil {
		t.Error(err)
	} else if err := os.Rename(path+".tmp", path); err != nil {
		t.Error(err)
	}
	w.told[id] = books.Word{Cents: cents + 25}
	w.measures["item"] += cents + 25
	w.measures["tender:cash"] += cents + 25
}
