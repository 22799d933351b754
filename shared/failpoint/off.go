//go:build !failpoint

// Package failpoint names the places at which a test may pull the plug: just before and just after each commit boundary. In a normal
// build every call is empty and the compiler removes it; with `-tags failpoint` the environment decides (see on.go).
package failpoint

// Hit marks a boundary. It does nothing in this build.
func Hit(string) {}
