package filedrop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
)

// upTo takes records until it has some, and then does what end says.
type upTo struct {
	keys []string
	most int
	end  func() error
}

func (u *upTo) Append(_ context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	for _, d := range ds {
		u.keys = append(u.keys, d.Key)
	}
	if len(u.keys) >= u.most {
		return u.end()
	}
	return nil
}

// TestRecordsComeInTheFilesOrderWhateverDraftsThem reads a file whose tickets lie scattered, whole and with an end in the middle: records are in
// order, and nobody works on when Run has returned.
func TestRecordsComeInTheFilesOrderWhateverDraftsThem(t *testing.T) {
	const tickets = 3000
	p, _ := profile.Shipped("heartland-retail-sales-history")
	var body bytes.Buffer
	body.WriteString("Ticket #,Customer #,Completed At,Sales Rep,Location #,Tax Total,Item #,Item Original Unit Price,Item Adjusted Unit Price,Item Qty\n")
	for part := range 2 {
		for i := range tickets {
			for k := range 1 + i%3 {
				fmt.Fprintf(&body, "T%d,,2026-11-20T14:00:00Z,c,S1,0.00,\"A%d\",1.00,1.00,%d\n", i, part, 1+k)
			}
		}
	}
	path := filepath.Join(t.TempDir(), "sales.csv")
	if err := os.WriteFile(path, body.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	stop := errors.New("the disk is full")
	ctx, cancel := context.WithCancel(t.Context())
	for name, c := range map[string]struct {
		sink upTo
		want error
	}{
		"whole":     {upTo{most: tickets + 1}, nil},
		"sink ends": {upTo{most: 800, end: func() error { return stop }}, stop},
		"stopped":   {upTo{most: 800, end: func() error { cancel(); return nil }}, context.Canceled},
	} {
		t.Run(name, func(t *testing.T) {
			of := t.Context()
			if name == "stopped" {
				of = ctx
			}
			_, err := Import{Path: path, Profile: p, Stream: envelope.Sales}.Run(of, &c.sink)
			if !errors.Is(err, c.want) {
				t.Fatalf("got %v, want %v", err, c.want)
			}
			for i, k := range c.sink.keys {
				if k != fmt.Sprintf("T%d", i) {
					t.Fatalf("record %d is of ticket %s", i, k)
				}
			}
			if n := len(c.sink.keys); err == nil && n != tickets {
				t.Errorf("%d records of %d tickets", n, tickets)
			}
		})
	}
	for end := time.Now().Add(5 * time.Second); runtime.NumGoroutine() > before; {
		if time.Now().After(end) {
			t.Fatalf("%d goroutines, %d before", runtime.NumGoroutine(), before)
		}
		runtime.Gosched()
	}
}
