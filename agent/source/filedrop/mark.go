package filedrop

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/tillpost/tillpost/shared/profile"
)

// stamp tells one state of a file from another.
type stamp struct {
	Size int64 `json:"s"`
	Mod  int64 `json:"m"` // Unix nanoseconds
}

// mark is how far one file was taken: all of a state of it, or its first groups.
type mark struct {
	stamp
	SHA     string `json:"h,omitempty"`
	Next    int    `json:"n,omitempty"` // groups handed over, while it is not all
	By      string `json:"p,omitempty"` // the profile by which they were
	All     bool   `json:"a,omitempty"`
	Cut     bool   `json:"c,omitempty"` // but for a row that was only begun
	Gone    int64  `json:"g,omitempty"` // since when it does not stand there any more, Unix seconds
	Taken   taken  `json:"t,omitzero"`  // of the last state that was taken whole
	Refused string `json:"r,omitempty"` // the profile by which it could not be read: by another it is tried again
}

// cursor is the source's memory: what was taken of each file that still stands there.
type cursor map[string]mark

// remember is how long a file that is gone is known by its content: it was renamed, or its share comes back.
const remember = time.Hour

// prune forgets files that do not stand there any more; it returns what of them was taken whole, by content.
func (c cursor) prune(there map[string]bool, now time.Time) map[string]bool {
	gone := map[string]bool{}
	for key, m := range c {
		switch {
		case there[key]:
			if m.Gone != 0 {
				m.Gone = 0
				c[key] = m
			}
			continue
		case !m.All || m.Cut || m.Refused != "" || m.Gone != 0 && now.Unix()-m.Gone > int64(remember/time.Second):
			delete(c, key)
			continue
		case m.Gone == 0:
			m.Gone = now.Unix()
			c[key] = m
		}
		gone[m.SHA] = true
	}
	return gone
}

// done reports whether a state of a file was taken whole.
func (m mark) done(s stamp, p *profile.Profile) bool {
	return m.stamp == s && m.All && (m.Refused == "" || m.Refused == fingerprint(p))
}

func fingerprint(p *profile.Profile) string {
	sum := sha256.Sum256(p.TOML())
	return hex.EncodeToString(sum[:4])
}
