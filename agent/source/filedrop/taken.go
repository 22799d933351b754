package filedrop

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"

	"github.com/tillpost/tillpost/shared/retail"
)

// taken says how much of a file was handed over: its rows up to Row, when they are still what Sum is the hash of. A till that adds to its
// file all day long would else have all of the day's tickets sent again with each sale. A file's last row is never among them: its end may
// have been half written, or a quote in it may go on.
type taken struct {
	Row int    `json:"r"`
	Sum string `json:"s"`
}

// trail follows a file's rows while they are read. The zero value follows nothing.
type trail struct {
	hash   hash.Hash
	row    int    // the last one in hash
	last   []byte // the row behind it, with its number
	next   int    // that number
	known  taken
	passed []byte // the hash at known.Row
}

// follow begins; known is what was handed over of an earlier state of the file, the zero value of none.
func follow(known taken) trail { return trail{hash: sha256.New(), known: known} }

// step goes on by one row.
func (t *trail) step(s span) {
	if t.hash == nil {
		return
	}
	if t.next > 0 {
		t.hash.Write(t.last)
		if t.row = t.next; t.row == t.known.Row {
			t.passed = t.hash.Sum(nil)
		}
	}
	t.next = s.row
	t.last = binary.AppendUvarint(binary.AppendUvarint(t.last[:0], uint64(s.row)), uint64(len(s.raw)))
	t.last = append(t.last, s.raw...)
}

// sign makes a Sum of rows' hash and of what makes them what they are: another profile or heading makes other records of the same rows.
func (c *content) sign(rows []byte) string {
	about, err := json.Marshal(struct {
		Profile     []byte
		Location    retail.LocationCode
		Header, Top []string
		Rows        []byte
	}{c.profile.TOML(), c.loc, c.header(), c.top(), rows})
	if err != nil {
		panic("BUG: what was taken of a file: " + err.Error())
	}
	sum := sha256.Sum256(about)
	return hex.EncodeToString(sum[:])
}

// taken is how much of the file was handed over, once all of it was.
func (c *content) taken() taken {
	if c.trail.hash == nil || c.trail.row == 0 || c.refused != "" {
		return taken{}
	}
	return taken{c.trail.row, c.sign(c.trail.hash.Sum(nil))}
}

// settleTaken finds out how much of the file was handed over when it was shorter.
func (c *content) settleTaken() {
	if t := &c.trail; t.passed != nil && c.sign(t.passed) == t.known.Sum {
		c.handed = t.known.Row
	}
}

// old reports whether a group was handed over as it is. Rows of a ticket that is too large to be one go again: it may have become so.
func (c *content) old(at []place, over bool) bool {
	for _, p := range at {
		if int(p.row)+p.rows-1 > c.handed {
			return false
		}
	}
	return !over
}
