//go:build unix

package keystore

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

// give puts a systemd credential into the process's environment; "" takes it away.
func give(t *testing.T, text string) {
	t.Helper()
	dir := t.TempDir()
	if text != "" {
		if err := os.WriteFile(filepath.Join(dir, Credential), []byte(text), 0o400); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
}

// TestASystemdCredentialWrapsTheKey: without it, or with another, the folder opens nothing and says why.
func TestASystemdCredentialWrapsTheKey(t *testing.T) {
	give(t, "sixteen bytes and more")
	s := Store{Dir: t.TempDir()}
	sealed, err := s.Seal("TOPSECRET")
	if err != nil {
		t.Fatal(err)
	}
	if text, err := s.Open(sealed); err != nil || string(text) != "TOPSECRET" {
		t.Errorf("got %v", err)
	}
	if b, err := os.ReadFile(filepath.Join(s.Dir, keyFile)); err != nil || !strings.HasPrefix(string(b), wrapped) {
		t.Errorf("the key is not wrapped: %v", err)
	}
	give(t, "")
	if _, err := s.Open(sealed); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "systemd-run") {
		t.Errorf("without the credential: %v", err)
	}
	give(t, "another one, as long as it")
	if _, err := s.Open(sealed); !fault.Is(err, fault.Invalid) || !strings.Contains(err.Error(), "another") {
		t.Errorf("with another credential: %v", err)
	}
	give(t, "short")
	if _, err := s.Seal("x"); err == nil {
		t.Error("a credential of five bytes is taken")
	}
	give(t, "")
	plain := Store{Dir: t.TempDir()} // a service that has none keeps its key in a 0600 file
	if sealed, err = plain.Seal("x"); err != nil {
		t.Fatal(err)
	}
	if st, err := os.Stat(filepath.Join(plain.Dir, keyFile)); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("the key's file: %v, %v", st.Mode(), err)
	}
	give(t, "sixteen bytes and more") // and a rotation moves it under the credential
	if err := plain.Rotate(nil, func(reseal func(string) (string, error)) (err error) {
		sealed, err = reseal(sealed)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if text, err := plain.Open(sealed); err != nil || string(text) != "x" {
		t.Errorf("got %v", err)
	}
	give(t, "")
	if _, err := plain.Open(sealed); err == nil {
		t.Error("the rotated key opens without its credential")
	}
}

// TestASecretMayBeACredential: a setting names it, and nothing is written beside it.
func TestASecretMayBeACredential(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.WriteFile(filepath.Join(dir, "gateway"), []byte("skapi_x\n"), 0o440); err != nil {
		t.Fatal(err)
	}
	s := Store{Dir: t.TempDir()}
	if text, sealed, err := s.Keep("credential:gateway"); err != nil || !sealed || string(text) != "skapi_x" {
		t.Errorf("got %v, %v", sealed, err)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "gateway")); err != nil || string(b) != "skapi_x\n" {
		t.Errorf("the credential was changed: %q %v", b, err)
	}
	for _, name := range []string{"credential:", "credential:other", "credential:../x", "credential:.."} {
		if _, err := s.Read(name); !fault.Is(err, fault.Invalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	t.Setenv("CREDENTIALS_DIRECTORY", "")
	if _, err := s.Read("credential:gateway"); err == nil || !strings.Contains(err.Error(), "LoadCredential=gateway") {
		t.Errorf("got %v", err)
	}
}
