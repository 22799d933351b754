//go:build bug_release_hang

package bug

const active = "release_hang"
