//go:build !windows

package find

import "path/filepath"

// Roots are where a till's exports lie on this system, or in a folder that stands for one.
func Roots(system string) (out []string) {
	out = []string{"/srv/tillpost", "/srv/exports", "/srv/till", "/srv/pos"}
	for i := range out {
		out[i] = filepath.Join(system, out[i])
	}
	for _, pattern := range []string{"/home/*/Downloads", "/home/*/Documents", "/home/*/Desktop", "/home/*/exports"} {
		more, _ := filepath.Glob(filepath.Join(system, pattern))
		out = append(out, more...)
	}
	return out
}
