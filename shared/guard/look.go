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

// Bits of a byte in may and follow. A pair of bytes stands in a word when both have a bit of letters in common.
const (
	inRun   = 1 << 31 // in may alone: a digit, or what may stand between digits
	letters = inRun - 1
)

// may and follow tell pairs of letters: each word's first and second letter have a bit, and its second and third. Of two bytes next to each
// other, one pair of a word is where it begins or one behind, so that every second place need be looked at.
var may, follow = func() (m, f [256]uint32) {
	bit, pairs := 0, map[[2]byte]bool{}
	pair := func(a, b byte) {
		if !pairs[[2]byte{a, b}] {
			for _, x := range both(a) {
				m[x] |= 1 << bit
			}
			for _, x := range both(b) {
				f[x] |= 1 << bit
			}
			pairs[[2]byte{a, b}] = true
			if bit++; bit > 31 {
				panic("BUG: there are more pairs of letters than bits")
			}
		}
	}
	for _, w := range words {
		pair(w[0], w[1])
		pair(w[1], w[2])
	}
	pair(0xe2, 0x84) // the Kelvin sign
	pair(0x84, 0xaa)
	for c := range m {
		if class[c] == aDigit || class[c] == gap {
			m[c] |= inRun
		}
	}
	return m, f
}()

// both are a letter's two forms.
func both(c byte) []byte {
	if c >= 'a' && c <= 'z' {
		return []byte{c, c - ('a' - 'A')}
	}
	return []byte{c}
}

// suspicious is a fast look: without a card number's digits close together, or a field whose name has one of the words in it, nothing can be
// in s. Every record passes here, twice or more, so it looks at every second byte and closer only where there may be something: twelve
// digits cover six such places in a row.
func suspicious[T string | []byte](s T) bool {
	rest, runs := s, uint32(0)
	for ; len(rest) > 4; rest = rest[4:] {
		first, third := may[rest[0]], may[rest[2]]
		if (first&follow[rest[1]]|third&follow[rest[3]])&letters != 0 {
			if i := len(s) - len(rest); closer(s, i-1, i+3) {
				return true
			}
		}
		if runs = runs<<2 | first>>31<<1 | third>>31; runs&31 == 31 {
			i := len(s) - len(rest)
			end, enough := numbered(s, i+2)
			if enough {
				return true
			}
			rest, runs = s[max(i, end&^3-4):], 0 // once over each: a text may be one long row of dashes
		}
	}
	i := len(s) - len(rest)
	if closer(s, i-1, len(s)) {
		return true
	}
	_, enough := numbered(s, i)
	return enough
}

// closer reports whether a word's name stands at s[from:to].
func closer[T string | []byte](s T, from, to int) bool {
	for i := max(0, from); i < min(to, len(s)-2); i++ {
		if may[s[i]]&follow[s[i+1]]&letters != 0 && may[s[i+1]]&follow[s[i+2]]&letters != 0 && names(s, i) {
			return true
		}
	}
	return false
}

// numbered reports whether s[i] stands among so many digits that they may be a card's number, and where those end.
func numbered[T string | []byte](s T, i int) (end int, enough bool) {
	from, n := i, 0
	for from > 0 && may[s[from-1]]&inRun != 0 {
		from--
	}
	for end = from; end < len(s) && may[s[end]]&inRun != 0; end++ {
		if digit(s[end]) {
			n++
		}
	}
	return end, n >= shortest
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
