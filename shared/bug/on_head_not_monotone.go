//go:build bug_head_not_monotone

package bug

const active = "head_not_monotone"
