package find

import (
	"context"
	"encoding/csv"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/xuri/excelize/v2"

	"github.com/tillpost/tillpost/shared/profile"
)

var now = time.Now()

func TestFoldersWithATillsExportsAreFound(t *testing.T) {
	root := t.TempDir()
	sales, sheets, other := filepath.Join(root, "Exports", "Sales"), filepath.Join(root, "Sheets"), filepath.Join(root, "Photos")
	writeCSV(t, filepath.Join(sales, "monday.csv"), nil, columns(t, "heartland-retail-sales-history"))
	writeCSV(t, filepath.Join(sales, "tuesday.CSV"), [][]string{{"Sales history"}, {""}}, columns(t, "heartland-retail-sales-history"))
	writeCSV(t, filepath.Join(other, "list.csv"), nil, []string{"Name", "Phone"})
	writeSheet(t, filepath.Join(sheets, "items.xlsx"), columns(t, "heartland-restaurant-items"))
	os.WriteFile(filepath.Join(sheets, "broken.xlsx"), []byte("PK no workbook"), 0o600)
	old := filepath.Join(sales, "old.csv")
	writeCSV(t, old, nil, columns(t, "heartland-retail-sales-history"))
	os.Chtimes(old, now.Add(-3*365*24*time.Hour), now.Add(-3*365*24*time.Hour))
	os.Chtimes(filepath.Join(sheets, "items.xlsx"), now.Add(-time.Hour), now.Add(-time.Hour))
	if err := os.Symlink(filepath.Join(sales, "monday.csv"), filepath.Join(other, "link.csv")); err != nil {
		t.Log("no links here:", err)
	}

	got := Folders(t.Context(), []string{root, root, filepath.Join(root, "nowhere")}, now)
	if len(got) != 2 {
		t.Fatalf("got %+v", got)
	}
	if f := got[0]; f.Dir != sales || f.Pattern != "*.csv" || f.Profile != "heartland-retail-sales-history" || f.Files != 2 || f.About == "" {
		t.Errorf("newest: got %+v", f)
	}
	if f := got[1]; f.Dir != sheets || f.Pattern != "*.xlsx" || f.Profile != "heartland-restaurant-items" {
		t.Errorf("sheets: got %+v", f)
	}
}

func columns(t *testing.T, name string) []string {
	p, ok := profile.Shipped(name)
	if !ok {
		t.Fatal(name)
	}
	return append(slices.Clone(p.Columns()), "Another column")
}

func writeCSV(t *testing.T, path string, above [][]string, header []string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := csv.NewWriter(f)
	if err := w.WriteAll(append(above, header)); err != nil {
		t.Fatal(err)
	}
}

func writeSheet(t *testing.T, path string, header []string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	x := excelize.NewFile()
	for i, h := range header {
		cell, _ := excelize.CoordinatesToCellName(i+1, 1)
		if err := x.SetCellStr("Sheet1", cell, h); err != nil {
			t.Fatal(err)
		}
	}
	if err := x.SaveAs(path); err != nil {
		t.Fatal(err)
	}
}

func TestAnInstanceOfPCAmericaAnswers(t *testing.T) {
	browser, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer browser.Close()
	go func() {
		b := make([]byte, 16)
		n, from, err := browser.ReadFrom(b)
		if err != nil || n != 1 || b[0] != 2 {
			return
		}
		said := "ServerName;POS-1;InstanceName;PCAMERICA;IsClustered;No;Version;12.0;tcp;1433;;ServerName;POS-1;InstanceName;SQLEXPRESS;IsClustered;No;;"
		browser.WriteTo(append([]byte{5, byte(len(said)), byte(len(said) >> 8)}, said...), from)
		browser.WriteTo([]byte{5, 0}, from)
	}()
	got := Instances(t.Context(), browser.LocalAddr().String())
	if len(got) != 2 || got[0] != (Instance{"POS-1", "PCAMERICA"}) || !got[0].PCAmerica() || got[1].PCAmerica() {
		t.Errorf("got %+v", got)
	}
}

func FuzzInstances(f *testing.F) {
	f.Add([]byte("\x05\x10\x00ServerName;A;InstanceName;B;;"))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, i := range parseInstances(b) {
			if i.Host == "" || i.Name == "" {
				t.Errorf("half an instance: %+v", i)
			}
		}
	})
}

func TestWhatListensIsFoundAndHearsNothing(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.2:0")
	if err != nil {
		t.Skip("this system has one loopback address only")
	}
	defer l.Close()
	heard := make(chan int, 1)
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		c.SetReadDeadline(time.Now().Add(5 * time.Second))
		n, _ := c.Read(make([]byte, 10))
		heard <- n
	}()
	port := uint16(l.Addr().(*net.TCPAddr).Port)
	got := Terminals(t.Context(), []netip.Prefix{netip.MustParsePrefix("127.0.0.0/29")}, port)
	if len(got) != 1 || got[0].String() != "127.0.0.2" {
		t.Errorf("got %v", got)
	}
	if n := <-heard; n != 0 {
		t.Errorf("%d bytes were said to a terminal", n)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if got := Terminals(ctx, []netip.Prefix{netip.MustParsePrefix("127.0.0.0/29")}, port); len(got) > 0 {
		t.Errorf("after the end: %v", got)
	}
}

func TestOnlyTheStoresOwnNetworksAreLookedThrough(t *testing.T) {
	for _, p := range Networks() {
		if p.Bits() < netMost || !p.Addr().IsPrivate() {
			t.Errorf("%s is looked through", p)
		}
	}
}
