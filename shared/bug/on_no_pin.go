//go:build bug_no_pin

package bug

const active = "no_pin"
