//go:build bug_parts_forgotten

package bug

const active = "parts_forgotten"
