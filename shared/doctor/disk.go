package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

const (
	mb = 1 << 20
	// A busy store fills some 10 MB a day, a hub of many stores some 100: below tight it is a matter of days, below full of hours.
	tight = 1024 * mb
	full  = 200 * mb
	// slowSync is what a commit may take before tills notice.
	slowSync = 500 * time.Millisecond
)

// Disk looks whether dir exists, takes a file, makes it durable, and has room. holds says what stands there: "tickets that wait".
func Disk(what, dir, holds string) Finding {
	st, err := os.Stat(dir)
	if errors.Is(err, fs.ErrNotExist) {
		parent := filepath.Dir(dir)
		if p, perr := os.Stat(parent); perr == nil && p.IsDir() {
			return Finding{what, Good, dir + " is not there yet; it is made at the first start", "", ""}
		}
		return Finding{what, Bad, "neither " + dir + " nor the folder above it exists", "Nothing can be kept: the service does not start.", "Correct data_dir, or make the folder."}
	}
	if err != nil || !st.IsDir() {
		return Finding{what, Bad, fmt.Sprintf("%s is no folder that can be opened (%v)", dir, err), "Nothing can be kept: the service does not start.", "Correct data_dir."}
	}
	took, err := sync(dir)
	if err != nil {
		return Finding{what, Bad, fmt.Sprintf("a file in %s cannot be written and made durable: %v", dir, err), "Nothing new can be kept: " + holds + " would have no safe place.",
			"Give the service's account the right to write there, make room, or have the disk looked at. Run the doctor under the service's account to be sure."}
	}
	free, err := freeBytes(dir)
	switch {
	case err != nil:
		return Finding{what, Warn, fmt.Sprintf("the free space of %s cannot be read: %v", dir, err), "", "Look at it yourself."}
	case free < full:
		return Finding{what, Bad, fmt.Sprintf("%d MB are free on the disk of %s", free/mb, dir), "When it is full, new tickets wait in the tills.", "Make room now."}
	case free < tight:
		return Finding{what, Warn, fmt.Sprintf("%d MB are free on the disk of %s", free/mb, dir), "When it is full, new tickets wait in the tills.", "Make room in the next days."}
	case took > slowSync:
		return Finding{what, Warn, fmt.Sprintf("%s takes %s to make a file durable", dir, took.Round(time.Millisecond)), "Every ticket waits as long; a till may notice.", "Use a local disk, no network share; have a slow disk looked at."}
	}
	return Finding{what, Good, fmt.Sprintf("%s takes files, makes them durable in %s, %d GB free", dir, took.Round(time.Millisecond), free/(1024*mb)), "", ""}
}

// FreeDisk is how many bytes are free for dir.
func FreeDisk(dir string) (uint64, error) { return freeBytes(dir) }

// Tight reports that so little is free that somebody should make room.
func Tight(free uint64) bool { return free < tight }

// sync writes a file, makes it durable and takes it away.
func sync(dir string) (took time.Duration, err error) {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return 0, err
	}
	begun := time.Now()
	_, err = f.Write(make([]byte, 4096))
	if err == nil {
		err = f.Sync()
	}
	took = time.Since(begun)
	return took, errors.Join(err, f.Close(), os.Remove(f.Name()))
}

// SecretFile looks who may read a file with a secret.
func SecretFile(what, path string) Finding {
	st, err := os.Stat(path)
	if err != nil {
		return Finding{what, Bad, err.Error(), "What needs this secret cannot log in.", "Put the secret there, readable for the service's account only."}
	}
	if open := othersMayRead(st); open != "" {
		return Finding{what, Warn, path + " " + open, "Whoever signs in on this machine can read the secret.", "Make it readable for the service's account only."}
	}
	return Finding{what, Good, path + " is there and private", "", ""}
}
