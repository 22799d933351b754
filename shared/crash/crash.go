// Package crash keeps what Go says when a program ends by a fault of its own, and makes a report of it that holds no data: which version, where in
// the code, and no word of what it worked on.
package crash

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

const (
	raw     = "last.txt" // Go writes into it while the program dies
	prefix  = "crash-"
	keep    = 5
	longest = 64 << 10
)

// Report is what is known of a crash.
type Report struct {
	File string    `json:"file"`
	At   time.Time `json:"at"`
	What string    `json:"what"` // in a line: what kind of fault, and where
}

// Watch makes a report of the last run's crash, if that ended by one, and has the next one caught in dir. version is the one that runs now: a
// crash is told as that of the version which wrote it.
func Watch(dir, version string, now time.Time) (*Report, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	rep, err := collect(dir, now)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(filepath.Join(dir, raw), os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return rep, err
	}
	defer f.Close() // the runtime has its own handle
	if _, err := fmt.Fprintf(f, "%s %s %s/%s\n", version, runtime.Version(), runtime.GOOS, runtime.GOARCH); err != nil {
		return rep, err
	}
	return rep, debug.SetCrashOutput(f, debug.CrashOptions{})
}

// collect turns the last run's words into a report.
func collect(dir string, now time.Time) (*Report, error) {
	path := filepath.Join(dir, raw)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	head, said, _ := bytes.Cut(b, []byte("\n"))
	if len(bytes.TrimSpace(said)) == 0 {
		return nil, nil // it ended in order, or its power was cut
	}
	at := now
	if st, err := os.Stat(path); err == nil {
		at = st.ModTime()
	}
	text := Clean(string(said))
	rep := &Report{At: at, What: summary(text), File: filepath.Join(dir, prefix+at.UTC().Format("20060102T150405")+".txt")}
	if err := os.WriteFile(rep.File, fmt.Appendf(nil, "%s\n%s\n%s", head, at.UTC().Format(time.RFC3339), text), 0o600); err != nil {
		return nil, err
	}
	for _, old := range Files(dir)[min(keep, len(Files(dir))):] {
		_ = os.Remove(old)
	}
	return rep, nil
}

// Files lists the reports, the newest first.
func Files(dir string) []string {
	all, _ := filepath.Glob(filepath.Join(dir, prefix+"*.txt"))
	slices.Sort(all)
	slices.Reverse(all)
	return all
}

var (
	// What stays: the kinds of fault that Go itself words, without what they were about; and the lines of a stack.
	kinds     = regexp.MustCompile(`^(panic: runtime error: (index out of range|slice bounds out of range|invalid memory address or nil pointer dereference|integer divide by zero|makeslice: len out of range|hash of unhashable type|assignment to entry in nil map)|fatal error: [a-z ]+|SIG[A-Z]+: [a-z ]+|panic: assignment to entry in nil map|unexpected fault address)`)
	goroutine = regexp.MustCompile(`^(goroutine \d+) .*?(\[[a-z ]+(?:, \d+ minutes)?(?:, locked to thread)?\]:)$`)
	function  = regexp.MustCompile(`^(created by )?([\w./*()\-\[\]·~%]+)\(`)
	created   = regexp.MustCompile(`^created by ([\w./*()\-\[\]·~%]+)`)
	place     = regexp.MustCompile(`^\t(\S+\.(?:go|s|c)):(\d+)`)
)

// Clean keeps of Go's words which fault it was and where: no value, no argument, no path of this machine.
func Clean(said string) string {
	var b strings.Builder
	for line := range strings.Lines(said) {
		line = strings.TrimRight(line, "\r\n")
		if b.Len() > longest {
			b.WriteString("…\n")
			break
		}
		switch {
		case kinds.MatchString(line):
			b.WriteString(kinds.FindString(line) + "\n")
		case strings.HasPrefix(line, "panic: "):
			b.WriteString("panic (its words are left out: they may hold data)\n")
		case goroutine.MatchString(line):
			m := goroutine.FindStringSubmatch(line)
			b.WriteString("\n" + m[1] + " " + m[2] + "\n")
		case created.MatchString(line):
			b.WriteString("created by " + created.FindStringSubmatch(line)[1] + "\n")
		case place.MatchString(line):
			m := place.FindStringSubmatch(line)
			b.WriteString("\t" + filepath.ToSlash(tail(m[1])) + ":" + m[2] + "\n")
		case function.MatchString(line):
			b.WriteString(function.FindStringSubmatch(line)[2] + "(…)\n")
		}
	}
	return b.String()
}

// tail is a source file's last two steps: what stands before is the building machine's.
func tail(path string) string {
	parts := strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '\\' })
	return strings.Join(parts[max(0, len(parts)-2):], "/")
}

// summary is the fault and the first place of ours.
func summary(text string) string {
	what := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if what == "" {
			what = line
		}
		if strings.HasPrefix(line, "github.com/tillpost/") {
			return what + " in " + strings.TrimSuffix(strings.TrimPrefix(line, "github.com/tillpost/tillpost/"), "(…)")
		}
	}
	return what
}
