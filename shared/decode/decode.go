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
	Profiles func(name string) (*profile.Profile, error) // for rows; nil = the shipped ones
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
	p, err = d.profile(r.Profile)
	return p, r, err
}

func (d Decoder) profile(name string) (*profile.Profile, error) {
	if d.Profiles == nil {
		return shipped(name)
	}
	return d.Profiles(name)
}

func shipped(name string) (*profile.Profile, error) {
	if p, ok := profile.Shipped(name); ok {
		return p, nil
	}
	return nil, fault.Msg(fault.Invalid, "read rows", fmt.Sprintf("the profile %q is not known here; add it, then retry", name))
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
