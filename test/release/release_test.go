//go:build linux

// Package release_test runs what `make package` runs and looks at every file that comes out: what is in it, who signed it, that it is the same
// when it is built again, and that it installs. TILLPOST_RELEASE=all builds for every system that has a compiler here; without it, for this
// one alone.
package release_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/buildinfo"
	"debug/elf"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"
)

const version = "v1.2.3"

var tmp string

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "release-test-")
	if err != nil {
		panic(err)
	}
	tmp = dir
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// built is the release that the tests look at; nil error once it is there.
var built = sync.OnceValues(func() (string, error) {
	if d := os.Getenv("TILLPOST_DIST"); d != "" {
		return d, nil // made before; signed with keys that this test does not know, if at all
	}
	out := filepath.Join(tmp, "dist")
	return out, makeRelease(root(), out, nil)
})

func dist(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("builds a whole release; left out of short runs")
	}
	out, err := built()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func root() string {
	dir, err := filepath.Abs("../..")
	if err != nil {
		panic(err)
	}
	return dir
}

func everything() bool { return os.Getenv("TILLPOST_RELEASE") == "all" }

// makeRelease runs packaging/make in a source folder, with keys that were made for this test.
func makeRelease(source, out string, env []string) error {
	args := []string{}
	if !everything() {
		args = append(args, "-only", "linux/"+runtime.GOARCH)
	}
	return makeVersion(source, out, version, env, args...)
}

func makeVersion(source, out, version string, env []string, more ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 25*time.Minute)
	defer cancel()
	args := append([]string{"run", "./packaging/make", "-version", version, "-out", out}, more...)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	cmd.Env = append(append(os.Environ(), "SOURCE_DATE_EPOCH=1796083200", "GOFLAGS="), env...)
	k, err := testKeys()
	if err != nil {
		return err
	}
	cmd.Env = append(cmd.Env, k.env...)
	if b, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("make package: %w\n%s", err, b)
	}
	return nil
}

type signing struct {
	env                    []string
	cert, minisign, public string
}

// testKeys are made by the test itself: nobody trusts them.
var testKeys = sync.OnceValues(func() (k signing, err error) {
	dir := filepath.Join(tmp, "keys")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return k, err
	}
	if _, err := exec.LookPath("osslsigncode"); err == nil {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			return k, err
		}
		c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "Tillpost test"}, NotBefore: time.Unix(1700000000, 0), NotAfter: time.Unix(2500000000, 0),
			KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageCodeSigning}, BasicConstraintsValid: true, IsCA: true}
		der, err := x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
		if err != nil {
			return k, err
		}
		k.cert = filepath.Join(dir, "cert.pem")
		pk, err := x509.MarshalPKCS8PrivateKey(key)
		err = errors.Join(err, writePEM(k.cert, "CERTIFICATE", der), writePEM(filepath.Join(dir, "key.pem"), "PRIVATE KEY", pk))
		if err != nil {
			return k, err
		}
		k.env = append(k.env, "TILLPOST_SIGN_CERT="+k.cert, "TILLPOST_SIGN_KEY="+filepath.Join(dir, "key.pem"))
	}
	if _, err := exec.LookPath("minisign"); err == nil {
		k.minisign, k.public = filepath.Join(dir, "minisign.key"), filepath.Join(dir, "minisign.pub")
		if out, err := exec.Command("minisign", "-G", "-W", "-f", "-s", k.minisign, "-p", k.public).CombinedOutput(); err != nil {
			return k, fmt.Errorf("minisign: %w %s", err, out)
		}
		k.env = append(k.env, "TILLPOST_MINISIGN_KEY="+k.minisign)
	}
	return k, nil
})

func writePEM(path, kind string, der []byte) error {
	return os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600)
}

// file is a file of the release by what its name ends with.
func file(t *testing.T, end string) string {
	t.Helper()
	fs, _ := filepath.Glob(filepath.Join(dist(t), "*"+end))
	if len(fs) != 1 {
		if strings.Contains(end, "windows") || strings.Contains(end, "arm64") || strings.HasSuffix(end, ".msi") {
			if !everything() {
				t.Skipf("%s is built with TILLPOST_RELEASE=all only", end)
			}
			t.Skipf("%s could not be built here: its compiler or tool is not installed", end)
		}
		t.Fatalf("%d files end with %s", len(fs), end)
	}
	return fs[0]
}

