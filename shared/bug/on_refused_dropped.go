//go:build bug_refused_dropped

package bug

const active = "refused_dropped"
