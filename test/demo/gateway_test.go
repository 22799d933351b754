package main

import "testing"

// Cents with a nought before them are no octal numbers: 0.33 once came to 27.
func TestAmountOf(t *testing.T) {
	for text, want := range map[string]int64{"0.33": 33, "0.08": 8, "-0.10": -10, "12.00": 1200, "1021.70": 102170} {
		if got, err := amountOf(text); err != nil || got != want {
			t.Errorf("%s is %d (%v), want %d", text, got, err, want)
		}
	}
	if _, err := amountOf("0x1.00"); err == nil {
		t.Error("0x1.00 is read as an amount")
	}
}
