//go:build bug_positions_only

package bug

const active = "positions_only"
