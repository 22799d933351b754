package odoo

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"github.com/tillpost/tillpost/hub/rollup"
	"github.com/tillpost/tillpost/shared/envelope"
)

// ExternalID is the unique key under which Odoo keeps a document: module "tillpost", one dot, no spaces. The hash keeps apart what the
// cleaning makes equal; the hub's id keeps two hubs on one Odoo apart.
func ExternalID(hub envelope.HubID, docID string) string {
	return "tillpost." + short(string(hub)) + "_" + word(docID, 60) + "_" + digest(string(hub) + "\x00" + docID)[:8]
}

// Ref is what people search an entry by, and what a restored hub knows its own entries by: hub, document, content hash.
func Ref(hub envelope.HubID, d rollup.Document) string { return partRef(hub, d, "") }

// partRef is Ref of a record that stands beside a document's first: the part's name follows the number.
func partRef(hub envelope.HubID, d rollup.Document, part string) string {
	if part != "" {
		part = "+" + part
	}
	ref := "Tillpost " + short(string(hub)) + " " + d.ID() + part + " " + d.Hash[:min(len(d.Hash), 12)]
	if d.Note != "" {
		ref += " " + label(d.Note)
	}
	r := []rune(ref)
	return string(r[:min(len(r), 240)])
}

// refStart begins the reference of every entry of this hub.
func refStart(hub envelope.HubID) string { return "Tillpost " + short(string(hub)) + " " }

func short(hub string) string {
	if w := word(hub, 8); w != "" {
		return w
	}
	return "hub"
}

// word keeps a-z, A-Z, 0-9 and '-'; everything else becomes '_'.
func word(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' {
			return r
		}
		return '_'
	}, s)
	return s[:min(len(s), most)]
}

// label is text as Odoo gives it back: one line, single spaces, nothing XML forbids, of a length that lists can show.
func label(s string) string {
	r := []rune(strings.Join(strings.Fields(xmlText(s)), " "))
	return string(r[:min(len(r), 200)])
}

func digest(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:])
}
