package buffer

import (
	"errors"
	"os"
	"strings"
	"time"
)

// reserveSize is kept on disk so that acks and deletes still work when the disk is full.
const reserveSize = 8 << 20

// keepReserve makes the reserve file if there is room for it, and reports whether it stands.
func (b *Buffer) keepReserve() bool {
	if st, err := os.Stat(b.reserve); err == nil && st.Size() == reserveSize {
		return true
	}
	f, err := os.Create(b.reserve)
	if err != nil {
		return false
	}
	zero := make([]byte, 64<<10)
	for range reserveSize / len(zero) {
		if _, err = f.Write(zero); err != nil {
			break
		}
	}
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		os.Remove(b.reserve)
	}
	return err == nil
}

// lookAgain is how often a disk that was full is asked for room: asking means writing.
const lookAgain = 3 * time.Second

// room reports whether new records may be taken. Once the disk was full, the reserve's space is for acks and deletes alone: only when the
// reserve stands again is there room for sales.
func (b *Buffer) room() bool {
	if b.tight.IsZero() {
		return true
	}
	now := b.opt.Now()
	if d := now.Sub(b.tight); d >= 0 && d < lookAgain {
		return false
	}
	if b.tight = now; !b.keepReserve() {
		return false
	}
	b.tight = time.Time{}
	return true
}

// full reports whether err says that the disk has no room.
func full(err error) bool {
	return err != nil && (strings.Contains(err.Error(), "disk is full") || strings.Contains(err.Error(), "no space left"))
}
