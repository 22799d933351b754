//go:build bug_release_windows

package bug

const active = "release_windows"
