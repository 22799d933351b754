package profile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// FromShipped is the version of rows that were made with a profile that comes with Tillpost: they are read by the reader's own shipped text, which
// is the same or mends it, whatever others call by that name.
const FromShipped = "shipped"

// ErrUnknown says that the text by which rows are to be read is not here. Nobody may read them by another one of that name: what is a thousand in the
// one is one and no cents in the other.
var ErrUnknown = errors.New("the profile is not known here")

// Version tells p's text from every other of its name. Rows carry it, so that whoever reads them reads them by the text that they were made with.
func (p *Profile) Version() string {
	if s, ok := Shipped(p.Name); ok && bytes.Equal(s.raw, p.raw) {
		return FromShipped
	}
	return VersionOf(p.raw)
}

// VersionOf is the version of a text that is not shipped.
func VersionOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}
