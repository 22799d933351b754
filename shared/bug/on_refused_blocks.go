//go:build bug_refused_blocks

package bug

const active = "refused_blocks"
