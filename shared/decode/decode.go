package decode

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/heartland/gpapi"
	"github.com/tillpost/tillpost/shared/heartland/hretail"
	"github.com/tillpost/tillpost/shared/heartland/portico"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// Decoder decodes bodies. It is safe for concurrent use if Profiles is.
type Decoder struct {
	Profiles func(name, version string) (*profile.Profile, error) // for rows, see profile.Rows; nil = the shipped ones
}

// Decode returns what a body means; nil, nil for a kind that carries no record for the ledger. Errors have code invalid and say what is
// wrong in words for the case that lists it.
func (d Decoder) Decode(kind envelope.Kind, contentType string, body []byte) (retail.Record, error) {
	switch kind {
	case Ticket:
		return retail.DecodeTicket(body)
	case Rows:
		return d.rows(body)
	case Drawer:
		return plain[retail.Drawer](body)
	case Terminal:
		return plain[retail.Terminal](body)
	case Location:
		return plain[retail.Location](body)
	case Payment:
		return plain[retail.Payment](body)
	case Batch:
		return plain[retail.Batch](body)
	case Portico:
		return portico.Decode(body)
	case GPAPI:
		return gpapi.Decode(body)
	case ReadTo:
		return plain[retail.ReadTo](body)
	case Control:
		return plain[retail.Control](body)
	case Profile, Health, Connections, Desired, Command, Release, EpochEnd:
		return nil, nil
	case Stub:
		return nil, fault.Msg(fault.Invalid, "decode", "the record is over the size limit and stays on the store's PC: "+string(body))
	}
	if hretail.Knows(kind) {
		return hretail.Decode(kind, body)
	}
	return nil, fault.Msg(fault.Invalid, "decode", fmt.Sprintf("records of kind %q are not known to this version; update the hub, then retry", kind))
}

// rows hands rows of a file to their profile.
func (d Decoder) rows(body []byte) (retail.Record, error) {
	p, r, err := d.File(body)
	if err != nil {
		return nil, err
	}
	return p.Decode(r)
}

// File reads a body of kind Rows as what it is before it means anything: rows of a file, and their profile. Code invalid.
func (d Decoder) File(body []byte) (p *profile.Profile, r profile.Rows, err error) {
	if err := json.Unmarshal(body, &r); err != nil {
		return nil, r, fault.New(fault.Invalid, "read rows", err)
	}
	p, err = d.profile(r.Profile, r.Version)
	return p, r, err
}

func (d Decoder) profile(name, version string) (*profile.Profile, error) {
	if d.Profiles != nil {
		return d.Profiles(name, version)
	}
	if p, ok := Shipped(name, version); ok {
		return p, nil
	}
	return nil, Unknown(name, version)
}

// Shipped returns the shipped profile that rows of a version are read by.
func Shipped(name, version string) (*profile.Profile, bool) {
	p, ok := profile.Shipped(name)
	return p, ok && (version == "" || version == profile.FromShipped || version == profile.VersionOf(p.TOML()))
}

// Unknown is the error of rows whose profile is not here, worded for their case: profile.ErrUnknown, code invalid.
func Unknown(name, version string) error {
	switch version {
	case "":
		return fault.New(fault.Invalid, "read rows", fmt.Errorf("%w: %q. Add it, then retry", profile.ErrUnknown, name))
	case profile.FromShipped:
		return fault.New(fault.Invalid, "read rows", fmt.Errorf("%w: %q comes with a newer version of Tillpost. Update the hub, and they are booked by themselves", profile.ErrUnknown, name))
	}
	return fault.New(fault.Invalid, "read rows", fmt.Errorf("%w: the version %.16s of %q that they were made with has not come from the store yet. They are booked by themselves when it comes", profile.ErrUnknown, version, name))
}

// plain reads a record that travels as its own JSON. Fields it does not know are kept raw in the envelope and not understood.
func plain[T retail.Record](body []byte) (retail.Record, error) {
	var v T
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := d.Decode(&v); err != nil {
		return nil, fault.New(fault.Invalid, "read record", retail.Worded(err))
	}
	if err := retail.Unambiguous(body); err != nil {
		return nil, err
	}
	return v, nil
}
