package release

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"regexp"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/release"
)

// archived is the name of an archive that make package fills: it holds the programs of one version for one system.
var archived = regexp.MustCompile(`^tillpost-(v?\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?)-(linux|windows|darwin)-([a-z0-9]+)\.(tar\.gz|zip)$`)

var sumLine = regexp.MustCompile(`^([0-9a-f]{64}) [ *](\S+)$`)

// ReadDist takes the agents out of a folder that make package filled, each archive held against SHA256SUMS, and each program against the system
// that its archive names. Code invalid.
func ReadDist(dir string, like release.Custom) (ps []Program, err error) {
	f, err := os.Open(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		return nil, fault.New(fault.Invalid, "add releases: a folder that make package filled has a SHA256SUMS", err)
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		l := sumLine.FindStringSubmatch(s.Text())
		if l == nil {
			return nil, fault.Msg(fault.Invalid, "add releases", fmt.Sprintf("%.100q is no line of SHA256SUMS", s.Text()))
		}
		m := archived.FindStringSubmatch(l[2])
		if m == nil {
			continue // an installer, a package, a list: for people, not for updates
		}
		p := Program{Custom: like}
		p.Program, p.OS, p.Arch = release.Agent, m[2], m[3]
		if p.Version, err = release.ParseVersion(m[1]); err != nil {
			return nil, fault.New(fault.Invalid, "add releases: "+l[2], err)
		}
		if p.Body, err = archivedAgent(filepath.Join(dir, l[2]), l[1]); err == nil {
			err = isFor(p)
		}
		if err != nil {
			return nil, fault.New(fault.Invalid, "add releases: "+l[2]+"; nothing was changed", err)
		}
		ps = append(ps, p)
	}
	if len(ps) == 0 {
		return nil, fault.Msg(fault.Invalid, "add releases", dir+" holds no archive of a released version (tillpost-1.4.0-linux-amd64.tar.gz): build it with make package VERSION=1.4.0")
	}
	return ps, nil
}

func archivedAgent(file, sum string) ([]byte, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	if fmt.Sprintf("%x", sha256.Sum256(b)) != sum {
		return nil, errors.New("it is not what SHA256SUMS says")
	}
	if path.Ext(file) == ".zip" {
		return fromZip(b)
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	for t := tar.NewReader(z); ; {
		h, err := t.Next()
		if err != nil {
			return nil, fmt.Errorf("look for the agent: %w", err)
		}
		if path.Base(h.Name) == "agent" && h.Typeflag == tar.TypeReg {
			return limited(t)
		}
	}
}

func fromZip(b []byte) ([]byte, error) {
	z, err := zip.NewReader(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, err
	}
	for _, f := range z.File {
		if path.Base(f.Name) == "agent.exe" {
			r, err := f.Open()
			if err != nil {
				return nil, err
			}
			defer r.Close()
			return limited(r)
		}
	}
	return nil, errors.New("there is no agent in it")
}

func limited(r io.Reader) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, release.MaxProgram+1))
	if err == nil && len(b) > release.MaxProgram {
		err = errors.New("the agent in it is too large")
	}
	return b, err
}

// isFor holds a program against what it is to be released as: what Go wrote into it, and the version that it will tell.
func isFor(p Program) error {
	bi, err := buildinfo.Read(bytes.NewReader(p.Body))
	if err != nil {
		return fmt.Errorf("the agent is no program: %w", err)
	}
	for _, s := range bi.Settings {
		if s.Key == "GOOS" && s.Value != p.OS || s.Key == "GOARCH" && s.Value != p.Arch {
			return fmt.Errorf("the agent is built for %s", s.Value)
		}
	}
	if !bytes.Contains(p.Body, []byte(p.Version)) {
		return fmt.Errorf("the agent does not call itself %s", p.Version)
	}
	return nil
}
