package main

import (
	"debug/buildinfo"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// What follows is CycloneDX 1.5, as far as it is used here.
type sbom struct {
	Format     string      `json:"bomFormat"`
	Spec       string      `json:"specVersion"`
	Version    int         `json:"version"`
	Metadata   metadata    `json:"metadata"`
	Components []component `json:"components"`
}

type metadata struct {
	Timestamp time.Time `json:"timestamp"`
	Component component `json:"component"`
}

type component struct {
	Type       string     `json:"type"`
	Ref        string     `json:"bom-ref"`
	Name       string     `json:"name"`
	Version    string     `json:"version"`
	PURL       string     `json:"purl,omitempty"`
	Licences   []licence  `json:"licenses,omitempty"`
	Properties []property `json:"properties,omitempty"`
}

type property struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

type licence struct {
	Expression string `json:"expression"` // as SPDX writes it
}

// sbom lists what a built program is made of, as the program itself tells it: every module with its version, its licence and Go's checksum,
// and Go.
func (r *release) sbom(program string, t target) error {
	bi, err := buildinfo.ReadFile(program)
	if err != nil {
		return fmt.Errorf("what is in %s: %w", filepath.Base(program), err)
	}
	name := strings.TrimSuffix(filepath.Base(program), ".exe")
	b := sbom{Format: "CycloneDX", Spec: "1.5", Version: 1, Metadata: metadata{Timestamp: r.epoch, Component: component{
		Type: "application", Ref: "tillpost-" + name, Name: "tillpost-" + name, Version: r.version,
		Properties: []property{{"os", t.os}, {"arch", t.arch}}}}}
	b.Components = append(b.Components, component{Type: "library", Ref: "pkg:golang/std@" + bi.GoVersion, Name: "std", Version: bi.GoVersion, PURL: "pkg:golang/std@" + strings.TrimPrefix(bi.GoVersion, "go"), Licences: []licence{{r.known["std"]}}})
	for _, m := range bi.Deps {
		if m.Replace != nil {
			m = m.Replace
		}
		purl := "pkg:golang/" + m.Path + "@" + m.Version
		b.Components = append(b.Components, component{Type: "library", Ref: purl, Name: m.Path, Version: m.Version, PURL: purl, Licences: []licence{{r.known[m.Path]}}, Properties: []property{{"go.sum", m.Sum}}})
	}
	body, err := json.MarshalIndent(b, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.out, fmt.Sprintf("tillpost-%s-%s-%s-%s.cdx.json", name, r.version, t.os, t.arch)), append(body, '\n'), 0o644)
}