func tool(t *testing.T, name, packages string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed: not looked at (apt-get install %s)", name, packages)
	}
}

func said(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

func has(t *testing.T, what, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("%s lacks %q:\n%s", what, w, text)
		}
	}
}

// TestBuiltAgainItIsTheSame builds the same source in another folder; with TILLPOST_REPRODUCE=1 also with an empty build cache, which takes
// minutes.
func TestBuiltAgainItIsTheSame(t *testing.T) {
	first := dist(t)
	elsewhere, again := filepath.Join(t.TempDir(), "another place"), filepath.Join(t.TempDir(), "dist")
	if err := os.CopyFS(elsewhere, sources{root()}); err != nil {
		t.Fatal(err)
	}
	var env []string
	if os.Getenv("TILLPOST_REPRODUCE") != "" {
		env = []string{"GOCACHE=" + t.TempDir()}
	} else {
		t.Log("the build cache is the first build's; TILLPOST_REPRODUCE=1 does without")
	}
	if err := makeRelease(elsewhere, again, env); err != nil {
		t.Fatal(err)
	}
	es, err := os.ReadDir(first)
	if err != nil || len(es) < 8 {
		t.Fatalf("%d files %v", len(es), err)
	}
	for _, e := range es {
		a, _ := os.ReadFile(filepath.Join(first, e.Name()))
		b, err := os.ReadFile(filepath.Join(again, e.Name()))
		if err != nil || sha256.Sum256(a) != sha256.Sum256(b) {
			t.Errorf("%s is another the second time (%d and %d bytes) %v", e.Name(), len(a), len(b), err)
		}
	}
}

func TestTheListOfHashesIsSigned(t *testing.T) {
	out := dist(t)
	for line := range strings.Lines(said(t, "cat", filepath.Join(out, "SHA256SUMS"))) {
		sum, name, _ := strings.Cut(strings.TrimSpace(line), "  ")
		body, err := os.ReadFile(filepath.Join(out, name))
		if err != nil || fmt.Sprintf("%x", sha256.Sum256(body)) != sum {
			t.Errorf("%s: %v", name, err)
		}
	}
	tool(t, "minisign", "minisign")
	k, err := testKeys()
	if err != nil {
		t.Fatal(err)
	}
	has(t, "minisign", said(t, "minisign", "-V", "-p", k.public, "-m", filepath.Join(out, "SHA256SUMS")), "Signature and comment signature verified", "tillpost "+version)
	other := filepath.Join(t.TempDir(), "SHA256SUMS")
	body, _ := os.ReadFile(filepath.Join(out, "SHA256SUMS"))
	sig, _ := os.ReadFile(filepath.Join(out, "SHA256SUMS.minisig"))
	for what, x := range map[string]struct{ list, sig []byte }{
		"the list changed in its first byte": {flipped(body, 0), sig}, "the list changed in its last": {flipped(body, len(body)-2), sig}, "the list cut": {body[:len(body)-1], sig},
		"the signature changed": {body, flipped(sig, bytes.IndexByte(sig, '\n')+20)}, "the comment changed": {body, bytes.Replace(sig, []byte("tillpost "+version), []byte("tillpost v9.9.9"), 1)},
	} {
		os.WriteFile(other, x.list, 0o600)
		os.WriteFile(other+".minisig", x.sig, 0o600)
		if out, err := exec.Command("minisign", "-V", "-p", k.public, "-m", other).CombinedOutput(); err == nil {
			t.Errorf("%s, and it passes:\n%s", what, out)
		}
	}
}

// flipped is a copy with one bit changed.
func flipped(body []byte, at int) []byte {
	out := bytes.Clone(body)
	out[at] ^= 1
	return out
}

