package filedrop

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/profile"
)

// BenchmarkImport reads a file of tickets of 14 rows through a shipped profile, without the commit; one op is one ticket.
func BenchmarkImport(b *testing.B) {
	const perFile, perTicket = 4000, 14
	var body bytes.Buffer
	body.WriteString("Ticket #,Customer #,Completed At,Sales Rep,Location #,Tax Total,Item #,Item Original Unit Price,Item Adjusted Unit Price,Item Qty\n")
	at := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	for i := range perFile {
		for k := range perTicket {
			n := (i*31 + k*17) % 3000
			price := fmt.Sprintf("%d.%02d", n/50, n%100)
			fmt.Fprintf(&body, "T%07d,,%s,c%02d,S1,%d.%02d,A%05d,%s,%s,%d\n", i, at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i%30, i%9, i%100, n, price, price, 1+k%3)
		}
	}
	p, _ := profile.Shipped("heartland-retail-sales-history")
	path := filepath.Join(b.TempDir(), "sales.csv")
	if err := os.WriteFile(path, body.Bytes(), 0o600); err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(body.Len() / perFile))
	b.ReportAllocs()
	done := 0
	for b.Loop() {
		if done++; done%perFile != 1 {
			continue
		}
		rep, err := Import{Path: path, Profile: p, Stream: envelope.Sales}.Run(context.Background(), discard{})
		if err != nil || rep.Tickets != perFile || rep.Cases != 0 {
			b.Fatal(rep, err)
		}
	}
}

type discard struct{}

func (discard) Append(context.Context, string, source.Cursor, []source.Draft) error { return nil }
