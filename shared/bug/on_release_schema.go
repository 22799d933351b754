//go:build bug_release_schema

package bug

const active = "release_schema"
