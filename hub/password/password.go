// Package password hashes and checks the passwords of users and devices: argon2id, written in the PHC form.
package password

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"

	"github.com/tillpost/tillpost/shared/fault"
)

// The cost is OWASP's first choice: 19 MiB, two passes, one lane; about 30 ms. Memory is what an attacker's card lacks.
const (
	memoryKiB = 19 * 1024
	passes    = 2
	lanes     = 1
	saltBytes = 16
	keyBytes  = 32
)

// What is read back may ask for no more than this: a spoiled row must not take the hub's memory.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 16
)

// MinLength and MaxLength bound a password, in characters and bytes. Length is what counts; no rule asks for a digit or a sign.
const (
	MinLength = 12
	MaxLength = 256
)

var b64 = base64.RawStdEncoding

// turns bounds how many are computed at once: 2 × 19 MiB, whoever knocks.
var turns = make(chan struct{}, 2)

// Check says what is wrong with a new password of name. Code invalid.
func Check(name, password string) error {
	switch {
	case utf8.RuneCountInString(password) < MinLength:
		return fault.Msg(fault.Invalid, "new password", fmt.Sprintf("a password has at least %d characters: three or four plain words are good", MinLength))
	case len(password) > MaxLength:
		return fault.Msg(fault.Invalid, "new password", fmt.Sprintf("a password has at most %d bytes", MaxLength))
	case name != "" && strings.EqualFold(name, password):
		return fault.Msg(fault.Invalid, "new password", "the password must not be the name")
	}
	return nil
}

// Hash makes "$argon2id$v=19$m=19456,t=2,p=1$salt$key" with a salt of its own.
func Hash(password string) string {
	salt := make([]byte, saltBytes)
	_, _ = rand.Read(salt) // never fails since Go 1.24
	turns <- struct{}{}
	key := argon2.IDKey([]byte(password), salt, passes, memoryKiB, lanes, keyBytes)
	<-turns
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, lanes, b64.EncodeToString(salt), b64.EncodeToString(key))
}

// nobody is checked when there is no such user, so that a wrong name costs what a wrong password costs.
var nobody = "$argon2id$v=19$m=19456,t=2,p=1$" + strings.Repeat("A", 22) + "$" + strings.Repeat("A", 43)

// Matches reports whether password is the one that hash was made of. An empty hash matches nothing and takes as long.
func Matches(hash, password string) bool {
	if hash == "" {
		hash = nobody
	}
	if len(password) > MaxLength {
		return false
	}
	h, err := parse(hash)
	if err != nil {
		return false
	}
	turns <- struct{}{}
	key := argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.key)))
	<-turns
	return subtle.ConstantTimeCompare(key, h.key) == 1
}

type phc struct {
	memory, passes uint32
	lanes          uint8
	salt, key      []byte
}

func parse(s string) (h phc, err error) {
	f := strings.Split(s, "$")
	if len(f) != 6 || f[0] != "" || f[1] != "argon2id" || f[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return h, fault.Msg(fault.Invalid, "read password hash", "it is not argon2id in PHC form")
	}
	if _, err = fmt.Sscanf(f[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return h, fault.New(fault.Invalid, "read password hash", err)
	}
	if h.memory == 0 || h.memory > maxMemoryKiB || h.passes == 0 || h.passes > maxPasses || h.lanes == 0 {
		return h, fault.Msg(fault.Invalid, "read password hash", "its cost is out of bounds")
	}
	if h.salt, err = b64.DecodeString(f[4]); err == nil {
		h.key, err = b64.DecodeString(f[5])
	}
	if err == nil && (len(h.salt) < 8 || len(h.key) < 16 || len(h.key) > 64) {
		err = fmt.Errorf("salt of %d and key of %d bytes", len(h.salt), len(h.key))
	}
	return h, fault.New(fault.Invalid, "read password hash", err)
}
