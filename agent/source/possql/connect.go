package possql

import (
	"context"
	"database/sql"
	"errors"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "github.com/mattn/go-sqlite3" // the driver
	mssql "github.com/microsoft/go-mssqldb"

	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/mode"
)

const (
	dialWait  = 5 * time.Second
	queryWait = 60 * time.Second // a day of a busy store takes a second; beyond a minute something is wrong with the query
	// lockWait is how long we wait for a till that writes; then the look is given up and comes again.
	lockWait = "2000"
	// maxRows bounds one look. A day of 3,000 tickets of six lines is 18,000 rows.
	maxRows = 100_000
	// maxCell bounds one value: descriptions are short, and a blob is no part of a ticket.
	maxCell = 64 << 10
)

// Server is how a till's database is reached.
type Server struct {
	Address  string // HOST, HOST\INSTANCE or HOST:PORT; a file for sqlite3
	Database string
	User     string // "" = the account under which the agent runs (Windows)
	Trust    bool   // take the server's certificate unseen
	Password func() (string, error)
}

// open makes the connection's settings; nothing is dialled yet. The password is read now, so that a changed file counts at the next open.
func (s Server) open(driver string) (*sql.DB, error) {
	if driver == "sqlite3" {
		path := filepath.ToSlash(s.Address)
		return sql.Open("sqlite3", "file:"+(&url.URL{Path: path}).EscapedPath()+"?mode=ro&_query_only=1&_busy_timeout="+lockWait)
	}
	password := ""
	if s.Password != nil {
		var err error
		if password, err = s.Password(); err != nil {
			return nil, breaker.Refuse(err)
		}
	}
	host, instance, _ := strings.Cut(s.Address, `\`)
	q := url.Values{"database": {s.Database}, "app name": {"tillpost"}, "ApplicationIntent": {"ReadOnly"}, "dial timeout": {"5"}, "connection timeout": {"90"}, "encrypt": {"true"},
		"TLSMin": {"1.2"}}
	if s.Trust || mode.Loopback(hostOf(host)) {
		q.Set("TrustServerCertificate", "true")
	}
	u := url.URL{Scheme: "sqlserver", Host: host, Path: instance, RawQuery: q.Encode()}
	if s.User != "" {
		u.User = url.UserPassword(s.User, password)
	}
	return sql.Open("sqlserver", u.String())
}

func hostOf(s string) string {
	if u, err := url.Parse("x://" + s); err == nil {
		return u.Hostname()
	}
	return s
}

// prepare makes a session that never stands in a till's way: it reads only what is committed, waits for a lock no longer than two seconds,
// and is the one that loses when the server must choose.
var prepare = map[string]string{
	"sqlserver": "SET TRANSACTION ISOLATION LEVEL READ COMMITTED; SET LOCK_TIMEOUT " + lockWait + "; SET DEADLOCK_PRIORITY LOW",
}

// login are SQL Server's numbers for a refusal that no repetition mends: login, password, account, database, right.
var login = map[int32]string{
	18456: "the server refuses the user or password", 18452: "the server does not take this login", 18470: "the account is disabled", 18487: "the password has expired",
	18488: "the password must be changed", 4060: "the database cannot be opened by this user", 916: "the user has no access to the database", 229: "the user may not read a table that the profile needs",
	230: "the user may not read a column that the profile needs", 208: "the database lacks a table that the profile reads", 207: "the database lacks a column that the profile reads",
}

// classify says whether a later try can help. A refusal names what a person must mend.
func classify(err error) error {
	if err == nil || fault.CodeOf(err) != fault.Internal {
		return err
	}
	var m mssql.Error
	if errors.As(err, &m) {
		if words, permanent := login[m.Number]; permanent {
			return breaker.Refuse(fault.Msg(fault.Invalid, "read the till's database", words+": "+m.Message))
		}
	}
	for _, words := range []string{"no such table", "no such column", "syntax error", "x509:", "certificate"} {
		if strings.Contains(err.Error(), words) {
			return breaker.Refuse(fault.New(fault.Invalid, "read the till's database", err))
		}
	}
	return fault.New(fault.Unavailable, "read the till's database", err)
}

// Check tries the connection as the source uses it: login, and one look at the last hour. Errors as classify says.
func (d *Database) Check(ctx context.Context) error {
	now := d.o.Now()
	_, err := d.query(ctx, now.Add(-time.Hour), now)
	return err
}
