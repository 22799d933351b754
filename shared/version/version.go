// Package version names the build. The Makefile sets Version; a build without it tells the commit that Go recorded.
package version

import "runtime/debug"

// Version is set with -ldflags "-X …/shared/version.Version=v1.2.3".
var Version = ""

// String returns the version, the commit, or "dev".
func String() string {
	if Version != "" {
		return Version
	}
	if bi, ok := debug.ReadBuildInfo(); ok {
		for _, s := range bi.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				return s.Value[:12]
			}
		}
	}
	return "dev"
}
