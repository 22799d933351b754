package filedrop

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/shared/decode"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// maxTicketRows bounds a ticket: a file in which one number stands everywhere is broken, and its rows go in pieces that are listed.
const maxTicketRows = 5000

// content is a settled file, grouped: each ticket's rows together, wherever they stood.
type content struct {
	profile *profile.Profile
	name    string
	sha     string
	loc     retail.LocationCode
	stream  envelope.Stream
	read    time.Time
	header  []string
	groups  []group
	newest  map[retail.LocationCode]time.Time
	rows    int
}

// group is one ticket's rows, or one row that belongs to none.
type group struct {
	key  string
	note string
	rows []profile.Row
}

// errMoving says that a file changed while it was read: it is not settled, and is read again later.
var errMoving = fault.Msg(fault.Unavailable, "read file", "the file is still being written")

// load reads a file whole. The hash is of exactly the bytes that were read. Code unavailable: locked, or still being written.
func load(ctx context.Context, p *profile.Profile, path string, loc retail.LocationCode) (*content, error) {
	before, err := os.Stat(path)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read file", err)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read file", err)
	}
	defer f.Close()
	h := sha256.New()
	c := &content{profile: p, name: filepath.Base(path), loc: loc, read: time.Now(), newest: map[retail.LocationCode]time.Time{}}
	t, err := open(p, path, io.TeeReader(f, h))
	if err == nil {
		c.header = t.header
		if missing := p.Missing(t.header); len(missing) > 0 {
			err = fault.Msg(fault.Invalid, "read file", "it lacks the columns "+quoted(missing))
		} else {
			err = c.gather(ctx, t)
		}
	}
	if err != nil && !fault.Is(err, fault.Invalid) {
		return nil, err
	}
	if err != nil { // the whole file is kept as one listed thing
		c.groups = append(c.groups, group{note: reason(err), rows: []profile.Row{{N: 1, Cells: []string{}}}})
	}
	if _, err := io.Copy(h, f); err != nil {
		return nil, fault.New(fault.Unavailable, "read file", err)
	}
	after, err := os.Stat(path)
	if err != nil || after.Size() != before.Size() || !after.ModTime().Equal(before.ModTime()) {
		return nil, errMoving
	}
	c.sha = hex.EncodeToString(h.Sum(nil))
	return c, nil
}

// gather groups rows over the whole file, in the order in which tickets begin.
func (c *content) gather(ctx context.Context, t table) error {
	index, at := profile.Index(t.header), map[string]int{}
	return t.each(ctx, func(n int, cells []string, bad string) error {
		c.rows++
		row := profile.Row{N: n, Cells: cells}
		id := ""
		if bad == "" {
			id = c.profile.TicketID(index, cells)
		}
		if id == "" {
			if bad == "" {
				bad = "it has no ticket number"
			}
			c.groups = append(c.groups, group{note: bad, rows: []profile.Row{row}})
			return nil
		}
		i, known := at[id]
		if !known || len(c.groups[i].rows) >= maxTicketRows {
			i = len(c.groups)
			at[id] = i
			c.groups = append(c.groups, group{key: id})
		}
		c.groups[i].rows = append(c.groups[i].rows, row)
		return nil
	})
}

// draft makes the i-th group's record.
func (c *content) draft(i int) (d source.Draft, rec retail.Record, err error) {
	g := c.groups[i]
	rows := profile.Rows{Profile: c.profile.Name, File: c.name, SHA256: c.sha, Location: c.loc, Header: c.header, Rows: g.rows, Note: g.note}
	body, merr := json.Marshal(rows)
	if merr != nil {
		return d, nil, fault.New(fault.Internal, "write rows", merr)
	}
	d = source.Draft{Stream: c.stream, Location: c.loc, Kind: decode.Rows, Key: g.key, ContentType: "application/json", At: c.read, Body: body}
	rec, err = c.profile.Decode(rows)
	if t, ok := rec.(retail.Ticket); ok && err == nil {
		d.Location, d.Key = t.Location, t.Key.ID
		if t.At.After(c.newest[t.Location]) {
			c.newest[t.Location] = t.At
		}
		err = t.Validate(c.read)
	}
	return d, rec, err
}

// marks prove how far a file of whole days has brought each location.
func (c *content) marks(name string) (out []source.Draft, err error) {
	if !c.profile.Proof.WholeDays {
		return nil, nil
	}
	for l, at := range c.newest {
		body, err := json.Marshal(retail.ReadTo{Source: name, Location: l, Through: at.Add(24 * time.Hour), Profile: c.profile.Name})
		if err != nil {
			return nil, fault.New(fault.Internal, "write mark", err)
		}
		out = append(out, source.Draft{Stream: c.stream, Location: l, Kind: decode.ReadTo, ContentType: "application/json", At: c.read, Body: body})
	}
	return out, nil
}

// introduce sends an own profile ahead of the first rows that need it.
func (c *content) introduce() []source.Draft {
	if s, ok := profile.Shipped(c.profile.Name); ok && string(s.TOML()) == string(c.profile.TOML()) {
		return nil
	}
	return []source.Draft{{Stream: c.stream, Kind: decode.Profile, Key: c.profile.Name, ContentType: "application/toml", At: c.read, Body: c.profile.TOML()}}
}
