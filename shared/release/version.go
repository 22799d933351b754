package release

import (
	"cmp"
	"fmt"
	"strings"
)

// Version is a release's number: MAJOR.MINOR.PATCH with an optional pre-release, as semantic versioning orders them. A leading v is taken off;
// what was built from no tag has no place in a repository.
type Version string

const maxVersion = 64

// ParseVersion reads a version. It refuses build metadata: two builds of one number would be two programs of one name.
func ParseVersion(s string) (Version, error) {
	s = strings.TrimPrefix(s, "v")
	core, pre, has := strings.Cut(s, "-")
	parts := strings.Split(core, ".")
	ok := len(s) <= maxVersion && len(parts) == 3 && (!has || pre != "")
	for _, p := range parts {
		ok = ok && number(p)
	}
	if has {
		for p := range strings.SplitSeq(pre, ".") {
			ok = ok && p != "" && strings.Trim(p, "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-") == "" && (number(p) || !digits(p))
		}
	}
	if !ok {
		return "", fmt.Errorf("%.80q is no version such as 1.4.0 or 1.4.0-rc.1", s)
	}
	return Version(s), nil
}

// Compare tells by its sign whether v is before, the same as or after w. Both come from ParseVersion.
func (v Version) Compare(w Version) int {
	a, aPre, _ := strings.Cut(string(v), "-")
	b, bPre, _ := strings.Cut(string(w), "-")
	if c := compareParts(a, b); c != 0 {
		return c
	}
	switch {
	case aPre == bPre:
		return 0
	case aPre == "":
		return 1 // a release comes after its candidates
	case bPre == "":
		return -1
	}
	return compareParts(aPre, bPre)
}

func compareParts(a, b string) int {
	as, bs := strings.Split(a, "."), strings.Split(b, ".")
	for i := range min(len(as), len(bs)) {
		if c := comparePart(as[i], bs[i]); c != 0 {
			return c
		}
	}
	return cmp.Compare(len(as), len(bs))
}

func comparePart(a, b string) int {
	switch an, bn := digits(a), digits(b); {
	case an && bn: // no number type holds what somebody may write; without leading zeros the longer is the larger
		if c := cmp.Compare(len(a), len(b)); c != 0 {
			return c
		}
	case an:
		return -1
	case bn:
		return 1
	}
	return strings.Compare(a, b)
}

func digits(s string) bool { return s != "" && strings.Trim(s, "0123456789") == "" }

func number(s string) bool { return digits(s) && (len(s) == 1 || s[0] != '0') }
