//go:build bug_release_eats

package bug

const active = "release_eats"