// TestEveryModuleIsListed compares the list with what the program itself says.
func TestEveryModuleIsListed(t *testing.T) {
	programs := unpack(t)
	for _, name := range []string{"agent", "hub", "installer"} {
		bi, err := buildinfo.ReadFile(filepath.Join(programs, name))
		if err != nil {
			t.Fatal(err)
		}
		var b struct {
			BomFormat, SpecVersion string
			Components             []struct {
				Name, Version, PURL string
				Licenses            []struct{ Expression string }
			}
		}
		body, _ := os.ReadFile(file(t, fmt.Sprintf("tillpost-%s-%s-linux-%s.cdx.json", name, version, runtime.GOARCH)))
		if err := json.Unmarshal(body, &b); err != nil || b.BomFormat != "CycloneDX" || b.SpecVersion != "1.5" {
			t.Fatalf("%s: %v %+v", name, err, b)
		}
		listed := map[string]string{}
		for _, c := range b.Components {
			listed[c.Name] = c.Version
			if !strings.HasPrefix(c.PURL, "pkg:golang/") || len(c.Licenses) != 1 || c.Licenses[0].Expression == "" {
				t.Errorf("%s: %+v", name, c)
			}
		}
		if len(bi.Deps) < 3 || listed["std"] != bi.GoVersion {
			t.Errorf("%s: %d modules, Go %q", name, len(bi.Deps), listed["std"])
		}
		for _, m := range bi.Deps {
			if listed[m.Path] != m.Version {
				t.Errorf("%s: %s %s is not listed", name, m.Path, m.Version)
			}
		}
	}
}

// TestLicencesGoWithEveryCopy: of each module that is linked, and of Go, in the archive and in the packages.
func TestLicencesGoWithEveryCopy(t *testing.T) {
	programs := unpack(t)
	body, err := os.ReadFile(filepath.Join(programs, "THIRD-PARTY.txt"))
	if err != nil {
		t.Fatal(err)
	}
	text := string(body)
	for _, name := range []string{"agent", "hub", "installer"} {
		bi, err := buildinfo.ReadFile(filepath.Join(programs, name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range bi.Deps {
			has(t, "THIRD-PARTY.txt", text, "\n"+m.Path+" "+m.Version+" (")
		}
	}
	has(t, "THIRD-PARTY.txt", text, "\nstd ", "The Go Authors", "go-tuf/v2", "Copyright 2024 The Update Framework Authors", "github.com/eclipse/paho.mqtt.golang", "(EPL-2.0 OR BSD-3-Clause)", "Copyright (c) 2021 NYU Secure Systems Lab")
	if _, err := exec.LookPath("dpkg-deb"); err == nil {
		for _, p := range []string{"agent", "hub"} {
			has(t, "the deb of the "+p, said(t, "dpkg-deb", "-c", file(t, fmt.Sprintf("tillpost-%s-%s-linux-%s.deb", p, version, runtime.GOARCH))), "./usr/share/doc/tillpost-"+p+"/THIRD-PARTY.txt")
		}
	}
}

// unpack opens the portable archive of this system.
func unpack(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	said(t, "tar", "-xzf", file(t, fmt.Sprintf("tillpost-%s-linux-%s.tar.gz", version, runtime.GOARCH)), "-C", dir)
	return filepath.Join(dir, fmt.Sprintf("tillpost-%s-linux-%s", version, runtime.GOARCH))
}

// TestTheProgramsNeedNothing runs them where nothing else is.
func TestTheProgramsNeedNothing(t *testing.T) {
	dir := unpack(t)
	for _, name := range []string{"agent", "hub", "installer"} {
		path := filepath.Join(dir, name)
		f, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range f.Progs {
			if p.Type == elf.PT_INTERP {
				t.Errorf("%s wants a dynamic linker", name)
			}
		}
		f.Close()
		if st, err := os.Stat(path); err != nil || st.Size() > 30<<20 && name == "agent" {
			t.Errorf("%s has %d bytes", name, st.Size())
		}
		if os.Geteuid() != 0 {
			continue
		}
		arg := "version"
		if name == "installer" {
			arg = "--version"
		}
		cmd := exec.Command("/"+name, arg)
		cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: dir}
		cmd.Dir = "/"
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), version) {
			t.Errorf("%s in an empty root: %v %s", name, err, out)
		}
	}
}

