package logs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// kept is an event log that remembers.
type kept []string

func (k *kept) Info(id uint32, s string) error {
	*k = append(*k, fmt.Sprintf("info %d %s", id, s))
	return nil
}
func (k *kept) Warning(id uint32, s string) error {
	*k = append(*k, fmt.Sprintf("warning %d %s", id, s))
	return nil
}
func (k *kept) Error(id uint32, s string) error {
	*k = append(*k, fmt.Sprintf("error %d %s", id, s))
	return nil
}

func TestLevelsOfTheEventLog(t *testing.T) {
	var k kept
	log := slog.New(ToEvents(&k, slog.LevelWarn))
	log.Info("nobody needs this")
	log.Warn("a warning", "store", "S-1")
	log.With("device", "pc").WithGroup("hub").Error("an error", "at", "10.0.0.1")
	want := kept{"warning 2 a warning\r\nstore: S-1", "error 3 an error\r\ndevice: pc\r\nhub.at: 10.0.0.1"}
	if fmt.Sprint(k) != fmt.Sprint(want) {
		t.Errorf("got %q, want %q", k, want)
	}
}

// What a stranger writes (a file's name, a till's text, a broker's answer) stays one line of ours: it begins none of its own, neither in the
// file nor in the event log, and moves no cursor.
func TestNobodyElseWritesALine(t *testing.T) {
	for _, evil := range []string{"x\n{\"level\":\"ERROR\",\"msg\":\"forged\"}", "x\r\nERROR forged", "x\x1b[2J\x1b[1;1Hforged", "x\u2028forged", "x\u0085forged"} {
		var k kept
		var b bytes.Buffer
		log := slog.New(Both(slog.NewJSONHandler(&b, nil), ToEvents(&k, slog.LevelWarn)))
		log.Warn("cannot read "+evil, "file", evil, evil, "v")
		lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
		var one map[string]any
		if len(lines) != 1 || json.Unmarshal([]byte(lines[0]), &one) != nil || one["file"] != evil || strings.ContainsAny(b.String(), "\x1b\r") {
			t.Errorf("%q in the file: %q", evil, b.String())
		}
		if len(k) != 1 || strings.Count(k[0], "\n") != 2 || strings.ContainsAny(k[0], "\x1b\u2028\u0085") {
			t.Errorf("%q in the event log: %q", evil, k)
		}
	}
}

func TestALongWordIsCut(t *testing.T) {
	var k kept
	slog.New(ToEvents(&k, slog.LevelWarn)).Warn(strings.Repeat("é", 40_000))
	if len(k) != 1 || len(k[0]) > longest+20 {
		t.Errorf("%d bytes", len(k[0]))
	}
}

// A file keeps its share of the disk, its lines whole, and the newest of them, over restarts.
func TestAFileDoesNotGrow(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log", "a.log")
	for run := range 3 {
		l := &File{Path: path, Max: 1000, Keep: 2}
		var wg sync.WaitGroup
		for g := range 4 {
			wg.Go(func() {
				for i := range 50 {
					fmt.Fprintf(l, "run %d of %d, line %02d, %s\n", run, g, i, strings.Repeat("x", 20))
				}
			})
		}
		wg.Wait()
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
		files := l.Files()
		if len(files) != 3 {
			t.Fatalf("files %v", files)
		}
		for _, f := range files {
			b, err := os.ReadFile(f)
			if err != nil || len(b) > 1000 || len(b) == 0 {
				t.Errorf("%s: %d bytes, %v", f, len(b), err)
			}
			for line := range strings.Lines(string(b)) {
				if !strings.HasPrefix(line, "run ") || !strings.HasSuffix(line, "x\n") {
					t.Errorf("a torn line: %q", line)
				}
			}
		}
		if b, err := os.ReadFile(path); err != nil || !strings.Contains(string(b), fmt.Sprintf("run %d", run)) {
			t.Errorf("the newest lines are not in %s: %v", path, err)
		}
	}
}

// A disk that takes nothing loses words and stops nobody.
func TestADiskThatTakesNothing(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "log"), nil, 0o600); err != nil { // a file where the folder should be
		t.Fatal(err)
	}
	l := &File{Path: filepath.Join(dir, "log", "a.log"), Max: 1000, Keep: 2}
	if n, err := l.Write([]byte("x\n")); n != 2 || err != nil {
		t.Errorf("%d %v", n, err)
	}
	slog.New(slog.NewJSONHandler(l, nil)).InfoContext(context.Background(), "goes on")
}
