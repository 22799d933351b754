// Command upa proves the terminal that tests use by a client from outside: Global Payments' own Go SDK must understand it, and what the
// client did must stand in the terminal's books. It says so and ends well when the SDK cannot be had, for want of a network.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/test/fake/terminal"
)

// sdk is the version against which the terminal was proven.
const sdk = "github.com/globalpayments/go-sdk v1.1.3"

//go:embed testdata/client.go.txt
var client []byte

var errSkip = errors.New("skipped")

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	defer cancel()
	err := run(ctx, os.Stdout)
	switch {
	case errors.Is(err, errSkip):
		fmt.Println("UPA against Global Payments' Go SDK:", err)
	case err != nil:
		fmt.Fprintln(os.Stderr, "UPA against Global Payments' Go SDK:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer) error {
	dir, err := os.MkdirTemp("", "tillpost-peer-upa-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin, err := build(ctx, dir)
	if err != nil {
		return err
	}
	t, err := terminal.Start(ctx, time.UTC, time.Now)
	if err != nil {
		return err
	}
	_, port, err := net.SplitHostPort(t.Address())
	if err != nil {
		return err
	}
	for _, step := range []struct {
		before func()
		args   []string
		want   string
	}{
		{nil, []string{"ping"}, "ping Success 00"},
		{nil, []string{"sale", "12.01"}, "sale Success 00"},
		{nil, []string{"tabs"}, "tabs Success 0"},
		{nil, []string{"saf"}, "saf Success 0 pending  approved  declined"},
		{func() { t.BankLine(false) }, []string{"sale", "20.50"}, "sale Success 00"},
		{nil, []string{"saf"}, "saf Success 1 pending 20.50/1; approved  declined"},
		{func() { t.BankLine(true) }, []string{"send"}, "send Success approved 0.00/1;"},
		{nil, []string{"end"}, "end Success 990001"},
		{func() { t.Misbehave(terminal.InUse) }, []string{"ping"}, "ping error: Api read operations failed"},
	} {
		if step.before != nil {
			step.before()
		}
		got, _ := exec.CommandContext(ctx, bin, append([]string{port}, step.args...)...).CombinedOutput() // a refusal is in its words
		if line := lastLine(got); !strings.HasPrefix(line, step.want) {
			return fmt.Errorf("%v: the SDK understood %q, expected %q", step.args, line, step.want)
		}
		fmt.Fprintf(out, "  %-14s %s\n", strings.Join(step.args, " "), step.want)
	}
	if b := t.EndOfDay(); len(b.Payments) != 0 {
		return fmt.Errorf("the batch after the end of day holds %d payments", len(b.Payments))
	}
	fmt.Fprintf(out, "UPA: %s understands every answer.\n", sdk)
	return nil
}

// build makes the client in a folder of its own, so that the SDK's licence stays there.
func build(ctx context.Context, dir string) (string, error) {
	if err := os.WriteFile(filepath.Join(dir, "main.go"), client, 0o600); err != nil {
		return "", err
	}
	if err := os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module peer\n\ngo 1.24\n\nrequire "+sdk+"\n"), 0o600); err != nil {
		return "", err
	}
	if out, err := tool(ctx, dir, "mod", "tidy"); err != nil {
		return "", fmt.Errorf("%w: %s cannot be had (%s)", errSkip, sdk, lastLine(out))
	}
	bin := filepath.Join(dir, "peer.exe")
	if out, err := tool(ctx, dir, "build", "-o", bin, "."); err != nil {
		return "", fmt.Errorf("the client does not build:\n%s", out)
	}
	return bin, nil
}

func tool(ctx context.Context, dir string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, "go", args...)
	c.Dir = dir
	c.Env = append(c.Environ(), "GOFLAGS=", "GOWORK=off")
	return c.CombinedOutput()
}

func lastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(lines[len(lines)-1])
}
