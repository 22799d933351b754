//go:build bug_assignment_unchecked

package bug

const active = "assignment_unchecked"
