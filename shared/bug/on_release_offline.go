//go:build bug_release_offline

package bug

const active = "release_offline"
