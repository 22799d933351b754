//go:build bug_undo_forgotten

package bug

const active = "undo_forgotten"
