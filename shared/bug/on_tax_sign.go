//go:build bug_tax_sign

package bug

const active = "tax_sign"
