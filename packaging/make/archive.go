package main

import (
	"archive/tar"
	"archive/zip"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// member is a file of an archive, or a folder with nothing in it when nothing is said of where it is from.
type member struct {
	name, from string
	mode       os.FileMode
}

// portable packs the programs with their samples: unpack, and run the installer, which finds the agent beside it, or each by hand.
func (r *release) portable(t target, dir string) error {
	ms := []member{
		{t.exe("agent"), filepath.Join(dir, t.exe("agent")), 0o755}, {t.exe("hub"), filepath.Join(dir, t.exe("hub")), 0o755},
		{t.exe("installer"), filepath.Join(dir, t.exe("installer")), 0o755},
		{"LICENSE", "LICENSE", 0o644}, {thirdParty, filepath.Join(dir, thirdParty), 0o644}, {"README.md", "README.md", 0o644}, {"configs/agent.toml", "configs/agent.toml", 0o644}, {"configs/hub.toml", "configs/hub.toml", 0o644},
	}
	name := fmt.Sprintf("tillpost-%s-%s-%s", r.version, t.os, t.arch)
	if t.os == "windows" {
		return r.zip(name, ms)
	}
	return r.tar(name, ms)
}

func (r *release) zip(name string, ms []member) (err error) {
	f, err := os.Create(filepath.Join(r.out, name+".zip"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	z := zip.NewWriter(f)
	for _, m := range ms {
		h := &zip.FileHeader{Name: name + "/" + m.name, Method: zip.Deflate, Modified: r.epoch}
		h.SetMode(m.mode)
		w, err := z.CreateHeader(h)
		if err != nil {
			return err
		}
		if err := pour(w, m.from); err != nil {
			return err
		}
	}
	return z.Close()
}

func (r *release) tar(name string, ms []member) (err error) {
	f, err := os.Create(filepath.Join(r.out, name+".tar.gz"))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	gz, err := gzip.NewWriterLevel(f, gzip.BestCompression)
	if err != nil {
		return err
	}
	t := tar.NewWriter(gz)
	for _, m := range ms {
		if m.from == "" {
			if err := t.WriteHeader(&tar.Header{Name: name + "/" + m.name, Mode: int64(m.mode), ModTime: r.epoch, Typeflag: tar.TypeDir, Format: tar.FormatPAX}); err != nil {
				return err
			}
			continue
		}
		st, err := os.Stat(m.from)
		if err != nil {
			return err
		}
		if err := t.WriteHeader(&tar.Header{Name: name + "/" + m.name, Size: st.Size(), Mode: int64(m.mode), ModTime: r.epoch, Typeflag: tar.TypeReg, Format: tar.FormatPAX}); err != nil {
			return err
		}
		if err := pour(t, m.from); err != nil {
			return err
		}
	}
	return errors.Join(t.Close(), gz.Close())
}

func pour(w io.Writer, from string) error {
	f, err := os.Open(from)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(w, f)
	return err
}
