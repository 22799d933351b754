//go:build bug_head_never_down

package bug

const active = "head_never_down"
