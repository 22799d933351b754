//go:build bug_delta_last_only

package bug

const active = "delta_last_only"
