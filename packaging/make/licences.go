package main

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// thirdParty is the file that carries the licences of what is linked into the programs: most of them ask to be handed on with every copy.
const thirdParty = "THIRD-PARTY.txt"

// besides is what stands before all, with what no module names.
const besides = `Every module that is linked into agent, hub and installer, with its licence and its notices. Tillpost itself: LICENSE (Apache-2.0).

SQLite is in the public domain (https://sqlite.org/copyright.html). Programs for Linux hold the C library that they were built with: the GNU C
Library, LGPL-2.1-or-later (https://sourceware.org/glibc/); Tillpost's source is open, so that whoever likes links it with another. Programs for
Windows hold parts of the MinGW-w64 runtime, which may be used freely (https://www.mingw-w64.org/). The hub holds Mozilla's list of authorities
(MPL-2.0, https://wiki.mozilla.org/CA), by golang.org/x/crypto/x509roots/fallback, for machines that have none of their own.
`

// licences writes the licences of all modules of programs into dir. A module without one that is known is no release: somebody has to look.
func (r *release) licences(ctx context.Context, dir string, programs ...string) error {
	versions := map[string]string{}
	for _, p := range programs {
		bi, err := buildinfo.ReadFile(p)
		if err != nil {
			return fmt.Errorf("what is in %s: %w", filepath.Base(p), err)
		}
		for _, m := range bi.Deps {
			if m.Replace != nil {
				m = m.Replace
			}
			versions[m.Path] = m.Version
		}
	}
	paths := slices.Sorted(maps.Keys(versions))
	dirs, err := sources(ctx, paths)
	if err != nil {
		return err
	}
	var b bytes.Buffer
	b.WriteString(besides)
	r.known = map[string]string{}
	for _, path := range append([]string{"std"}, paths...) {
		id, text, err := licenceOf(dirs[path])
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		r.known[path] = id
		fmt.Fprintf(&b, "\n%s\n%s %s (%s)\n%[1]s\n\n%[5]s", strings.Repeat("=", 80), path, versions[path], id, text)
	}
	to := filepath.Join(dir, thirdParty)
	if err := os.WriteFile(to, b.Bytes(), 0o644); err != nil {
		return err
	}
	return r.dated(to)
}

// sources tells where each module's source is, and Go's own as "std".
func sources(ctx context.Context, paths []string) (map[string]string, error) {
	out, err := exec.CommandContext(ctx, "go", append([]string{"list", "-m", "-f", "{{.Path}}\t{{.Dir}}"}, paths...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("where the modules are: %w", err)
	}
	dirs := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), "\t")
		dirs[path] = dir
	}
	root, err := exec.CommandContext(ctx, "go", "env", "GOROOT").Output()
	if err != nil {
		return nil, fmt.Errorf("where Go is: %w", err)
	}
	dirs["std"] = strings.TrimSpace(string(root))
	if _, _, err := licenceOf(dirs["std"]); err != nil { // a distribution's Go keeps it elsewhere: the same authors', the same words
		dirs["std"] = dirs["golang.org/x/sys"]
	}
	return dirs, nil
}

var (
	isLicence = regexp.MustCompile(`(?i)^(licen[cs]e|copying)(\.txt|\.md)?$`)
	isNotice  = regexp.MustCompile(`(?i)^notice(\.txt|\.md)?$`)
)

// licenceOf reads a module's licence and notices, and names the licence as SPDX does.
func licenceOf(dir string) (id, text string, err error) {
	es, err := os.ReadDir(dir)
	if err != nil {
		return "", "", err
	}
	for _, e := range es {
		if !isLicence.MatchString(e.Name()) && !isNotice.MatchString(e.Name()) {
			continue
		}
		b, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", "", err
		}
		words := strings.ReplaceAll(string(b), "\r\n", "\n")
		text += strings.TrimRight(words, "\n") + "\n"
		if id == "" && isLicence.MatchString(e.Name()) {
			id = spdx(words)
		}
	}
	if id == "" {
		return "", "", errors.New("its licence is not there, or is none that is known: look at it, and name it in packaging/make/licences.go")
	}
	return id, text, nil
}

// spdx knows a licence by words that only it has; "" = unknown. A file of several is named by its first, which is the module's own.
func spdx(text string) string {
	first, at := "", len(text)
	for _, x := range []struct{ words, id string }{
		{"Apache License\n", "Apache-2.0"}, {"Permission is hereby granted, free of charge", "MIT"}, {"Redistribution and use in source and binary forms", "BSD-2-Clause"},
		{"This software is provided 'as-is', without any express or implied", "Zlib"}, {"Eclipse Public License - v 2.0 (EPL-2.0)", "EPL-2.0 OR BSD-3-Clause"},
	} {
		if i := strings.Index(text, x.words); i >= 0 && i < at {
			first, at = x.id, i
		}
	}
	if rest := strings.Join(strings.Fields(text[at:]), " "); first == "BSD-2-Clause" && strings.Contains(rest, "endorse or promote products derived from") {
		return "BSD-3-Clause"
	}
	return first
}
