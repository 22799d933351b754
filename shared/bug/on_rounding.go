//go:build bug_rounding

package bug

const active = "rounding"
