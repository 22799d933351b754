// Package enrol is what a store's PC and the hub say to each other when the PC gets its certificate (DESIGN D16): the one-time code, how both
// prove that they know it, and the words on the wire. See DESIGN.md.
package enrol

import (
	"crypto/rand"
	"fmt"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Code is a one-time code in its plain form: sixteen signs without hyphens. It is a secret: print it once, for the person who types it.
type Code string

const (
	// letters are Crockford's: no I, L, O or U, which a person takes for a digit or hears as another.
	letters    = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
	idLength   = 4  // public: by it the hub finds the code; 20 bits
	codeLength = 16 // id, eleven secret signs (55 bits) and one that finds a typing error
)

// NewCode makes a code.
func NewCode() Code {
	var b [codeLength - 1]byte
	_, _ = rand.Read(b[:]) // never fails since Go 1.24
	for i := range b {
		b[i] = letters[b[i]%32] // 256 is a multiple of 32: no sign is likelier than another
	}
	return Code(string(b[:]) + string(letters[check(string(b[:]))]))
}

// ParseCode reads a code as people write it: in any case, with hyphens or spaces, O for 0, I or L for 1. Code invalid, without the text in it:
// what was typed wrong is nearly a secret.
func ParseCode(s string) (Code, error) {
	s = strings.Map(func(r rune) rune {
		switch r {
		case '-', ' ', '\t', '\r', '\n', '_', '.', '–', '—':
			return -1
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, strings.ToUpper(s))
	if len(s) != codeLength {
		return "", fault.Msg(fault.Invalid, "code", fmt.Sprintf("a code has %d letters and digits, this one has %d; nothing was sent", codeLength, len(s)))
	}
	for _, r := range s {
		if !strings.ContainsRune(letters, r) {
			return "", fault.Msg(fault.Invalid, "code", "a code has letters and digits only; nothing was sent")
		}
	}
	if letters[check(s[:codeLength-1])] != s[codeLength-1] {
		return "", fault.Msg(fault.Invalid, "code", "it was mistyped: compare it sign by sign; nothing was sent and the code is still good")
	}
	return Code(s), nil
}

// ID is the part by which the hub finds the code. It is no secret.
func (c Code) ID() string { return string(c[:idLength]) }

// ForPerson is the code in groups of four.
func (c Code) ForPerson() string { return c.group() }

func (c Code) group() string {
	return string(c[:4]) + "-" + string(c[4:8]) + "-" + string(c[8:12]) + "-" + string(c[12:])
}

// String hides the secret part: a code that is printed by mistake opens nothing.
func (c Code) String() string {
	if len(c) < idLength {
		return "code"
	}
	return c.ID() + "-…"
}

// GoString is String: %#v shows no more.
func (c Code) GoString() string { return c.String() }

// check is Luhn's sum over 32 signs: it finds every single wrong sign and nearly every pair in the wrong order.
func check(s string) int {
	sum, double := 0, true
	for i := len(s) - 1; i >= 0; i-- {
		v := strings.IndexByte(letters, s[i])
		if double {
			v *= 2
			v = v/32 + v%32
		}
		sum, double = sum+v, !double
	}
	return (32 - sum%32) % 32
}

// ValidID reports whether s can be the public part of a code.
func ValidID(s string) bool {
	return len(s) == idLength && strings.Trim(s, letters) == ""
}
