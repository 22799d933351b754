package guard

import "strings"

// words are what the looks go by: each is in a name of never.
var words = [...]string{"cvv", "cvc", "cav2", "cid", "security", "pin", "track", "tag5", "magstripe", "ksn"}

// What a byte may be the beginning of.
const (
	nothing = iota
	aDigit  // a digit
	gap     // stands between the groups of a number
	initial // begins a word
	kelvin  // may begin the Kelvin sign, whose small letter is k
)

var class = func() (c [256]uint8) {
	for d := '0'; d <= '9'; d++ {
		c[d] = aDigit
	}
	for _, g := range []byte{' ', '-', '.', 0xa0, 0xc2} {
		c[g] = gap
	}
	for _, w := range words {
		c[w[0]], c[w[0]-('a'-'A')] = initial, initial
	}
	c[0xe2] = kelvin
	return c
}()

// second has a bit for each letter that follows a word's first.
var second = func() (m [256]uint32) {
	for _, w := range words {
		m[w[0]] |= 1 << (w[1] & 0x1f)
	}
	return m
}()

// suspicious is a fast look: without a card number's digits close together, or a field whose name has one of the words in it, nothing can be
// in s. Every record passes here, so it goes over the text once.
func suspicious[T string | []byte](s T) bool {
	run := 0
	for i := 0; i < len(s); i++ {
		switch class[s[i]] {
		case nothing:
			run = 0
		case aDigit:
			if run++; run >= shortest {
				return true
			}
		case initial, kelvin:
			if run = 0; names(s, i) {
				return true
			}
		}
	}
	return false
}

// fielded reports whether s may have a field that is never kept.
func fielded(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := class[s[i]]; (c == initial || c == kelvin) && names(s, i) {
			return true
		}
	}
	return false
}

// names reports whether one of the words stands at s[i:], in whatever letters, in a name: "shipping" has a pin in it and is none unless a
// colon or an equals sign follows.
func names[T string | []byte](s T, i int) bool {
	if i+2 < len(s) && s[i] == 0xe2 {
		return s[i+1] == 0x84 && s[i+2] == 0xaa
	}
	if i+1 == len(s) || second[s[i]|0x20]&(1<<(s[i+1]&0x1f)) == 0 {
		return false
	}
	for _, w := range words {
		if end := i + len(w); end <= len(s) && strings.EqualFold(string(s[i:end]), w) && named(s, end) {
			return true
		}
	}
	return false
}

// named reports whether the name that s[i:] goes on with, or ends before, has a value.
func named[T string | []byte](s T, i int) bool {
	for i < len(s) && (letterOrDigit(s[i]) || s[i] == '_' || s[i] == '-' || s[i] == ' ' || s[i] >= 0x80) {
		i++
	}
	if i < len(s) && s[i] == '"' {
		i++
	}
	for i < len(s) && (s[i] == ' ' || s[i] >= '\t' && s[i] <= '\r') {
		i++
	}
	return i < len(s) && (s[i] == ':' || s[i] == '=')
}

// tagged reports whether s has a hexadecimal text that is long enough for a card number behind tag 57 or 5A.
func tagged(s string) bool {
	run, tag := 0, false
	for i := 0; i < len(s); i++ {
		if !hexadecimal(s[i]) {
			run, tag = 0, false
			continue
		}
		run++
		tag = tag || s[i] == '5' && i+1 < len(s) && (s[i+1] == '7' || s[i+1]|0x20 == 'a')
		if tag && run >= 4+2*7 { // tag, length, seven bytes
			return true
		}
	}
	return false
}

func hexadecimal(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f' }

func letterOrDigit(c byte) bool { return digit(c) || c|0x20 >= 'a' && c|0x20 <= 'z' }
