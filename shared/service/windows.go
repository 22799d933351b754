package service

import (
	"crypto/sha1" //nolint:gosec // Windows derives a service's identity with it; nothing is protected by it
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf16"
)

// Kept is what Windows' service manager keeps of a service: what was written is read back as this, and compared.
type Kept struct {
	Command     string          `json:"command"`
	Account     string          `json:"account"`
	Display     string          `json:"display"`
	Description string          `json:"description"`
	Automatic   bool            `json:"automatic"`
	Delayed     bool            `json:"delayed"`     // starts after what a till needs
	Unrestrict  bool            `json:"own_sid"`     // it has an identity of its own that folders can be given to
	Recovery    []time.Duration `json:"recovery"`    // restart after so long at the first failure, the second, and from then on
	ResetAfter  time.Duration   `json:"reset_after"` // without a failure for so long, it counts from one again
	NotCrash    bool            `json:"not_crash"`   // recovery also when it ends by itself with an error
	Preshutdown time.Duration   `json:"preshutdown"` // how long it may finish before the system goes down
}

// Wanted is what Windows should keep of s.
func (s Spec) Wanted() Kept {
	return Kept{
		Command: s.commandLine(), Account: s.Account(), Display: s.Display, Description: s.Description, Automatic: true, Delayed: true, Unrestrict: true,
		Recovery: []time.Duration{5 * time.Second, 30 * time.Second, 2 * time.Minute}, ResetAfter: 24 * time.Hour, NotCrash: true, Preshutdown: preshutdown,
	}
}

// Account is the service's own account on Windows: it has no password, cannot log on, and owns nothing that it was not given.
func (s Spec) Account() string { return `NT SERVICE\` + s.Name }

// SID is that account's identity, known before the service exists.
func (s Spec) SID() string {
	var b []byte
	for _, c := range utf16.Encode([]rune(strings.ToUpper(s.Name))) {
		b = binary.LittleEndian.AppendUint16(b, c)
	}
	h := sha1.Sum(b) //nolint:gosec // see above
	sid := "S-1-5-80"
	for i := 0; i < len(h); i += 4 {
		sid += fmt.Sprintf("-%d", binary.LittleEndian.Uint32(h[i:]))
	}
	return sid
}

// Rights that are given, in Windows' security descriptor language; nothing is inherited from above.
func (s Spec) sddl(mine string) string {
	return "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;" + mine + ";;;" + s.SID() + ")"
}

const (
	rightModify = "0x1301bf" // read, write, make, delete; not give away
	rightRead   = "0x1200a9" // read and look into
)

// commandLine quotes the program always: a path with a space and no quotes lets another program be started in its place.
func (s Spec) commandLine() string {
	words := []string{`"` + s.Exe + `"`}
	for _, a := range s.Args {
		words = append(words, quoteWindows(a))
	}
	return strings.Join(words, " ")
}

// quoteWindows makes one word of a command line as Windows' programs read it.
func quoteWindows(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\"") {
		return s
	}
	b := []byte{'"'}
	slashes := 0
	for i := range len(s) {
		switch s[i] {
		case '\\':
			slashes++
		case '"':
			b = append(b, strings.Repeat(`\`, slashes+1)...)
			slashes = 0
		default:
			slashes = 0
		}
		b = append(b, s[i])
	}
	return string(b) + strings.Repeat(`\`, slashes) + `"`
}

// differs lists in words what is not as it should be. Without means that this Windows was asked and does not know such a setting.
func (k Kept) differs(want Kept, without map[string]bool) (out []string) {
	note := func(what string, have, want any) {
		if h, w := fmt.Sprint(have), fmt.Sprint(want); h != w && !without[what] {
			out = append(out, what+" is "+h+", not "+w)
		}
	}
	note("command", k.Command, want.Command)
	note("account", k.Account, want.Account)
	note("display", k.Display, want.Display)
	note("description", k.Description, want.Description)
	note("automatic", k.Automatic, want.Automatic)
	note("delayed", k.Delayed, want.Delayed)
	note("own_sid", k.Unrestrict, want.Unrestrict)
	note("recovery", k.Recovery, want.Recovery)
	note("reset_after", k.ResetAfter, want.ResetAfter)
	note("not_crash", k.NotCrash, want.NotCrash)
	note("preshutdown", k.Preshutdown, want.Preshutdown)
	return out
}

func seconds(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
