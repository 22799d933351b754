//go:build bug_release_later

package bug

const active = "release_later"
