//go:build !windows

package find

import "path/filepath"

// Roots are where a till's exports lie on this system.
func Roots() (out []string) {
	out = []string{"/srv/tillpost", "/srv/exports", "/srv/till", "/srv/pos"}
	for _, pattern := range []string{"/home/*/Downloads", "/home/*/Documents", "/home/*/Desktop", "/home/*/exports"} {
		more, _ := filepath.Glob(pattern)
		out = append(out, more...)
	}
	return out
}
