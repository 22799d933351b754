package keystore

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/shared/fault"
)

func TestASecretIsSealedInItsPlace(t *testing.T) {
	dir := t.TempDir()
	s, file := Store{Dir: dir}, filepath.Join(dir, "portico.key")
	if err := os.WriteFile(file, []byte("  skapi_cert_TOPSECRET \nsecond line\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := s.Read(file); err != nil || string(text) != "skapi_cert_TOPSECRET" {
		t.Fatalf("got %q, %v", string(text), err)
	}
	for range 2 { // the second time it is sealed already
		text, sealed, err := s.Keep(file)
		if err != nil || !sealed || string(text) != "skapi_cert_TOPSECRET" {
			t.Fatalf("got %q, %v, %v", string(text), sealed, err)
		}
	}
	b, err := os.ReadFile(file)
	if err != nil || strings.Contains(string(b), "TOPSECRET") || !strings.HasPrefix(string(b), mark) {
		t.Fatalf("the file holds %q, %v", b, err)
	}
	if text, err := s.Read(file); err != nil || string(text) != "skapi_cert_TOPSECRET" {
		t.Errorf("got %q, %v", string(text), err)
	}
	if _, err := (Store{Dir: t.TempDir()}).Read(file); !fault.Is(err, fault.Invalid) || strings.Contains(err.Error(), "TOPSECRET") {
		t.Errorf("another PC opens it: %v", err)
	}
	if err := os.WriteFile(file, []byte("skapi_cert_NEXT\n"), 0o600); err != nil { // a person renews it
		t.Fatal(err)
	}
	if text, sealed, err := s.Keep(file); err != nil || !sealed || string(text) != "skapi_cert_NEXT" {
		t.Errorf("got %q, %v, %v", string(text), sealed, err)
	}
	for _, spoilt := range []string{mark, mark + "!", mark + "AAAA", ""} {
		if err := os.WriteFile(file, []byte(spoilt), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Read(file); !fault.Is(err, fault.Invalid) {
			t.Errorf("%q: got %v", spoilt, err)
		}
	}
}

func TestASecretThatOthersMayRead(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("rights are lists there")
	}
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := (Store{Dir: t.TempDir()}).Read(file); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("got %v", err)
	}
}

// TestAFolderThatIsNotOurs: a key that cannot be sealed is used as it is.
func TestAFolderThatIsNotOurs(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "key")
	if err := os.WriteFile(file, []byte("skapi_cert_X"), 0o600); err != nil {
		t.Fatal(err)
	}
	text, sealed, err := Store{Dir: filepath.Join(dir, "not", "there")}.Keep(file)
	if err != nil || sealed || string(text) != "skapi_cert_X" {
		t.Errorf("got %q, %v, %v", string(text), sealed, err)
	}
}
