package slots

import (
	"bytes"
	"crypto"
	_ "crypto/sha256" // the checksum's
	"io"
	"runtime/debug"

	"github.com/minio/selfupdate"

	"github.com/tillpost/tillpost/shared/fault"
)

// largest is the largest program that is taken: selfupdate reads it into memory whole.
const largest = 128 << 20

// prepare lets selfupdate write and check the program; its swap (CommitBinary) is never used: between its two renames there is no program.
func prepare(src io.Reader, target string, sum []byte) error {
	defer debug.FreeOSMemory() // a program's size is not kept from the till
	return selfupdate.PrepareAndCheckBinary(io.LimitReader(src, largest), selfupdate.Options{TargetPath: target, TargetMode: 0o755, Checksum: sum, Hash: crypto.SHA256})
}

// durable syncs what selfupdate left unsynced, and reads it back: what the disk has is what counts.
func (s Store) durable(path string, sum []byte) error {
	if err := s.SyncFile(path); err != nil {
		return err
	}
	have, err := s.sum(path)
	if err == nil && !bytes.Equal(have, sum) {
		err = fault.Msg(fault.Internal, "check the program on the disk", "what was written cannot be read back: have the disk looked at")
	}
	return err
}
