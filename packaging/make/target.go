package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/klauspost/compress/zstd"
)

// target is a system that a program is built for. SQLite is C: each needs its compiler.
type target struct {
	os, arch, cc, packages string
	extld                  string // what the linker is told besides
}

// Linux programs are static: they run on every distribution and in an empty container.
var targets = []target{
	{"linux", "amd64", "gcc", "gcc libc6-dev", "-static"},
	{"linux", "arm64", "aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu libc6-dev-arm64-cross", "-static"},
	{"windows", "amd64", "x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64", "-static -Wl,--no-insert-timestamp"},
}

func (t target) String() string { return t.os + "/" + t.arch }

func (t target) exe(name string) string {
	if t.os == "windows" {
		return name + ".exe"
	}
	return name
}

const module = "github.com/tillpost/tillpost/"

// program is what is built.
type program struct {
	pkg, to       string
	cgo           bool
	tags, overlay string
}

// build makes a program. The same source gives the same bytes: no path, no time, no build id.
func (r *release) build(ctx context.Context, t target, p program) error {
	ld := "-s -w -buildid= -X " + module + "shared/version.Version=" + r.version
	env := []string{"GOOS=" + t.os, "GOARCH=" + t.arch, "CGO_ENABLED=0", "GOFLAGS="}
	tags := ""
	if p.cgo {
		env[2] = "CGO_ENABLED=1"
		env = append(env, "CC="+t.cc)
		ld += " -linkmode external -extldflags \"" + t.extld + "\""
		if t.os == "linux" { // what would load libraries at run time cannot be static
			tags = "netgo,osusergo,sqlite_omit_load_extension"
		}
	}
	args := []string{"build", "-trimpath", "-buildvcs=false", "-tags", strings.Trim(tags+","+p.tags, ","), "-ldflags", ld, "-o", p.to}
	if p.overlay != "" {
		args = append(args, "-overlay", p.overlay)
	}
	return r.do(ctx, env, "go", append(args, module+p.pkg)...)
}

// target makes everything for one system.
func (r *release) target(ctx context.Context, t target) error {
	dir := filepath.Join(r.work, t.os+"-"+t.arch)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	agent, hub, installer := filepath.Join(dir, t.exe("agent")), filepath.Join(dir, t.exe("hub")), filepath.Join(dir, t.exe("installer"))
	if err := r.build(ctx, t, program{pkg: "agent", to: agent, cgo: true}); err != nil {
		return err
	}
	if err := r.build(ctx, t, program{pkg: "hub", to: hub, cgo: true}); err != nil {
		return err
	}
	for _, p := range []string{agent, hub} {
		if err := r.authenticode(ctx, t, p); err != nil {
			return err
		}
	}
	if err := r.installer(ctx, t, agent, installer); err != nil {
		return err
	}
	if err := r.dated(agent, hub, installer); err != nil {
		return err
	}
	name := fmt.Sprintf("tillpost-installer-%s-%s-%s", r.version, t.os, t.arch)
	if err := copyFile(installer, filepath.Join(r.out, t.exe(name)), 0o755); err != nil {
		return err
	}
	if err := r.licences(ctx, dir, agent, hub, installer); err != nil {
		return err
	}
	for _, p := range []string{agent, hub, installer} {
		if err := r.sbom(p, t); err != nil {
			return err
		}
	}
	if err := r.portable(t, dir); err != nil {
		return err
	}
	if t.os == "windows" {
		return r.msi(ctx, t, dir)
	}
	return r.systemPackages(ctx, t, dir)
}

// installer builds the one file: the agent is in it. It is laid over a place in the source that is empty.
func (r *release) installer(ctx context.Context, t target, agent, to string) error {
	packed := filepath.Join(r.work, t.os+t.arch+".zst")
	body, err := os.ReadFile(agent)
	if err != nil {
		return err
	}
	w, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if err := os.WriteFile(packed, w.EncodeAll(body, nil), 0o644); err != nil {
		return err
	}
	root, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return err
	}
	place := filepath.Join(strings.TrimSpace(string(root)), "installer", "payload", "agent.zst")
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {place: packed}})
	if err != nil {
		return err
	}
	file := packed + ".json"
	if err := os.WriteFile(file, overlay, 0o644); err != nil {
		return err
	}
	if err := r.build(ctx, t, program{pkg: "installer", to: to, tags: "payload", overlay: file}); err != nil {
		return err
	}
	return r.authenticode(ctx, t, to)
}

func copyFile(from, to string, mode os.FileMode) error {
	b, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, b, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode)
}
