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
