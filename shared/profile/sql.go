package profile

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/tillpost/tillpost/shared/config"
)

// SQL says how a till's own database is read. Another database is another profile.
type SQL struct {
	Driver string `toml:"driver"` // sqlserver, sqlite3
	// Rows is the one query. Its columns are the profile's; it is given @from and @to as text, "2006-01-02T15:04:05" by the clock of the
	// tills, and returns the rows of all tickets of that time, a ticket's rows one after another. A number must come as text, whole number
	// or decimal: one that comes as floating point is refused, so the query casts it.
	Rows string `toml:"rows"`
	// Recent is how many days back tickets are compared all day long: tips, edits and voids after the fact happen there. 0 = 2.
	Recent int `toml:"recent_days"`
	// Old is how many days back they are compared once a night. 0 = 35.
	Old int `toml:"old_days"`
}

// SQLDrivers are the databases that can be read.
var SQLDrivers = []string{"sqlserver", "sqlite3"}

func (s *SQL) check(format string, f *config.Faults) {
	if format != "sql" {
		if *s != (SQL{}) {
			f.Add("sql: it belongs to format sql only")
		}
		return
	}
	if !slices.Contains(SQLDrivers, s.Driver) {
		f.Add("sql.driver: %q is not one of %s", s.Driver, strings.Join(SQLDrivers, ", "))
	}
	if !strings.Contains(s.Rows, "@from") || !strings.Contains(s.Rows, "@to") {
		f.Add("sql.rows: the query must bound the time by @from and @to")
	}
	if s.Recent < 0 || s.Old < 0 || s.Recent > 7 || s.Old > 370 {
		f.Add("sql: recent_days goes to 7, old_days to 370")
	}
	if s.Recent == 0 {
		s.Recent = 2
	}
	if s.Old == 0 {
		s.Old = 35
	}
}

// zoneCache keeps zones: a file asks for the same one with every ticket.
type zoneCache struct{ kept sync.Map }

var zones zoneCache

func (c *zoneCache) get(name string) (*time.Location, error) {
	if z, ok := c.kept.Load(name); ok {
		return z.(*time.Location), nil
	}
	z, err := time.LoadLocation(name)
	if err == nil {
		c.kept.Store(name, z)
	}
	return z, err
}
