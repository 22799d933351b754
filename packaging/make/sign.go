package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// keys are where the environment says that keys are: files, never their content.
type keys struct {
	cert, key, pass  string // Authenticode: PEM files, and a file with the key's password
	timestamp        string // a time stamp server's address
	minisign, minPwd string // minisign's secret key, and a file with its password
}

func keysFrom(env func(string) string) keys {
	return keys{env("TILLPOST_SIGN_CERT"), env("TILLPOST_SIGN_KEY"), env("TILLPOST_SIGN_PASSWORD_FILE"), env("TILLPOST_SIGN_TIMESTAMP"), env("TILLPOST_MINISIGN_KEY"), env("TILLPOST_MINISIGN_PASSWORD_FILE")}
}

func (k keys) authenticode() bool { return k.cert != "" && k.key != "" }

// authenticode signs a program or an MSI for Windows. The time in the signature is the release's, unless a time stamp server vouches for
// another: such a file is then the only one that differs from build to build.
func (r *release) authenticode(ctx context.Context, t target, file string) error {
	if t.os != "windows" || !r.keys.authenticode() {
		return nil
	}
	signed := file + ".signed"
	args := []string{"sign", "-certs", r.keys.cert, "-key", r.keys.key, "-h", "sha256", "-n", "Tillpost", "-time", strconv.FormatInt(r.epoch.Unix(), 10), "-in", file, "-out", signed}
	if r.keys.pass != "" {
		args = append(args, "-readpass", r.keys.pass)
	}
	if r.keys.timestamp != "" {
		args = append(args, "-ts", r.keys.timestamp)
	}
	if err := r.do(ctx, nil, "osslsigncode", args...); err != nil {
		return err
	}
	return os.Rename(signed, file)
}

// sums lists every file with its SHA-256 and signs the list.
func (r *release) sums(ctx context.Context) error {
	es, err := os.ReadDir(r.out)
	if err != nil {
		return err
	}
	var b strings.Builder
	for _, e := range es {
		if e.IsDir() {
			continue
		}
		body, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&b, "%x  %s\n", sha256.Sum256(body), e.Name())
	}
	file := filepath.Join(r.out, "SHA256SUMS")
	if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil || r.keys.minisign == "" {
		return err
	}
	cmd := exec.CommandContext(ctx, "minisign", "-S", "-s", r.keys.minisign, "-m", file, "-x", file+".minisig", "-t", "tillpost "+r.version, "-c", "signature of Tillpost "+r.version)
	if r.keys.minPwd != "" {
		pw, err := os.ReadFile(r.keys.minPwd)
		if err != nil {
			return err
		}
		cmd.Stdin = bytes.NewReader(pw)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("minisign: %w\n%s", err, out)
	}
	return nil
}
