//go:build bug_discount_lost

package bug

const active = "discount_lost"
