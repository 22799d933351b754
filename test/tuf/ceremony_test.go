package tuf

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/client"
)

// TestTheCeremony runs every command of CEREMONY.md, in its order, on the built hub, with two real agents. A PC that was enrolled on the first day
// and slept since believes the last day.
func TestTheCeremony(t *testing.T) {
	if os.Getenv("TILLPOST_RELEASE") != "all" {
		t.Skip("builds a hub and two agents and opens keys thirty times: with TILLPOST_RELEASE=all only")
	}
	doc, err := os.ReadFile("../../hub/release/CEREMONY.md")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := ceremony{t: t, dir: dir, data: filepath.Join(dir, "data")}
	c.build("hub", "hub-program", "9.9.9")
	c.write("hub.toml", fmt.Sprintf("data_dir = %q\n", c.data), 0o600)
	c.write("bin/hub", "#!/bin/sh\nexec "+filepath.Join(dir, "hub-program")+" --config "+filepath.Join(dir, "hub.toml")+` "$@"`+"\n", 0o755)
	for _, who := range []string{"anna", "bela", "cleo", "dora", "rita", "sam", "tom"} {
		c.write(who+".pass", "the five plain words of "+who+"\n", 0o600)
	}
	for _, v := range []string{"1.0.0", "1.1.0"} {
		c.dist(v)
	}
	blocks := strings.Split(string(doc), "```sh\n")[1:]
	if len(blocks) != 11 {
		t.Fatalf("CEREMONY.md has %d blocks of commands: does this test still follow it?", len(blocks))
	}
	pc := filepath.Join(dir, "pc")
	var pinned []byte
	for i, b := range blocks {
		b, _, _ = strings.Cut(b, "```")
		c.run(b)
		switch i {
		case 3: // founded
			if pinned, err = os.ReadFile(filepath.Join(c.data, "releases", "metadata", "1.root.json")); err != nil {
				t.Fatal(err)
			}
		case 4:
			c.is(c.find(pc, pinned, "", ""), "1.0.0")
		case 5: // the PC without a line, by the stick
			b, err := client.OpenBundle(filepath.Join(dir, "tillpost.bundle"))
			if err != nil {
				t.Fatal(err)
			}
			c.fetch(c.client(filepath.Join(dir, "far"), pinned, b), "1.1.0", "")
			b.Close()
			c.fetch(c.client(pc, pinned, client.Folder(filepath.Join(c.data, "releases"))), "1.1.0", filepath.Join(dir, "agent-1.0.0"))
		case 6:
			t2, err := c.client(filepath.Join(dir, "else"), pinned, client.Folder(filepath.Join(c.data, "releases"))).Find(t.Context(), "1.1.0", "1.0.0")
			if err != nil || t2.Version != "1.0.0" {
				t.Fatalf("back: %v", err)
			}
		}
	}
	c.is(c.find(pc, pinned, "", ""), "1.0.0") // it saw targets 3; five roots later it goes on
	c.is(c.find(filepath.Join(dir, "new"), pinned, "", ""), "1.0.0")
	v := c.run("hub release verify --root " + filepath.Join(c.data, "releases", "metadata", "1.root.json"))
	if !strings.Contains(v, "Root 5, targets 6") {
		t.Errorf("verify: %s", v)
	}
	for _, wrong := range []string{
		"hub release sign --dir stick --key bela.key --passphrase-file anna.pass", // not her passphrase
		"hub release renew root --dir stick && hub release sign --dir stick --key bela.key --passphrase-file bela.pass",
		"hub release publish --from stick", // unsigned
		"hub release key anna.key --passphrase-file anna.pass",
		"hub release add " + t.TempDir() + " --dir stick",
	} {
		if out, err := c.sh(wrong); err == nil {
			t.Errorf("%s: it worked:\n%s", wrong, out)
		}
	}
}

type ceremony struct {
	t         *testing.T
	dir, data string
}

func (c *ceremony) is(got release.Target, want string) {
	c.t.Helper()
	if string(got.Version) != want {
		c.t.Fatalf("got %q, want %s", got.Version, want)
	}
}

