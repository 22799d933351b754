//go:build bug_restore_unnoticed

package bug

const active = "restore_unnoticed"