// TestTheOneFileCarriesItsAgent installs into a folder; no hub is there, and the agent that it put in place is the release's.
func TestTheOneFileCarriesItsAgent(t *testing.T) {
	alone, box := t.TempDir(), t.TempDir()
	body, err := os.ReadFile(file(t, fmt.Sprintf("tillpost-installer-%s-linux-%s", version, runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	one := filepath.Join(alone, "download")
	if err := os.WriteFile(one, body, 0o755); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(one, "--root", box, "--hub", "127.0.0.1:9", "--code", "ABCD-EFGH-JKMN-PQRS", "--accept").CombinedOutput()
	if err == nil {
		t.Errorf("without a hub it ends well:\n%s", out)
	}
	has(t, "the installer", string(out), "Putting the program in place", "redeeming the code")
	got, err := os.ReadFile(filepath.Join(box, "opt/tillpost/agent"))
	want, _ := os.ReadFile(filepath.Join(unpack(t), "agent"))
	if err != nil || !bytes.Equal(got, want) {
		t.Errorf("it put another agent in place: %d and %d bytes, %v", len(got), len(want), err)
	}
	if v := said(t, filepath.Join(box, "opt/tillpost/agent"), "version"); strings.TrimSpace(v) != version {
		t.Errorf("version %q", v)
	}
}

// TestADamagedInstallerPutsNothingInPlace changes one byte of the agent that the installer carries, at its beginning, in its middle and at its end:
// it says so, and the PC is as it was, whether an agent is on it or not.
func TestADamagedInstallerPutsNothingInPlace(t *testing.T) {
	body, err := os.ReadFile(file(t, fmt.Sprintf("tillpost-installer-%s-linux-%s", version, runtime.GOARCH)))
	if err != nil {
		t.Fatal(err)
	}
	from, size := carriedAt(t, body)
	for _, at := range []int{from + 30, from + size/2, from + size - 5} {
		alone, box := t.TempDir(), t.TempDir()
		one := filepath.Join(alone, "download")
		if err := os.WriteFile(one, flipped(body, at), 0o755); err != nil {
			t.Fatal(err)
		}
		agent := filepath.Join(box, "opt/tillpost/agent")
		if err := errors.Join(os.MkdirAll(filepath.Dir(agent), 0o755), os.WriteFile(agent, []byte("#!/bin/sh\necho v1.0.0\n"), 0o755)); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(one, "--root", box, "--hub", "127.0.0.1:9", "--code", "ABCD-EFGH-JKMN-PQRS", "--accept").CombinedOutput()
		if err == nil {
			t.Errorf("byte %d changed, and it ends well:\n%s", at, out)
		}
		has(t, "the damaged installer", string(out), "this installer's file is damaged", "Download it again")
		if got, err := os.ReadFile(agent); err != nil || string(got) != "#!/bin/sh\necho v1.0.0\n" {
			t.Errorf("byte %d changed: the agent on the PC is another now: %d bytes, %v", at, len(got), err)
		}
	}
}

// carriedAt finds the packed agent in an installer.
func carriedAt(t *testing.T, body []byte) (from, size int) {
	t.Helper()
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for at := 0; ; at += 4 {
		i := bytes.Index(body[at:], []byte("\x28\xb5\x2f\xfd"))
		if i < 0 {
			t.Fatal("no agent is in the installer")
		}
		at += i
		if d.Reset(bytes.NewReader(body[at:])) != nil {
			continue
		}
		head := make([]byte, 4)
		if _, err := io.ReadFull(d, head); err != nil || string(head) != "\x7fELF" {
			continue
		}
		var h zstd.Header
		if err := h.Decode(body[at:]); err != nil || !h.HasCheckSum {
			t.Fatalf("the packed agent has no checksum: %v", err)
		}
		return at, frame(t, body[at:])
	}
}

// frame is the length of a zstd frame: header, blocks, checksum (RFC 8878).
func frame(t *testing.T, b []byte) int {
	t.Helper()
	var h zstd.Header
	if err := h.Decode(b); err != nil {
		t.Fatal(err)
	}
	at := h.HeaderSize
	for {
		block := int(b[at]) | int(b[at+1])<<8 | int(b[at+2])<<16
		at += 3
		if size := block >> 3; block>>1&3 == 1 { // one byte, repeated
			at++
		} else {
			at += size
		}
		if block&1 == 1 {
			return at + 4
		}
	}
}
