package keystore

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tillpost/tillpost/shared/failpoint"
	"github.com/tillpost/tillpost/shared/fault"
)

// Rotate gives the store a new key and seals everything anew that the old one sealed: files, and what other does with the function it is
// given. It may be killed anywhere: until the end both keys open, and the next Rotate goes on. What is not named here opens no more.
func (s Store) Rotate(files []string, other func(reseal func(sealed string) (string, error)) error) error {
	if _, err := s.key(keyFile, false); errors.Is(err, fs.ErrNotExist) {
		return nil // nothing was sealed yet
	}
	key, err := s.key(nextFile, true)
	if err != nil {
		return fault.New(fault.Internal, "change this PC's key", err)
	}
	failpoint.Hit("rotate.key")
	reseal := func(sealed string) (string, error) {
		text, err := s.Open(sealed)
		if err != nil {
			return "", err
		}
		return sealWith(key, string(text))
	}
	for _, f := range files {
		if err := resealFile(f, reseal); err != nil {
			return fault.New(fault.CodeOf(err), "change this PC's key: "+f, err)
		}
		failpoint.Hit("rotate.file")
	}
	if err := other(reseal); err != nil {
		return fault.New(fault.CodeOf(err), "change this PC's key", err)
	}
	failpoint.Hit("rotate.swap")
	if err := os.Rename(filepath.Join(s.Dir, nextFile), filepath.Join(s.Dir, keyFile)); err != nil {
		return fault.New(fault.Internal, "change this PC's key", err)
	}
	return fault.New(fault.Internal, "change this PC's key", syncFolder(s.Dir))
}

// resealFile leaves a file alone that is plain.
func resealFile(file string, reseal func(string) (string, error)) error {
	b, err := os.ReadFile(file)
	if err != nil {
		return fault.New(fault.Invalid, "read secret", err)
	}
	line := bytes.TrimSpace(b)
	if !bytes.HasPrefix(line, []byte(mark)) {
		return nil
	}
	sealed, err := reseal(string(line))
	if err != nil {
		return err
	}
	return Replace(file, []byte(sealed+"\n"))
}
