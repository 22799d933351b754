//go:build bug_ack_failed_commit

package bug

const active = "ack_failed_commit"
