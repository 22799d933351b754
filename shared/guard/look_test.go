package guard

import (
	"strings"
	"testing"
)

// The fast look misses nothing that a slow one sees, in whatever letters the words are written.
func FuzzSuspicious(f *testing.F) {
	for _, s := range []string{"", "4111 1111.1111-1", "123456789012", "a CvV", "PI", "xPIN", "\u212aSN", "\u212a", "k", "tAg5", "security", "ſecurity", "c\u00a0123456789012\u00a03"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		run, slow := 0, false
		for i := 0; i < len(s); i++ {
			switch c := s[i]; {
			case digit(c):
				run++
				slow = slow || run >= shortest
			case !strings.ContainsRune(" -.", rune(c)) && c != 0xa0 && c != 0xc2:
				run = 0
			}
		}
		for _, w := range words {
			slow = slow || strings.Contains(strings.ToLower(s), w)
		}
		if slow && !suspicious(s) || suspicious(s) != suspicious([]byte(s)) {
			t.Errorf("%q: slow %v, fast %v, as bytes %v", s, slow, suspicious(s), suspicious([]byte(s)))
		}
		if suspicious(s) && !slow && !strings.Contains(s, "\u212a") {
			t.Errorf("%q is looked at for nothing", s)
		}
	})
}
