//go:build bug_salvage_silent

package bug

const active = "salvage_silent"
