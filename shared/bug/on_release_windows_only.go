//go:build bug_release_windows_only

package bug

const active = "release_windows_only"
