package portico

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestRequests holds each request against its golden text: names, nesting and order are those of Global Payments' own clients.
func TestRequests(t *testing.T) {
	w := reading{time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)}
	var out bytes.Buffer
	for _, r := range []request{activity(w), find(w), findBatch("990041"), txnDetail("1193129660"), batchHistory(w), batchDetail("990041"), batchSummary("990041"), openAuths(), testCredentials()} {
		b, err := r.encode(Credentials{APIKey: key}, sender{})
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
		out.WriteByte('\n')
	}
	b, err := activity(w).encode(Credentials{License: "137846", Site: "137907", Device: "6378375", User: "777700000001", Password: "a<b"}, sender{"002914", "3026"})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(append(b, '\n'))
	got := strings.ReplaceAll(out.String(), "><", ">\n<")
	const file = "testdata/requests.golden.xml"
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("got\n%s", got)
	}
}
