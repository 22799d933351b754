package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"
)

// keys is a person at the keyboard who notes what stood in the window when Enter was pressed.
type keys struct {
	window *bytes.Buffer
	saw    string
	times  int
}

func (k *keys) Read(p []byte) (int, error) {
	k.times++
	k.saw = k.window.String()
	return copy(p, "\n"), nil
}

// TestADoubleClickIsToldBeforeTheWindowGoes: whatever ends a run, its words stand in the window when Enter is waited for.
func TestADoubleClickIsToldBeforeTheWindowGoes(t *testing.T) {
	for name, c := range map[string]struct {
		args   []string
		may    bool
		denied error // what the system's question for the rights ends with
		code   int
		says   string // "" = the window goes at once
		asked  bool
	}{
		"no rights, and the person says no":  {may: false, denied: errors.New("cancelled"), code: 1, says: "it may not change this system", asked: true},
		"no rights, and the person says yes": {may: false, code: 0, asked: true},
		"a wrong word":                       {args: []string{"dance"}, may: true, code: 1, says: "there is no such action"},
	} {
		t.Run(name, func(t *testing.T) {
			var window bytes.Buffer
			k := &keys{window: &window}
			asked := false
			r := &run{in: k, out: &window, now: time.Now, may: func() bool { return c.may }, window: func() bool { return true },
				elevate: func(args []string) error { asked = true; return c.denied }}
			if code := r.whole(context.Background(), c.args, &window); code != c.code || asked != c.asked {
				t.Errorf("ended with %d, asked %v\n%s", code, asked, &window)
			}
			if c.says == "" && k.times > 0 || c.says != "" && !strings.Contains(k.saw, c.says) {
				t.Errorf("Enter was waited for %d times, with this in the window:\n%s", k.times, k.saw)
			}
		})
	}
}

// TestNobodyIsAskedWithoutAWindow: a script that lacks the rights is told, and never waited for.
func TestNobodyIsAskedWithoutAWindow(t *testing.T) {
	var window bytes.Buffer
	k := &keys{window: &window}
	r := &run{in: k, out: &window, now: time.Now, may: func() bool { return false }, window: func() bool { return false }, elevate: func([]string) error { t.Error("asked"); return nil }}
	if code := r.whole(context.Background(), []string{"--accept"}, &window); code != 1 || k.times != 0 || !strings.Contains(window.String(), "it may not change this system") {
		t.Errorf("ended with %d after %d keys\n%s", code, k.times, &window)
	}
}
