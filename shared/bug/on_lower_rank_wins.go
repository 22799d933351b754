//go:build bug_lower_rank_wins

package bug

const active = "lower_rank_wins"
