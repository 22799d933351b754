package broker

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"
)

// NewPassword makes a device's password and what the database keeps of it. 130 random bits need no slow hash: nobody tries them out, and a
// fleet that comes back after a restart of the hub is let in within seconds. A password that a person chose needs one (package password).
func NewPassword() (password, hash string) {
	password = strings.ToLower(rand.Text())
	salt := randomText()[:32]
	return password, madePrefix + salt + "$" + sum(salt, password)
}

// madePrefix marks a hash of NewPassword.
const madePrefix = "$made$"

func sum(salt, password string) string {
	s := sha256.Sum256([]byte(salt + password))
	return hex.EncodeToString(s[:])
}

// fitsMade compares a password with a hash of NewPassword; made is false for any other hash.
func fitsMade(hash, password string) (fits, made bool) {
	rest, made := strings.CutPrefix(hash, madePrefix)
	salt, want, ok := strings.Cut(rest, "$")
	return made && ok && subtle.ConstantTimeCompare([]byte(sum(salt, password)), []byte(want)) == 1, made
}
