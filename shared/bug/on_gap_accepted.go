//go:build bug_gap_accepted

package bug

const active = "gap_accepted"
