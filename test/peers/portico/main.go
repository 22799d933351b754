// Command portico proves the payment gateway that tests use by clients from outside: Global Payments' own SDKs for Node.js and for Go must
// understand it, and what they did must stand in the gateway's record and in what Tillpost's own source reads of it. It says so and ends
// well when an SDK cannot be had, for want of a network or of npm.
package main

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/portico"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/retail"
	fake "github.com/tillpost/tillpost/test/fake/portico"
)

// The versions against which the gateway was proven.
const (
	npm = "globalpayments-api@3.10.10"
	sdk = "github.com/globalpayments/go-sdk v1.1.3"
	key = "skapi_cert_FAKE_ONLY"
)

//go:embed testdata/client.go.txt
var goClient []byte

//go:embed testdata/client.js.txt
var jsClient []byte

var errSkip = errors.New("skipped")

// peer is a client from outside and what it must understand.
type peer struct {
	name string
	run  func(ctx context.Context, dir string, s *servers) ([]byte, error)
	want []string
	sum  int64 // cents of what will settle
}

var peers = []peer{
	{npm, runNode, []string{"sale 00 APPROVAL Visa", "decline 05 DECLINE", "capture 00 00", "edit 00", "refund 00", "void 00", "activity 3 19.01 411111******1111 true",
		"detail true 17.01 19.01 A", "close 00 990000 1", "close again true"}, 3001},
	{sdk, runGo, []string{"sale 00 APPROVAL Visa", "decline 05 DECLINE", "capture 00 00", "void 00", "activity 3 17.01 411111******1111", "find 1 true 17.01 true",
		"close 00 2 33.01", "close again true"}, 3301},
}

func main() {
	ctx, cancel := context.WithTimeout(context.Background(), 8*time.Minute)
	defer cancel()
	failed := false
	for _, p := range peers {
		err := prove(ctx, p, os.Stdout)
		switch {
		case errors.Is(err, errSkip):
			fmt.Printf("Gateway against %s: %v\n", p.name, err)
		case err != nil:
			failed = true
			fmt.Fprintf(os.Stderr, "Gateway against %s: %v\n", p.name, err)
		}
	}
	if failed {
		os.Exit(1)
	}
}

// servers is the fake gateway on both kinds of line.
type servers struct {
	*fake.Gateway
	plain, tls *httptest.Server
}

func prove(ctx context.Context, p peer, out io.Writer) error {
	dir, err := os.MkdirTemp("", "tillpost-peer-portico-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	g := fake.New(fake.Options{Keys: []string{key}, First: 1193000000})
	s := &servers{g, httptest.NewServer(g), httptest.NewTLSServer(g)}
	defer s.plain.Close()
	defer s.tls.Close()
	said, err := p.run(ctx, dir, s)
	if err != nil {
		return err
	}
	lines := strings.Split(strings.TrimSpace(string(said)), "\n")
	lines = slices.DeleteFunc(lines, func(l string) bool { return strings.HasPrefix(l, "[") }) // the Go SDK talks to itself
	if !slices.Equal(lines, p.want) {
		return fmt.Errorf("the SDK understood\n  %s\nexpected\n  %s", strings.Join(lines, "\n  "), strings.Join(p.want, "\n  "))
	}
	for _, l := range lines {
		fmt.Fprintf(out, "  %s\n", l)
	}
	sum, err := settles(ctx, s)
	if err != nil {
		return err
	}
	if sum != p.sum {
		return fmt.Errorf("Tillpost reads payments of %d cents, the SDK made %d", sum, p.sum)
	}
	fmt.Fprintf(out, "Gateway: %s understands every answer, and Tillpost reads what it did to the cent.\n", p.name)
	return nil
}

// settles reads the gateway with Tillpost's own source, and adds up what will settle.
func settles(ctx context.Context, s *servers) (cents int64, err error) {
	src := portico.New(portico.Options{Name: "peer", Location: "S", Currency: "USD", URL: s.plain.URL, Pause: time.Nanosecond,
		Credentials: func() (portico.Credentials, error) { return portico.Credentials{APIKey: key}, nil }})
	by := map[string]retail.Payment{}
	for cursor, more := source.Cursor(""), true; more; {
		ds, next, err := src.Read(ctx, cursor, 100)
		if err != nil {
			return 0, err
		}
		for _, d := range ds {
			rec, err := decode.Decoder{}.Decode(d.Kind, d.ContentType, d.Body)
			if err != nil {
				return 0, err
			}
			if p, ok := rec.(retail.Payment); ok {
				by[p.Key.ID] = by[p.Key.ID].With(p)
			}
		}
		more, cursor = len(ds) > 0 || next != cursor, next
	}
	for _, p := range by {
		if p.State.Moves() {
			cents += p.Amount.Minor
		}
	}
	return cents, nil
}

// runGo builds and runs the Go client in a folder of its own, so that the SDK's licence stays there.
func runGo(ctx context.Context, dir string, s *servers) ([]byte, error) {
	if err := write(dir, map[string][]byte{"main.go": goClient, "go.mod": []byte("module peer\n\ngo 1.24\n\nrequire " + sdk + "\n")}); err != nil {
		return nil, err
	}
	if out, err := tool(ctx, dir, nil, "go", "mod", "tidy"); err != nil {
		return nil, fmt.Errorf("%w: %s cannot be had (%s)", errSkip, sdk, lastLine(out))
	}
	if out, err := tool(ctx, dir, nil, "go", "build", "-o", "peer.exe", "."); err != nil {
		return nil, fmt.Errorf("the client does not build:\n%s", out)
	}
	return client(ctx, dir, nil, filepath.Join(dir, "peer.exe"), s.plain.URL, key)
}

// runNode installs the npm package in a folder of its own, without running any of its install scripts. The SDK speaks TLS only.
func runNode(ctx context.Context, dir string, s *servers) ([]byte, error) {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.tls.Certificate().Raw})
	if err := write(dir, map[string][]byte{"client.js": jsClient, "package.json": []byte(`{"name":"peer","private":true}`), "ca.pem": ca}); err != nil {
		return nil, err
	}
	if out, err := tool(ctx, dir, nil, "npm", "install", "--ignore-scripts", "--omit=dev", "--no-audit", "--no-fund", "--fetch-retries=1", npm); err != nil {
		return nil, fmt.Errorf("%w: %s cannot be had (%v %s)", errSkip, npm, err, lastLine(out))
	}
	return client(ctx, dir, []string{"NODE_EXTRA_CA_CERTS=" + filepath.Join(dir, "ca.pem")}, "node", "client.js", s.tls.URL, key)
}

func write(dir string, files map[string][]byte) error {
	for name, body := range files {
		if err := os.WriteFile(filepath.Join(dir, name), body, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// client runs a client and returns what it printed.
func client(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir, c.Env = dir, append(os.Environ(), env...)
	var errs bytes.Buffer
	c.Stderr = &errs
	out, err := c.Output()
	if err != nil {
		return nil, fmt.Errorf("the client failed: %w\n%s%s", err, out, errs.Bytes())
	}
	return out, nil
}

func tool(ctx context.Context, dir string, env []string, name string, args ...string) ([]byte, error) {
	c := exec.CommandContext(ctx, name, args...)
	c.Dir = dir
	c.Env = append(append(os.Environ(), "GOFLAGS=", "GOWORK=off"), env...)
	return c.CombinedOutput()
}

func lastLine(b []byte) string {
	lines := bytes.Split(bytes.TrimSpace(b), []byte("\n"))
	return string(lines[len(lines)-1])
}
