package config

import (
	"slices"
	"testing"
)

func TestFiles(t *testing.T) {
	type inner struct {
		Key  string `toml:"key_file"`
		Cert string `toml:"cert_file"`
		Name string `toml:"name"`
	}
	v := struct {
		One  inner            `toml:"one"`
		More []inner          `toml:"more,omitempty"`
		By   map[string]inner `toml:"by"`
		At   *inner           `toml:"at"`
		Pass string           `toml:"password_file"`
		CA   string           `toml:"ca_file"`
	}{One: inner{"k1", "c1", "not-a-file"}, More: []inner{{"k2", "c1", ""}}, By: map[string]inner{"x": {"k3", "", ""}}, At: &inner{Key: "k1"}, Pass: "p", CA: "ca"}
	secrets, others := Files(v)
	if want := []string{"k1", "k2", "k3", "p"}; !slices.Equal(secrets, want) {
		t.Errorf("secrets %v, want %v", secrets, want)
	}
	if want := []string{"c1", "ca"}; !slices.Equal(others, want) {
		t.Errorf("others %v, want %v", others, want)
	}
}
