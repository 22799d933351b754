package hostile

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/xuri/excelize/v2"
)

// behindLink is what stands outside the folders, where only the service's account could read it.
const behindLink = "SHADOWED-BEHIND-A-LINK"

// weapons drops links and workbooks that are made to harm. told and clean look for what must become of them.
func (w *world) weapons(t *testing.T) {
	t.Helper()
	outside := t.TempDir()
	target := filepath.Join(outside, "shadow.csv")
	if err := os.WriteFile(target, []byte(head+"bad,S1,2026-11-20 10:00,"+behindLink+",1.00,cash\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, to := range map[string]string{"link.csv": target, "link-folder.csv": outside, "link-nowhere.csv": filepath.Join(outside, "gone")} {
		if err := os.Symlink(to, w.At("drop-csv/"+name)); err != nil {
			t.Fatal(err)
		}
	}
	w.secrets = append(w.secrets, behindLink)
	bomb := packed(t, map[string]io.Reader{"xl/worksheets/sheet1.xml": io.LimitReader(blank{}, 300<<20)}, nil)
	w.drop("xlsx", "bomb.xlsx", string(bomb))
	w.drop("xlsx", "nested.xlsx", string(packed(t, map[string]io.Reader{"inner.xlsx": bytes.NewReader(bomb)}, nil)))
	w.drop("xlsx", "program.xlsm", string(packed(t, map[string]io.Reader{"xl/vbaProject.bin": bytes.NewReader([]byte("Sub Auto_Open()"))}, w.sheet(t, "bx1"))))
	w.drop("xlsx", "dde.xlsx", string(packed(t, map[string]io.Reader{"xl/externalLinks/externalLink1.xml": bytes.NewReader([]byte(`<ddeLink ddeService="cmd" ddeTopic="/c calc"/>`))}, w.sheet(t, "bx2"))))
	w.drop("xlsx", "zz after.xlsx", string(w.sheet(t, "after")))
	w.good["after"] = "armed"
	w.drop("csv", "dde.csv", head+"dde,S1,2026-11-20 10:00,=cmd|'/c calc'!A0,1.00,cash\n")
	w.good["dde"] = "=cmd|'/c calc'!A0" // words are kept as they are; what writes sheets for people keeps them words
}

// sheet is a workbook with one ticket.
func (w *world) sheet(t *testing.T, no string) []byte {
	t.Helper()
	x := excelize.NewFile()
	defer x.Close()
	for i, row := range [][]any{{"No", "Store", "When", "What", "Price", "Paid"}, {no, "S1", "2026-11-20 10:00", "armed", 1, "cash"}} {
		if err := x.SetSheetRow("Sheet1", map[int]string{0: "A1", 1: "A2"}[i], &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := x.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packed is a zip of the parts and of all that another one holds.
func packed(t *testing.T, parts map[string]io.Reader, with []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	put := func(name string, r io.Reader) {
		o, err := z.Create(name)
		if err == nil {
			_, err = io.Copy(o, r)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, r := range parts {
		put(name, r)
	}
	if with != nil {
		old, err := zip.NewReader(bytes.NewReader(with), int64(len(with)))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range old.File {
			r, err := f.Open()
			if err != nil {
				t.Fatal(err)
			}
			put(f.Name, r)
			r.Close()
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

type blank struct{}

func (blank) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}
