//go:build bug_one_lane

package bug

const active = "one_lane"
