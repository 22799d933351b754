// Package payload is the agent that the installer carries in itself. A release is built with the tag `payload`; without it the agent that lies
// beside the installer is taken: so it is in a portable folder, and after a plain build.
package payload

import (
	"context"
	"crypto/sha256"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

// Payload is the agent to put in place.
type Payload struct {
	Version string // empty: there is none
	Sum     [sha256.Size]byte
	Open    func() (io.ReadCloser, error)
}

// Find tells what is carried; beside is the folder of the installer's own file.
func Find(ctx context.Context, beside string) (Payload, error) {
	if len(carried) > 0 {
		p := Payload{Version: version.String(), Open: unpack}
		r, err := unpack()
		if err != nil {
			return p, err
		}
		defer r.Close()
		h := sha256.New()
		if _, err := io.Copy(h, r); err != nil {
			return p, fault.Msg(fault.Internal, "unpack the agent", "this installer's file is damaged ("+err.Error()+"). Download it again")
		}
		p.Sum = [sha256.Size]byte(h.Sum(nil))
		return p, nil
	}
	path := filepath.Join(beside, "agent")
	if runtime.GOOS == "windows" {
		path += ".exe"
	}
	f, err := os.Open(path)
	if err != nil {
		return Payload{}, nil //nolint:nilerr // there is none: that is an answer
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return Payload{}, fault.New(fault.Internal, "read "+path, err)
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, path, "version").Output()
	if err != nil {
		return Payload{}, fault.Msg(fault.Invalid, "start "+path, err.Error()+". The agent beside this installer does not run on this PC: take the file for its system")
	}
	return Payload{Version: strings.TrimSpace(string(out)), Sum: [sha256.Size]byte(h.Sum(nil)), Open: func() (io.ReadCloser, error) { return os.Open(path) }}, nil
}

func unpack() (io.ReadCloser, error) {
	d, err := zstd.NewReader(strings.NewReader(carried), zstd.WithDecoderConcurrency(1))
	if err != nil {
		return nil, fault.New(fault.Internal, "unpack the agent", err)
	}
	return d.IOReadCloser(), nil
}
