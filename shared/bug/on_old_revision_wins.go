//go:build bug_old_revision_wins

package bug

const active = "old_revision_wins"
