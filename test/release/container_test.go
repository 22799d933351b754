//go:build linux

package release_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"debug/buildinfo"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tillpost/tillpost/test/port"
)

// image is what the folder for containers builds, by a builder that needs no daemon, no registry and no network.
type image struct {
	t      *testing.T
	builds []string // buildah and where it keeps what it builds
	folder string   // the folder that make package packed
	config struct {
		User, WorkingDir, StopSignal string
		Env, Entrypoint, Cmd         []string
		Volumes                      map[string]struct{}
	}
	root string // its files, as a container of it would see them
}

func newImage(t *testing.T) *image {
	t.Helper()
	tool(t, "buildah", "buildah")
	if os.Geteuid() != 0 {
		t.Skip("NOT RUN: the container is built and run as root here")
	}
	dir := t.TempDir()
	i := &image{t: t, folder: filepath.Join(dir, "folder"), builds: []string{"buildah", "--storage-driver", "vfs", "--root", filepath.Join(dir, "root"), "--runroot", filepath.Join(dir, "run")}}
	if err := os.Mkdir(i.folder, 0o755); err != nil {
		t.Fatal(err)
	}
	said(t, "tar", "-xzf", file(t, "tillpost-hub-container-"+version+".tar.gz"), "-C", i.folder, "--strip-components=1")
	t.Cleanup(func() { _ = exec.Command(i.builds[0], append(i.builds[1:], "rm", "-a")...).Run() }) // it is mounted
	i.buildah("build", "--isolation", "chroot", "--build-arg", "TARGETARCH="+runtime.GOARCH, "-f", filepath.Join(i.folder, "Containerfile"), "-t", "tillpost-hub", i.folder)
	i.buildah("from", "--name", "it", "localhost/tillpost-hub")
	i.root = strings.TrimSpace(i.buildah("mount", "it"))
	var all struct {
		OCIv1 struct{ Config json.RawMessage }
	}
	if err := json.Unmarshal([]byte(i.buildah("inspect", "--type", "image", "localhost/tillpost-hub")), &all); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(all.OCIv1.Config, &i.config); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *image) buildah(args ...string) string {
	i.t.Helper()
	cmd := exec.CommandContext(i.t.Context(), i.builds[0], append(i.builds[1:], args...)...)
	var words strings.Builder
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		i.t.Fatalf("buildah %v: %v\n%s%s", args, err, out, words.String())
	}
	return string(out)
}

// does is a command in the container: its user, its folder, its environment and its files, with nothing of this machine's but the network.
func (i *image) does(ctx context.Context, args ...string) *exec.Cmd {
	uid, gid, _ := strings.Cut(i.config.User, ":")
	u, err := strconv.Atoi(uid)
	g, err2 := strconv.Atoi(gid)
	if err := errors.Join(err, err2); err != nil || u == 0 {
		i.t.Fatalf("it runs as %q", i.config.User)
	}
	cmd := exec.CommandContext(ctx, i.config.Entrypoint[0], append(slices.Clone(i.config.Entrypoint[1:]), args...)...)
	cmd.Env, cmd.Dir = i.config.Env, i.config.WorkingDir
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: i.root, Credential: &syscall.Credential{Uid: uint32(u), Gid: uint32(g)}}
	return cmd
}

