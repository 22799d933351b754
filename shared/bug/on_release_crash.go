//go:build bug_release_crash

package bug

const active = "release_crash"
