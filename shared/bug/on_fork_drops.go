//go:build bug_fork_drops

package bug

const active = "fork_drops"
