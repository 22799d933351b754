//go:build bug_ack_on_publish

package bug

const active = "ack_on_publish"
