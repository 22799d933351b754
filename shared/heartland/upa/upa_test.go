package upa_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"flag"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/shared/heartland/upa"
	"github.com/tillpost/tillpost/shared/retail"
)

var update = flag.Bool("update", false, "write the golden files anew")

// allowed is the whole of what a terminal may be asked, in the words of the wire.
var allowed = []string{"AvailableBatches", "GetAppInfo", "GetBatchDetails", "GetBatchReport", "GetLastEOD", "GetSAFReport", "Ping"}

// every is each command that the package can express, with and without what it takes.
var every = []upa.Command{upa.Ping{}, upa.AppInfo{}, upa.Batches{}, upa.SAFReport{}, upa.LastEOD{}, upa.BatchReport{Batch: "990001"}, upa.BatchDetails{Batch: "990001"}}

func TestNothingButReadingCanBeExpressed(t *testing.T) {
	var names []string
	for _, c := range every {
		names = append(names, upa.Name(c))
	}
	slices.Sort(names)
	if !slices.Equal(names, allowed) {
		t.Errorf("the commands are %v, allowed are %v", names, allowed)
	}
	// Every type with the closing method is in the list above: an eighth would be missing here.
	if got := implementers(t); len(got) != len(every) {
		t.Errorf("these types are commands: %v, the test knows %d", got, len(every))
	}
	for _, c := range every {
		checkCommand(t, c)
	}
	for _, c := range []upa.Command{nil, upa.BatchReport{}, upa.BatchDetails{}, upa.BatchReport{Batch: `1","command":"Sale`}, upa.BatchDetails{Batch: "1 2"}} {
		if b, err := upa.Encode(c, "1", "1"); err == nil {
			t.Errorf("%#v is sent as %q", c, b)
		}
	}
	for _, id := range []string{"", `1"`, "a b", strings.Repeat("9", 21), "ü"} {
		if b, err := upa.Encode(upa.Ping{}, id, "1"); err == nil {
			t.Errorf("register %q is sent as %q", id, b)
		}
		if b, err := upa.Encode(upa.Ping{}, "1", id); err == nil {
			t.Errorf("conversation %q is sent as %q", id, b)
		}
	}
}

// checkCommand proves that what is sent is one frame with one allowed command and no field besides the known ones.
func checkCommand(t *testing.T, c upa.Command) {
	t.Helper()
	b, err := upa.Encode(c, "13", "1001")
	if err != nil {
		t.Fatal(err)
	}
	msgs := scan(t, b)
	if len(msgs) != 1 {
		t.Fatalf("%s goes out as %d messages", upa.Name(c), len(msgs))
	}
	var m struct {
		Message string         `json:"message"`
		Data    map[string]any `json:"data"`
	}
	d := json.NewDecoder(bytes.NewReader(msgs[0]))
	d.DisallowUnknownFields()
	if err := d.Decode(&m); err != nil || m.Message != "MSG" {
		t.Fatalf("%s: %v", msgs[0], err)
	}
	if name, _ := m.Data["command"].(string); !slices.Contains(allowed, name) {
		t.Errorf("%s asks for %q", msgs[0], name)
	}
	for k, v := range m.Data {
		switch k {
		case "command", "EcrId", "requestId":
		case "data":
			params, ok := v.(map[string]any)["params"].(map[string]any)
			for p := range params {
				ok = ok && (p == "reportOutput" && params[p] == "ReturnData" || p == "batch")
			}
			if !ok {
				t.Errorf("%s takes more than a batch", msgs[0])
			}
		default:
			t.Errorf("%s sends the field %s", msgs[0], k)
		}
	}
}

// implementers lists the types that have the method reading.
func implementers(t *testing.T) (out []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			if m, ok := d.(*ast.FuncDecl); ok && m.Recv != nil && m.Name.Name == "reading" {
				out = append(out, m.Recv.List[0].Type.(*ast.Ident).Name)
			}
		}
	}
	return out
}

