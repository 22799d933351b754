//go:build bug_void_posts

package bug

const active = "void_posts"
