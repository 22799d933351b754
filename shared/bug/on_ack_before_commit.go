//go:build bug_ack_before_commit

package bug

const active = "ack_before_commit"
