//go:build bug_late_dropped

package bug

const active = "late_dropped"
