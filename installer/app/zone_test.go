package app

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tillpost/tillpost/installer/console"
	"github.com/tillpost/tillpost/installer/settings"
)

// TestTheZoneIsAskedForWhereTimesAreRead: where a till's database is read, the person confirms the store's time zone; a wrong word is asked again,
// and with folders alone nobody is troubled.
func TestTheZoneIsAskedForWhereTimesAreRead(t *testing.T) {
	for _, c := range []struct {
		take  settings.Sources
		says  string
		want  string
		asked int
	}{
		{settings.Sources{Databases: []settings.Database{{Name: "cre"}}}, "Chicago\nAmerica/Chicago\n", "America/Chicago", 2},
		{settings.Sources{Terminals: []settings.Terminal{{Name: "t"}}}, "Local\nPacific/Honolulu\n", "Pacific/Honolulu", 2},
		{settings.Sources{Folders: []settings.Folder{{Name: "f"}}}, "", "", 0},
	} {
		var out bytes.Buffer
		r := &run{sources: chosen{take: c.take}}
		err := console.New(strings.NewReader(c.says), &out).Ask([]console.Question{r.sources.askZone(r, func() bool { return false })})
		if err != nil || r.opt.zone != c.want || strings.Count(out.String(), "The store's time zone") != c.asked {
			t.Errorf("%+v: zone %q, %v\n%s", c.take, r.opt.zone, err, &out)
		}
	}
}
