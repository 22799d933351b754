//go:build bug_no_compare_and_swap

package bug

const active = "no_compare_and_swap"
