//go:build bug_duplicate_posts

package bug

const active = "duplicate_posts"
