// Package find looks for the till on a PC and its network: folders into which it exports, pcAmerica's database, card terminals. What it finds
// is a proposal; a person, or the one who wrote the silent command, decides. It reads, and changes nothing.
package find

import (
	"archive/zip"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/xml"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/profile"
)

// Limits: a PC with a million files is looked at for a moment, not for an afternoon.
const (
	depth      = 4
	filesMost  = 4000
	readMost   = 64 << 10 // of a CSV's beginning
	namesMost  = 4 << 20  // of a workbook's words
	headerRows = 12       // a report's title stands above its header
	fresh      = 400 * 24 * time.Hour
)

// Folder is a folder with a till's exports.
type Folder struct {
	Dir     string
	Pattern string // such as *.csv
	Profile string
	About   string // the profile's own words
	Files   int
	Newest  time.Time
}

// Folders looks below roots for files that a shipped profile of a till can read, newest first. A folder that cannot be opened is passed by.
func Folders(ctx context.Context, roots []string, now time.Time) (out []Folder) {
	at := map[Folder]*Folder{}
	left := filesMost
	seen := map[string]bool{}
	for _, root := range roots {
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			switch {
			case ctx.Err() != nil || left <= 0:
				return fs.SkipAll
			case err != nil:
				return nil //nolint:nilerr // not ours to read
			case d.IsDir():
				if tooDeep(root, path) || seen[path] || path != root && strings.HasPrefix(d.Name(), ".") {
					return fs.SkipDir
				}
				seen[path] = true
				return nil
			case !d.Type().IsRegular():
				return nil // a link leads elsewhere
			}
			left--
			info, err := d.Info()
			if err != nil || now.Sub(info.ModTime()) > fresh {
				return nil //nolint:nilerr // gone meanwhile
			}
			if p := fits(path); p != nil {
				key := Folder{Dir: filepath.Dir(path), Pattern: "*" + strings.ToLower(filepath.Ext(path)), Profile: p.Name}
				f := at[key]
				if f == nil {
					c := key
					f, c.About = &c, p.About
					at[key] = f
				}
				f.Files++
				if info.ModTime().After(f.Newest) {
					f.Newest = info.ModTime()
				}
			}
			return nil
		})
	}
	for _, f := range at {
		out = append(out, *f)
	}
	slices.SortFunc(out, func(a, b Folder) int {
		return cmp.Or(b.Newest.Compare(a.Newest), strings.Compare(a.Dir, b.Dir), strings.Compare(a.Profile, b.Profile))
	})
	return out
}

func tooDeep(root, path string) bool {
	rel, err := filepath.Rel(root, path)
	return err != nil || strings.Count(rel, string(filepath.Separator)) >= depth
}

// fits tells the shipped profile whose columns a file has; the one that reads the most of them, as a report's sheets share columns.
func fits(path string) (best *profile.Profile) {
	var rows [][]string
	format := ""
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		format, rows = "csv", csvRows(path)
	case ".xlsx":
		format, rows = "xlsx", [][]string{workbookWords(path)}
	default:
		return nil
	}
	for _, name := range profile.Names() {
		p, ok := profile.Shipped(name)
		if !ok || !strings.HasPrefix(name, "heartland-") || p.Format != format || len(p.Columns()) == 0 {
			continue // the others are public data sets, databases, or a till's that is not asked for here
		}
		for _, row := range rows {
			if len(p.Missing(row)) == 0 && (best == nil || len(p.Columns()) > len(best.Columns())) {
				best = p
			}
		}
	}
	return best
}

// csvRows reads the first rows of a file.
func csvRows(path string) (rows [][]string) {
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	body, _ := io.ReadAll(io.LimitReader(f, readMost))
	text := strings.TrimPrefix(string(body), "\ufeff")
	for _, comma := range []rune{',', ';', '\t'} {
		r := csv.NewReader(strings.NewReader(text))
		r.Comma, r.FieldsPerRecord, r.LazyQuotes = comma, -1, true
		for range headerRows {
			row, err := r.Read()
			if err != nil {
				break
			}
			for i := range row {
				row[i] = strings.TrimSpace(row[i])
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// workbookWords lists the words of a workbook, among them every column's name. What does not look like a workbook has none.
func workbookWords(path string) (words []string) {
	z, err := zip.OpenReader(path)
	if err != nil {
		return nil
	}
	defer z.Close()
	for _, f := range z.File {
		if f.Name != "xl/sharedStrings.xml" && f.Name != "xl/worksheets/sheet1.xml" {
			continue
		}
		r, err := f.Open()
		if err != nil {
			continue
		}
		words = append(words, textOf(io.LimitReader(r, namesMost))...) // a bomb is read no further than that
		r.Close()
	}
	return words
}

// textOf lists the texts of <t> elements.
func textOf(r io.Reader) (out []string) {
	d := xml.NewDecoder(r)
	for in := false; ; {
		tok, err := d.Token()
		if err != nil {
			return out
		}
		switch x := tok.(type) {
		case xml.StartElement:
			in = x.Name.Local == "t"
		case xml.EndElement:
			in = false
		case xml.CharData:
			if in {
				out = append(out, strings.TrimSpace(string(x)))
			}
		}
	}
}
