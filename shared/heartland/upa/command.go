package upa

import (
	"encoding/json"
	"strings"

	"github.com/tillpost/tillpost/shared/fault"
)

// Command is what a terminal may be asked. It is closed: the seven types of this file are all there are, each spells its own name, and
// none takes more than a batch's number. EODProcessing closes the batch, SendSAF and DeleteSAF move offline payments, Sale, Refund, Void and
// their like move money, and whatever reads a card has card data in its answer: none of them has a type here, so no mistake of ours and no
// text from outside can send one.
type Command interface {
	reading() request
}

// Ping asks whether the terminal is there.
type Ping struct{}

// AppInfo asks for serial number and software.
type AppInfo struct{}

// Batches asks which batches the terminal still knows.
type Batches struct{}

// BatchReport asks for a batch's totals.
type BatchReport struct{ Batch BatchID }

// BatchDetails asks for a batch's payments.
type BatchDetails struct{ Batch BatchID }

// SAFReport asks for the payments that were taken offline: held, sent, or failed.
type SAFReport struct{}

// LastEOD asks how the last end of day went. It starts none.
type LastEOD struct{}

// BatchID is a batch's number at the gateway: 1 to 20 digits.
type BatchID string

// Valid reports whether b may be sent.
func (b BatchID) Valid() bool {
	return len(b) >= 1 && len(b) <= 20 && strings.Trim(string(b), "0123456789") == ""
}

// request is what a command puts into its message: its name, and for a report where its data goes and of which batch.
type request struct {
	name, output string
	batch        BatchID
}

func (Ping) reading() request           { return request{name: "Ping"} }
func (AppInfo) reading() request        { return request{name: "GetAppInfo"} }
func (Batches) reading() request        { return request{name: "AvailableBatches"} }
func (SAFReport) reading() request      { return request{name: "GetSAFReport", output: returnData} }
func (LastEOD) reading() request        { return request{name: "GetLastEOD"} }
func (c BatchReport) reading() request  { return request{"GetBatchReport", returnData, c.Batch} }
func (c BatchDetails) reading() request { return request{"GetBatchDetails", returnData, c.Batch} }

// returnData keeps a report off the terminal's printer.
const returnData = "ReturnData"

// Name is the command's on the wire.
func Name(c Command) string { return c.reading().name }

// needsBatch lists the commands that mean another thing without a batch.
var needsBatch = map[string]bool{"GetBatchReport": true, "GetBatchDetails": true}

// Encode frames a command. ecr names the asking register, id the conversation: both 1 to 20 letters or digits. Code invalid.
func Encode(c Command, ecr, id string) ([]byte, error) {
	if c == nil {
		return nil, fault.Msg(fault.Invalid, "ask terminal", "there is no command")
	}
	if !plain(ecr) || !plain(id) {
		return nil, fault.Msg(fault.Invalid, "ask terminal", "the register's and the conversation's names are 1 to 20 letters or digits")
	}
	r := c.reading()
	if needsBatch[r.name] != (r.batch != "") || r.batch != "" && !r.batch.Valid() {
		return nil, fault.Msg(fault.Invalid, "ask terminal", "a batch is named by its number")
	}
	type inner struct {
		Output string  `json:"reportOutput,omitempty"`
		Batch  BatchID `json:"batch,omitempty"`
	}
	type wrapped struct {
		Params inner `json:"params"`
	}
	type data struct {
		Command string   `json:"command"`
		EcrID   string   `json:"EcrId"`
		ID      string   `json:"requestId"`
		Data    *wrapped `json:"data,omitempty"`
	}
	d := data{Command: r.name, EcrID: ecr, ID: id}
	if r.output != "" {
		d.Data = &wrapped{inner{r.output, r.batch}}
	}
	b, err := json.Marshal(struct {
		Message string `json:"message"`
		Data    data   `json:"data"`
	}{string(Msg), d})
	if err != nil {
		return nil, fault.New(fault.Internal, "ask terminal", err)
	}
	return frame(b), nil
}

// Acknowledge is our word that an answer came whole.
func Acknowledge() []byte { return frame([]byte(`{"message":"ACK","data":""}`)) }

func plain(s string) bool {
	if len(s) < 1 || len(s) > 20 {
		return false
	}
	for i := range len(s) {
		if c := s[i]; !(c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') {
			return false
		}
	}
	return true
}