func scan(t *testing.T, b []byte) (out [][]byte) {
	t.Helper()
	s := bufio.NewScanner(bytes.NewReader(b))
	s.Buffer(nil, upa.MaxFrame)
	s.Split(upa.Split)
	for s.Scan() {
		out = append(out, bytes.Clone(s.Bytes()))
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFrames(t *testing.T) {
	two := "\x02\n{\"message\":\"ACK\",\"data\":\"\"}\n\x03\n\n\x02\n{\"message\":\n\"READY\"}\x03"
	if got := scan(t, []byte(two)); len(got) != 2 || string(got[1]) != `{"message":"READY"}` {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"HTTP/1.1 400 Bad Request\r\n", "\x02\n{", "\x02\x02{}\x03", "\x02\n\n\x03", "\x00\x02{}\x03", "\x02{\x02}\x03"} {
		s := bufio.NewScanner(strings.NewReader(bad))
		s.Split(upa.Split)
		for s.Scan() {
		}
		if !errors.Is(s.Err(), upa.ErrGarbage) {
			t.Errorf("%q: %v", bad, s.Err())
		}
	}
	for _, bad := range []string{``, `{}`, `[]`, `{"message":"SALE"}`, `{"message":"MSG"}`, `{"message":"MSG","data":""}`, `{"message":"MSG","data":{"response":"Ping"}}`,
		`{"message":"MSG","data":{"response":{},"cmdResult":{"result":"Success"}}}`} {
		if a, err := upa.Read([]byte(bad)); !errors.Is(err, upa.ErrGarbage) {
			t.Errorf("%s is read as %+v (%v)", bad, a, err)
		}
	}
}

var place = upa.Place{Location: "S-17", Till: "PINPAD-1", Currency: "USD", Zone: zone("America/Chicago")}

func zone(name string) *time.Location {
	z, err := time.LoadLocation(name)
	if err != nil {
		panic(err)
	}
	return z
}

// meaning is what each answer of testdata means, all at once: the golden files hold it.
type meaning struct {
	Answer   upa.Answer
	Refused  string           `json:",omitempty"`
	Terminal *retail.Terminal `json:",omitempty"`
	Batches  []upa.BatchID    `json:",omitempty"`
	Batch    *retail.Batch    `json:",omitempty"`
	Payments []retail.Payment `json:",omitempty"`
	Offline  *upa.Offline     `json:",omitempty"`
	State    *retail.Held     `json:",omitempty"`
	EndOfDay *upa.EndOfDay    `json:",omitempty"`
}

func mean(a upa.Answer) (m meaning, err error) {
	m = meaning{Answer: a}
	m.Answer.Data = nil
	if err := a.Refused(); err != nil && a.Kind == upa.Msg {
		m.Refused = err.Error()
		return m, nil
	}
	switch a.Command {
	case "GetAppInfo":
		var t retail.Terminal
		t, err = upa.Info(a, place, time.Date(2026, 11, 25, 3, 0, 0, 0, time.UTC))
		m.Terminal = &t
	case "AvailableBatches":
		m.Batches, err = upa.BatchList(a)
	case "GetBatchReport", "GetBatchDetails":
		var b retail.Batch
		b, m.Payments, err = upa.BatchAndPayments(a, place)
		m.Batch = &b
	case "GetSAFReport":
		var o upa.Offline
		o, err = upa.OfflinePayments(a, place)
		m.Offline, m.State = &o, o.State()
	case "GetLastEOD":
		var e upa.EndOfDay
		e, err = upa.LastEndOfDay(a, place)
		m.EndOfDay = &e
	}
	return m, err
}

func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d answers in testdata: %v", len(files), err)
	}
	for _, name := range files {
		body, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		a, err := upa.Read(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		m, err := mean(a)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := json.MarshalIndent(m, "", "  ")
		if err != nil {
			t.Fatal(err)
		}
		golden := strings.TrimSuffix(name, ".json") + ".golden"
		if *update {
			if err := os.WriteFile(golden, append(got, '\n'), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil || string(want) != string(got)+"\n" {
			t.Errorf("%s: %v\n%s", golden, err, got)
		}
	}
}

// What a terminal says of offline payments adds up in cents whichever way it says it.
func TestOfflineMoney(t *testing.T) {
	body, err := os.ReadFile("testdata/saf_three_groups.json")
	if err != nil {
		t.Fatal(err)
	}
	a, err := upa.Read(body)
	if err != nil {
		t.Fatal(err)
	}
	o, err := upa.OfflinePayments(a, place)
	if err != nil {
		t.Fatal(err)
	}
	if o.Count != 2 || o.AtRisk.Minor != 2140+875 || len(o.Held) != 1 || len(o.Failed) != 1 || len(o.Sent) != 1 {
		t.Errorf("%d payments, %s at risk, %d held, %d failed, %d sent", o.Count, o.AtRisk, len(o.Held), len(o.Failed), len(o.Sent))
	}
	if o.Held[0].Last4 != "2222" || o.Held[0].At.Format(time.RFC3339) != "2026-11-23T20:52:00Z" {
		t.Errorf("%+v", o.Held[0])
	}
	more := o
	if err := o.Join(more); err != nil || o.Count != 4 || o.AtRisk.Minor != 2*(2140+875) {
		t.Errorf("joined: %d, %s, %v", o.Count, o.AtRisk, err)
	}
	if _, err := upa.OfflinePayments(upa.Answer{Kind: upa.Msg, OK: true, Data: []byte(`{"SafDetails":[{"SafType":"PENDING","SafCount":"1","SafTotal":"1.005"}]}`)}, place); err == nil {
		t.Error("half a cent passes")
	}
}
