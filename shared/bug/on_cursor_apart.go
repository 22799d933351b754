//go:build bug_cursor_apart

package bug

const active = "cursor_apart"
