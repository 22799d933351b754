package main

import (
	"crypto/sha1" //nolint:gosec // RFC 4122 makes names so; nothing is protected with it
	"fmt"
	"regexp"
	"strings"
)

var released = regexp.MustCompile(`^v?(\d+)\.(\d+)\.(\d+)(?:-(.+))?$`)

// number is the version as an MSI wants it: a.b.c. What is no release is 0.0.0.
func number(version string) string {
	m := released.FindStringSubmatch(version)
	if m == nil {
		return "0.0.0"
	}
	return m[1] + "." + m[2] + "." + m[3]
}

// packaged is the version as nfpm takes it: of what is no release, 0.0.0 with the rest behind it, so that every release is newer.
func packaged(version string) string {
	if released.MatchString(version) {
		return strings.TrimPrefix(version, "v")
	}
	return "0.0.0-" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '.' {
			return r
		}
		return '.'
	}, strings.ToLower(version))
}

// guid names something by a text, always the same (UUID version 5).
func guid(text string) string {
	space := []byte{0x5b, 0x1d, 0x5a, 0x6e, 0x0d, 0x3c, 0x4a, 0x8f, 0x9a, 0x51, 0x77, 0x1e, 0x2c, 0x9b, 0x60, 0x14}
	h := sha1.Sum(append(space, text...)) //nolint:gosec // see above
	h[6], h[8] = h[6]&0x0f|0x50, h[8]&0x3f|0x80
	return strings.ToUpper(fmt.Sprintf("%x-%x-%x-%x-%x", h[:4], h[4:6], h[6:8], h[8:10], h[10:16]))
}
