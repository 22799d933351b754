//go:build bug_salvage_drops

package bug

const active = "salvage_drops"
