package guard

import (
	"fmt"
	"log/slog"
)

// Secret is text that no format, log or encoder prints. string(s) is the text.
type Secret string

const hidden = "[hidden]"

// Format implements fmt.Formatter, so that no verb reaches the text.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// String implements fmt.Stringer for those who call it by hand.
func (s Secret) String() string { return hidden }

// MarshalText implements encoding.TextMarshaler: JSON, XML and TOML write this.
func (s Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(hidden) }
