package guard

import (
	"strings"
	"testing"
)

// The looks change nothing: where they say that there is nothing to find, the expressions find nothing.
func FuzzLooks(f *testing.F) {
	for _, s := range []string{"", "4111 1111.1111-1", "123456789012", `{"a CvV":"1"}`, "PI", "xPIN =4", "\u212aSN: 1", "\u212a", `"code":"shipping","amount":1`, "tAg5a=1", "security code : 3",
		"c\u00a0123456789012\u00a03", "%B4111111111111111^A/B^2912101?", ";4111111111111111=29121010000?", "9f0206000000001000570841111111111111115f", "5a0841111111111111115f24",
		`{"ref":"000123456789012","pin":"1234"}`, "cvv\n\t: 1", "pin\u00fc: 1", `{"pin" :"1"}`, "pin-block_x  \": 12"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		run, number := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case digit(c):
				run++
				number = number || run >= shortest
			case !strings.ContainsRune(" -.", rune(c)) && c != 0xa0 && c != 0xc2:
				run = 0
			}
		}
		named := field.ReplaceAllStringFunc(s, dropNever) != s
		if (number || named) && !suspicious(s) || named && !fielded(s) || suspicious(s) != suspicious([]byte(s)) {
			t.Errorf("%q: a number %v, a field %v; looks: %v, %v, as bytes %v", s, number, named, suspicious(s), fielded(s), suspicious([]byte(s)))
		}
		if want := byteByByte(s); suspicious(s) != want {
			t.Errorf("%q: four bytes at a time say %v, one at a time %v", s, suspicious(s), want)
		}
		if got, want := mask(s), maskEach(s); got != want {
			t.Errorf("%q is masked to %q, every digit looked at to %q", s, got, want)
		}
		if all := everything(s); suspicious(s) && Text(s) != all {
			t.Errorf("%q is made %q, every expression together makes %q", s, Text(s), all)
		}
	})
}

// everything is Text without a look.
func everything(s string) string {
	s = field.ReplaceAllStringFunc(s, dropNever)
	s = track.ReplaceAllStringFunc(s, func(m string) string {
		if digits(m) < shortest {
			return m
		}
		return dropped
	})
	s = emv.ReplaceAllStringFunc(s, func(m string) string {
		if !holdsNumber(m) {
			return m
		}
		return dropped
	})
	return mask(s)
}

// byteByByte is the look as it is meant: once over the text.
func byteByByte(s string) bool {
	run := 0
	for i := range len(s) {
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

// TestLooksMissNothing puts everything that a look is for at every place of texts of every length, beside what is nearly the same.
func TestLooksMissNothing(t *testing.T) {
	what := []string{"411111111111", "4 1-1.1 1-1.1 1-1.1 1-1.1", "41111111111", "\u212asn", "1\u00a02\u00a03\u00a04\u00a05\u00a06\u00a07\u00a08\u00a09\u00a00\u00a01\u00a02"}
	for _, w := range words {
		what = append(what, w+"=", strings.ToUpper(w)+"x\":", w[:2]+strings.ToUpper(w[2:])+" :", w)
	}
	for _, filling := range []string{"z", "1", "-", "c", "\"", "Pi", "12.5,", "\u00e2\u0084"} {
		room := strings.Repeat(filling, 40)
		for _, w := range what {
			for before := range 20 {
				for after := range 9 {
					s := room[:before] + w + room[:after]
					if got, want := suspicious(s), byteByByte(s); got != want || suspicious([]byte(s)) != want {
						t.Fatalf("%q: got %v, want %v", s, got, want)
					}
				}
			}
		}
	}
}

// TestALookIsOnceOverTheText: what a stranger may hand in must not cost more than its length.
func TestALookIsOnceOverTheText(t *testing.T) {
	for _, s := range []string{"-", "1-----------", "1 z", "1234567 x", "1-"} {
		if suspicious(strings.Repeat(s, 4<<20/len(s))) != byteByByte(strings.Repeat(s, 40)) {
			t.Errorf("4 MB of %q", s)
		}
		if long := strings.Repeat(s, 1<<20/len(s)); len(Text(long)) < len(long) {
			t.Errorf("1 MB of %q became shorter", s)
		}
	}
}

// maskEach is mask without a look at how many digits there are.
func maskEach(s string) string {
	b := []byte(s)
	for i := 0; i < len(b); {
		if !digit(b[i]) || i > 0 && (digit(b[i-1]) || b[i-1] == '_') || mixed(b, i) {
			i++
			continue
		}
		end := number(b, i)
		if end == 0 {
			for i++; i < len(b) && digit(b[i]); i++ {
			}
			continue
		}
		hide(b[i:end])
		i = end
	}
	return string(b)
}
