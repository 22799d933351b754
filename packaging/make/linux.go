package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// nfpm makes deb and rpm. It is a tool beside the project: linked in, it would bring forty modules. Newer ones cannot be had everywhere.
const nfpm = "github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2"

// tool finds nfpm, or builds it once into the user's cache.
func tool(ctx context.Context) (string, error) {
	if path, err := exec.LookPath("nfpm"); err == nil {
		return path, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "tillpost", nfpm[strings.LastIndex(nfpm, "@")+1:])
	path := filepath.Join(dir, "nfpm")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "install", nfpm)
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install %s: %w %s", nfpm, err, out)
	}
	return path, nil
}

// systemPackages makes deb and rpm of agent and hub.
func (r *release) systemPackages(ctx context.Context, t target, dir string) error {
	path, err := tool(ctx)
	if err != nil {
		r.skip("deb and rpm for "+t.arch, "nfpm cannot be had: "+err.Error())
		return nil
	}
	for _, program := range []string{"agent", "hub"} {
		text, err := os.ReadFile("packaging/nfpm/" + program + ".yaml")
		if err != nil {
			return err
		}
		for _, kind := range []string{"deb", "rpm"} {
			mark := filepath.Join(dir, "packaged")
			if err := os.WriteFile(mark, []byte(kind+"\n"), 0o644); err != nil {
				return err
			}
			if err := r.dated(mark); err != nil {
				return err
			}
			values := map[string]string{"ARCH": t.arch, "VERSION": packaged(r.version), "DIR": dir, "MTIME": r.epoch.Format(time.RFC3339)}
			conf := filepath.Join(dir, program+".yaml")
			if err := os.WriteFile(conf, []byte(os.Expand(string(text), func(name string) string { return values[name] })), 0o644); err != nil {
				return err
			}
			if err := r.do(ctx, nil, path, "package", "--config", conf, "--packager", kind, "--target", filepath.Join(r.out, fmt.Sprintf("tillpost-%s-%s-linux-%s.%s", program, r.version, t.arch, kind))); err != nil {
				return err
			}
		}
	}
	return nil
}

// container packs what a container of the hub is built from.
func (r *release) container() error {
	ms := []member{{"Containerfile", "packaging/container/Containerfile", 0o644}, {"compose.yaml", "packaging/container/compose.yaml", 0o644}, {"passwd", "packaging/container/passwd", 0o644},
		{"etc/hub.toml", "packaging/container/hub.toml", 0o644}, {"hub.toml.sample", "configs/hub.toml", 0o644}, {"LICENSE", "LICENSE", 0o644}, {name: "state/tillpost-hub/", mode: 0o700}}
	n := 0
	for _, arch := range []string{"amd64", "arm64"} {
		hub := filepath.Join(r.work, "linux-"+arch, "hub")
		if _, err := os.Stat(hub); err == nil {
			ms, n = append(ms, member{"linux/" + arch + "/hub", hub, 0o755}, member{"linux/" + arch + "/" + thirdParty, filepath.Join(filepath.Dir(hub), thirdParty), 0o644}), n+1
		}
	}
	if n == 0 {
		return nil
	}
	return r.tar("tillpost-hub-container-"+r.version, ms)
}
