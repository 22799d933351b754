//go:build bug_clash_replaces

package bug

const active = "clash_replaces"
