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
	ctx, cancel := context.WithTimeout(context.Background(), 15*time.Minute)
	defer cancel()
	args := []string{"run", "./packaging/make", "-version", version, "-out", out}
	if !everything() {
		args = append(args, "-only", "linux/"+runtime.GOARCH)
	}
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
	os.WriteFile(other, bytes.Replace(body, []byte("a"), []byte("b"), 1), 0o600)
	os.WriteFile(other+".minisig", sig, 0o600)
	if out, err := exec.Command("minisign", "-V", "-p", k.public, "-m", other).CombinedOutput(); err == nil {
		t.Errorf("a changed list passes:\n%s", out)
	}
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
			Components             []struct{ Name, Version, PURL string }
		}
		body, _ := os.ReadFile(file(t, fmt.Sprintf("tillpost-%s-%s-linux-%s.cdx.json", name, version, runtime.GOARCH)))
		if err := json.Unmarshal(body, &b); err != nil || b.BomFormat != "CycloneDX" || b.SpecVersion != "1.5" {
			t.Fatalf("%s: %v %+v", name, err, b)
		}
		listed := map[string]string{}
		for _, c := range b.Components {
			listed[c.Name] = c.Version
			if !strings.HasPrefix(c.PURL, "pkg:golang/") {
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