func (i *image) says(args ...string) (string, int) {
	i.t.Helper()
	cmd := i.does(i.t.Context(), args...)
	out, err := cmd.CombinedOutput()
	var x *exec.ExitError
	if err != nil && !errors.As(err, &x) {
		i.t.Fatalf("%v: %v", args, err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// TestTheContainerOfTheHub builds it from the folder that make package packs, as the folder's own words say, and runs the hub in it: not as root, with
// nothing beside it, with the settings that come along.
func TestTheContainerOfTheHub(t *testing.T) {
	i := newImage(t)
	var files []string
	_ = filepath.WalkDir(i.root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			files = append(files, strings.TrimPrefix(path, i.root))
		}
		return err
	})
	if want := []string{"/etc/passwd", "/usr/bin/hub", "/usr/share/doc/tillpost-hub/THIRD-PARTY.txt"}; !slices.Equal(files, want) {
		t.Errorf("it holds %v, want %v", files, want)
	}
	if bi, err := buildinfo.ReadFile(filepath.Join(i.root, "usr/bin/hub")); err != nil || !strings.Contains(bi.String(), "golang.org/x/crypto/x509roots/fallback") {
		t.Errorf("it knows no public authority, so no Odoo behind TLS: %v", err)
	}
	if _, ok := i.config.Volumes["/var/lib/tillpost-hub"]; !ok || i.config.StopSignal != "SIGTERM" {
		t.Errorf("its settings: %+v", i.config)
	}
	if st, err := os.Stat(filepath.Join(i.root, "var/lib/tillpost-hub")); err != nil || st.Mode().Perm() != 0o700 || fmt.Sprint(st.Sys().(*syscall.Stat_t).Uid, ":", st.Sys().(*syscall.Stat_t).Gid) != i.config.User {
		t.Errorf("a volume would take this over: %v %v", st, err)
	}
	if out, code := i.says("version"); code != 0 || !strings.Contains(out, version) {
		t.Fatalf("%d %s", code, out)
	}

	// The settings that come along are right as they are once their certificate is there.
	etc := filepath.Join(i.root, "etc/tillpost")
	if err := os.CopyFS(etc, os.DirFS(filepath.Join(i.folder, "etc"))); err != nil {
		t.Fatal(err)
	}
	if out, code := i.says("check-config"); code != 1 || !strings.Contains(out, "web: the certificate cannot be used: open /etc/tillpost/web.pem") {
		t.Errorf("without its certificate: %d %s", code, out)
	}
	roots := webCertificate(t, etc)
	if out, code := i.says("check-config"); code != 0 {
		t.Errorf("%d %s", code, out)
	}

	// And it runs, with ports that are free here.
	text, err := os.ReadFile(filepath.Join(etc, "hub.toml"))
	if err != nil {
		t.Fatal(err)
	}
	addrs := map[string]string{"0.0.0.0:8443": "", "0.0.0.0:8883": "", "0.0.0.0:8790": ""}
	settings := strings.Replace(string(text), "[web]", "[metrics]\nlisten = \"\"\n[web]", 1)
	for as := range addrs {
		addrs[as] = port.Free(t)
		if !strings.Contains(settings, as) {
			t.Errorf("the settings do not open %s", as)
		}
		settings = strings.Replace(settings, as, addrs[as], 1)
	}
	if err := os.WriteFile(filepath.Join(etc, "hub.toml"), []byte(settings), 0o644); err != nil {
		t.Fatal(err)
	}
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	hub := i.does(context.Background(), i.config.Cmd...)
	hub.Stdout, hub.Stderr = log, log
	if err := hub.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- hub.Wait() }()
	t.Cleanup(func() {
		_ = hub.Process.Kill()
		if b, err := os.ReadFile(log.Name()); err == nil && t.Failed() {
			t.Logf("the hub said:\n%s", b)
		}
	})
	client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, ServerName: "localhost"}}}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
		r, err := client.Get("https://" + addrs["0.0.0.0:8443"] + "/")
		if err == nil {
			r.Body.Close()
			break
		}
		if time.Now().After(end) {
			t.Fatalf("its pages do not come: %v", err)
		}
	}
	if out, code := i.says("status"); code != 0 || !strings.Contains(out, "All good") {
		t.Errorf("%d %s", code, out)
	}
	if out, code := i.says("location", "add", "S-17", "--name", "Springfield", "--zone", "America/Chicago"); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	if out, code := i.says("device", "code", "S-17"); code != 0 || strings.Count(out, "-") < 3 {
		t.Errorf("%d %s", code, out)
	}
	_ = hub.Process.Signal(syscall.SIGTERM)
	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("told to stop it ends with %v", err)
		}
	case <-time.After(time.Minute):
		t.Error("it does not stop when it is told to")
	}
	if out, code := i.says("status"); code != 1 || !strings.Contains(out, "The hub does not run") {
		t.Errorf("%d %s", code, out)
	}
}

// webCertificate puts one for localhost where the settings look for it, readable for everybody: the container's user is none of this machine's.
func webCertificate(t *testing.T, dir string) *x509.CertPool {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "localhost"}, DNSNames: []string{"localhost"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().AddDate(0, 2, 0), BasicConstraintsValid: true, IsCA: true}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	key, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(writePEM(filepath.Join(dir, "web.pem"), "CERTIFICATE", der), writePEM(filepath.Join(dir, "web.key"), "PRIVATE KEY", key),
		os.Chmod(filepath.Join(dir, "web.pem"), 0o644), os.Chmod(filepath.Join(dir, "web.key"), 0o644)); err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AddCert(parsed)
	return roots
}
