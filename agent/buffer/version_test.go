package buffer

import (
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/fault"
)

func bare(t *testing.T, dir string) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite3", dsn(filepath.Join(dir, "buffer.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func do(t *testing.T, db *sql.DB, q string) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), q); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func versioned(t *testing.T, dir string) (*Buffer, error) {
	t.Helper()
	b, err := Open(t.Context(), Options{Dir: dir, Device: "pc", Clean: func(d source.Draft) source.Draft { return d }})
	if err == nil {
		t.Cleanup(func() { _ = b.Close() }) // closed by the test already
	}
	return b, err
}

// TestEachSchemaIsKept: what each number looked like stands in testdata/schema, as it was: whoever changes schema.sql takes the next number.
func TestEachSchemaIsKept(t *testing.T) {
	for n := 1; n <= Schema; n++ {
		b, err := os.ReadFile(fmt.Sprintf("testdata/schema/%d.sql", n))
		if err != nil {
			t.Fatal(err)
		}
		if n == Schema && string(b) != schema {
			t.Errorf("schema.sql is another than testdata/schema/%d.sql: give it the next number (version.go), and keep the one before", n)
		}
	}
	if Least > Schema || Least < Schema-1 {
		t.Errorf("schema %d asks its readers for %d: the version before must be able to work with it", Schema, Least)
	}
}

// TestTheVersionBeforeGoesOn: a file of the number before is opened by this one, and what this one leaves is a file in which every statement of
// the number before still works.
func TestTheVersionBeforeGoesOn(t *testing.T) {
	before := max(1, Schema-1)
	text, err := os.ReadFile(fmt.Sprintf("testdata/schema/%d.sql", before))
	if err != nil {
		t.Fatal(err)
	}
	statements, err := os.ReadFile(fmt.Sprintf("testdata/schema/%d.statements.sql", before))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	db := bare(t, dir)
	do(t, db, string(text))
	b, err := versioned(t, dir)
	if err != nil || b.Salvage != nil {
		t.Fatalf("the file of schema %d: %v %+v", before, err, b.Salvage)
	}
	if err := rehearsed(t, b); err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	n := 0
	for q := range strings.SplitSeq(string(statements), ";") {
		if q = strings.TrimSpace(q); q != "" {
			do(t, db, q)
			n++
		}
	}
	if n < 8 {
		t.Fatalf("%d statements", n)
	}
}

// rehearsed puts a record in.
func rehearsed(t *testing.T, b *Buffer) error {
	d := source.Draft{Stream: "state", Kind: "x.v1", Key: "k", ContentType: "application/json", Body: []byte("{}")}
	return b.Append(t.Context(), "s", "c", []source.Draft{d})
}

// TestANewerFile: one that only adds is worked with and left with its number; one that this program cannot work with is refused, and stays as
// it is: it is not damaged.
func TestANewerFile(t *testing.T) {
	dir := t.TempDir()
	b, err := versioned(t, dir)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	db := bare(t, dir)
	do(t, db, `ALTER TABLE sales ADD COLUMN colour TEXT NOT NULL DEFAULT 'none'`)
	do(t, db, `CREATE TABLE extra (id INTEGER PRIMARY KEY) STRICT`)
	do(t, db, fmt.Sprintf(`PRAGMA user_version = %d`, Schema+1))
	if b, err = versioned(t, dir); err != nil || b.Salvage != nil {
		t.Fatalf("a newer file that only adds: %v", err)
	}
	if err := errors.Join(rehearsed(t, b), Look(t.Context(), dir), b.Close()); err != nil {
		t.Fatal(err)
	}
	if is, _, err := number(t.Context(), db); err != nil || is != Schema+1 {
		t.Errorf("its number is %d now: %v", is, err)
	}
	do(t, db, fmt.Sprintf(`UPDATE meta SET value = '%d' WHERE name = 'schema_least'`, Schema+1))
	if _, err = versioned(t, dir); !fault.Is(err, fault.Conflict) || !strings.Contains(err.Error(), "newer version") {
		t.Errorf("a newer file that cannot be worked with: %v", err)
	}
	if err := Look(t.Context(), dir); !fault.Is(err, fault.Conflict) {
		t.Errorf("looked at: %v", err)
	}
	if aside, _ := filepath.Glob(filepath.Join(dir, "*damaged*")); len(aside) != 0 {
		t.Errorf("it was taken for damaged: %v", aside)
	}
}
