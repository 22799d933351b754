package settings

import (
	"testing"

	"github.com/pelletier/go-toml/v2"
)

func TestWhatIsWrittenIsReadBack(t *testing.T) {
	dir := "C:\\Exports \"old\"\n[hub]\nurl=\"evil\"\\"
	s := Sources{Location: "S-17", Zone: "America/Chicago",
		Folders:   []Folder{{"sales", dir, "*.csv", "heartland-retail-sales-history"}, {"all", "/srv/x", "", "p"}},
		Terminals: []Terminal{{"front", "192.168.1.50", "PINPAD-1"}}, Databases: []Database{{"cre", `POS\pcamerica`, "tillpost", "/etc/tillpost/cre.password"}}}
	var got struct {
		Hub    map[string]any
		Source struct {
			Filedrop []struct{ Name, Dir, Pattern, Profile, Location string }
			Terminal []struct{ Name, Address, Location, Till, Zone string }
			Possql   []map[string]any
		}
	}
	if err := toml.Unmarshal([]byte("device = \"x\"\n"+s.TOML()), &got); err != nil {
		t.Fatalf("%v\n%s", err, s.TOML())
	}
	if f := got.Source.Filedrop; len(f) != 2 || f[0].Dir != dir || f[0].Location != "S-17" || f[0].Pattern != "*.csv" || f[1].Pattern != "" || len(got.Hub) > 0 {
		t.Errorf("folders: %+v %v", f, got.Hub)
	}
	if x := got.Source.Terminal; len(x) != 1 || x[0].Zone != "America/Chicago" || x[0].Till != "PINPAD-1" {
		t.Errorf("terminals: %+v", x)
	}
	if x := got.Source.Possql; len(x) != 1 || x[0]["address"] != `POS\pcamerica` || x[0]["trust_certificate"] != true {
		t.Errorf("databases: %+v", x)
	}
	if Finished([]byte("device = \"x\"\n")) || !Finished([]byte(s.TOML())) || !Finished([]byte(Sources{}.TOML())) || !Finished([]byte("a = 1\n[source.localapi]\n")) {
		t.Error("finished is told wrongly")
	}
	if s.Empty() || !(Sources{Location: "S-17"}).Empty() {
		t.Error("empty is told wrongly")
	}
}

func TestNames(t *testing.T) {
	taken := map[string]bool{}
	for _, c := range [][2]string{{`C:\Exports\Daily Sales\`, "daily-sales"}, {"/srv/daily-sales", "daily-sales-2"}, {"Ünï", "n"}, {"/", "source"}} {
		if got := NameFor(c[0], taken); got != c[1] {
			t.Errorf("%s: got %s, want %s", c[0], got, c[1])
		}
	}
}