func (c *ceremony) write(name, text string, mode os.FileMode) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		c.t.Fatal(err)
	}
}

func (c *ceremony) build(pkg, to, version string) {
	c.t.Helper()
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w -X github.com/tillpost/tillpost/shared/version.Version="+version, "-o", filepath.Join(c.dir, to), "github.com/tillpost/tillpost/"+pkg)
	if out, err := cmd.CombinedOutput(); err != nil {
		c.t.Fatalf("build %s: %v\n%s", pkg, err, out)
	}
}

// dist fills a folder as make package does.
func (c *ceremony) dist(version string) {
	c.t.Helper()
	c.build("agent", "agent-"+version, version)
	body, err := os.ReadFile(filepath.Join(c.dir, "agent-"+version))
	if err != nil {
		c.t.Fatal(err)
	}
	var packed strings.Builder
	z, _ := gzip.NewWriterLevel(&packed, gzip.BestSpeed)
	w := tar.NewWriter(z)
	if err := w.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: "tillpost/agent", Size: int64(len(body)), Mode: 0o755}); err != nil {
		c.t.Fatal(err)
	}
	_, _ = w.Write(body)
	if w.Close() != nil || z.Close() != nil {
		c.t.Fatal("pack")
	}
	name := "tillpost-" + version + "-linux-amd64.tar.gz"
	c.write("dist-"+version+"/"+name, packed.String(), 0o644)
	c.write("dist-"+version+"/SHA256SUMS", fmt.Sprintf("%x  %s\n", sha256.Sum256([]byte(packed.String())), name), 0o644)
}

func (c *ceremony) sh(commands string) (string, error) {
	cmd := exec.Command("sh", "-e")
	cmd.Dir, cmd.Stdin = c.dir, strings.NewReader(strings.ReplaceAll(commands, "/var/lib/tillpost-hub", c.data))
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(c.dir, "bin")+":"+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (c *ceremony) run(commands string) string {
	c.t.Helper()
	out, err := c.sh(commands)
	if err != nil {
		c.t.Fatalf("%s\n%v\n%s", commands, err, out)
	}
	c.t.Log(out)
	return out
}

func (c *ceremony) client(dir string, pinned []byte, s client.Source) *client.Client {
	c.t.Helper()
	k, err := client.Open(client.Config{Dir: dir, Root: pinned, Source: s, OS: "linux", Arch: "amd64", Now: time.Now})
	if err != nil {
		c.t.Fatal(err)
	}
	return k
}

func (c *ceremony) find(pc string, pinned []byte, running, want string) release.Target {
	c.t.Helper()
	got, err := c.client(pc, pinned, client.Folder(filepath.Join(c.data, "releases"))).Find(c.t.Context(), running, want)
	if err != nil {
		c.t.Fatal(err)
	}
	return got
}

func (c *ceremony) fetch(k *client.Client, version, old string) {
	c.t.Helper()
	target, err := k.Find(c.t.Context(), "1.0.0", version)
	if err != nil {
		c.t.Fatal(err)
	}
	to := filepath.Join(c.t.TempDir(), "agent")
	r, err := k.Fetch(c.t.Context(), target, old, to)
	if err != nil {
		c.t.Fatal(err)
	}
	if err := os.Chmod(to, 0o755); err != nil {
		c.t.Fatal(err)
	}
	out, err := exec.Command(to, "version").Output()
	if err != nil || !strings.Contains(string(out), version) {
		c.t.Fatalf("the fetched agent says %q, %v", out, err)
	}
	f, err := os.Open(to)
	if err != nil {
		c.t.Fatal(err)
	}
	n, _ := io.Copy(io.Discard, f)
	f.Close()
	c.t.Logf("%s: %d bytes over the line for %d (patched: %v)", version, r.Bytes, n, r.Patched)
	if r.Patched != (old != "") || r.Bytes >= n {
		c.t.Errorf("fetched %+v", r)
	}
}
