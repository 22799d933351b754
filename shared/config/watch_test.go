package config_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/config"
)

func TestAChangedFileIsNoticedHoweverItIsWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), "hub.toml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(file, "a = 1")
	ctx, cancel := context.WithCancel(t.Context())
	changed, done := make(chan string, 10), make(chan struct{})
	go func() {
		defer close(done)
		config.Watch(ctx, file, func() {
			b, _ := os.ReadFile(file)
			changed <- string(b)
		})
	}()
	seen := func(want string) {
		t.Helper()
		for end := time.After(20 * time.Second); ; {
			select {
			case got := <-changed:
				if got == want {
					return
				}
			case <-end:
				t.Fatalf("%q was not noticed", want)
			}
		}
	}
	ready := time.After(10 * time.Second)
	for n := 2; len(changed) == 0; n++ { // the watch begins a moment after its call
		select {
		case <-ready:
			t.Fatal("no change was noticed")
		case <-time.After(400 * time.Millisecond):
			write(file, fmt.Sprintf("a = 3 # %d", n))
		}
	}
	write(file, "a = 3")
	seen("a = 3")
	write(file+".new", "a = 4") // as editors do
	if err := os.Rename(file+".new", file); err != nil {
		t.Fatal(err)
	}
	seen("a = 4")
	write(file, "a = 4") // the same again
	write(file, "a = 5")
	seen("a = 5")
	cancel()
	<-done
	for len(changed) > 0 {
		if got := <-changed; got == "a = 4" {
			t.Error("the same content was told as a change")
		}
	}
}
