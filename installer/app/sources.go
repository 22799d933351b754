package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/installer/console"
	"github.com/tillpost/tillpost/installer/find"
	"github.com/tillpost/tillpost/installer/machine"
	"github.com/tillpost/tillpost/installer/settings"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
)

const searchFor = 15 * time.Second // a slow disk must not keep a manager waiting

// chosen is what was found and what of it is taken.
type chosen struct {
	folders   []find.Folder
	instance  find.Instance
	terminals []netip.Addr

	take     settings.Sources
	password string // of the database
	how      int    // 1 what was found, 2 one by one, 3 none
}

func (r *run) search(ctx context.Context) {
	if r.opt.none || len(r.opt.folders) > 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, searchFor)
	defer cancel()
	r.sources.folders = find.Folders(ctx, find.Roots(r.opt.root), r.now())
	if r.opt.root != "" {
		return // a folder has no databases
	}
	for _, i := range find.Instances(ctx, "127.0.0.1") {
		if i.PCAmerica() {
			r.sources.instance = i
		}
	}
}

// accept takes what the command line names, else what was found outside of people's own folders: an export that somebody once saved among
// his downloads is proposed to a person, and never taken unasked.
func (c *chosen) accept(o options) error {
	for _, f := range o.folders {
		dir, prof, _ := strings.Cut(f, "=")
		if _, ok := profile.Shipped(prof); !ok {
			return fault.Msg(fault.Invalid, "--folder", fmt.Sprintf("there is no profile %s; these are shipped: %s", prof, strings.Join(profile.Names(), ", ")))
		}
		c.folder(find.Folder{Dir: dir, Profile: prof})
	}
	for _, f := range c.folders {
		if !personal(f.Dir) {
			c.folder(f)
		}
	}
	return nil
}

func personal(dir string) bool {
	for _, part := range strings.FieldsFunc(dir, func(r rune) bool { return r == '/' || r == '\\' }) {
		switch strings.ToLower(part) {
		case "downloads", "documents", "desktop", "users", "home":
			return true
		}
	}
	return false
}

func (c *chosen) folder(f find.Folder) {
	c.take.Folders = append(c.take.Folders, settings.Folder{Name: settings.NameFor(f.Dir, c.taken()), Dir: f.Dir, Pattern: f.Pattern, Profile: f.Profile})
}

func (c *chosen) taken() map[string]bool {
	m := map[string]bool{}
	for _, f := range c.take.Folders {
		m[f.Name] = true
	}
	return m
}

// questions are those about sources: one when the person takes what was found.
func (c *chosen) questions(ctx context.Context, r *run) []console.Question {
	found, first := "No folder with a till's exports was found on this PC.", "Install, and read the folders above (there is none)"
	if len(c.folders) > 0 {
		found, first = "These folders hold what your till exports:", "Install, and read the folders above"
		for _, f := range c.folders {
			found += fmt.Sprintf("\n  %s  (%d files, newest of %s)", f.Dir, f.Files, f.Newest.Format("2006-01-02"))
		}
	}
	if c.instance.Name != "" {
		found += "\npcAmerica's database answers on this PC: " + c.instance.Host + `\` + c.instance.Name + "; choose 2 to read it."
	}
	qs := []console.Question{{
		Text: "How shall tickets come in", Help: found + "\nTillpost only reads; it changes nothing of the till.",
		Choices: []string{first, "Let me choose, and look for card terminals", "Install without a source; head office sets them up"},
		Default: func() string {
			switch {
			case len(c.folders) > 0:
				return "1"
			case c.instance.Name != "":
				return "2"
			}
			return "3"
		},
		Take: func(a string) string {
			if number(a) == 1 && len(c.folders) == 0 {
				return "No such folder was found. 2 lets you name one, 3 leaves it to head office."
			}
			c.how, c.take = number(a), settings.Sources{}
			if c.how == 1 {
				for _, f := range c.folders {
					c.folder(f)
				}
			}
			return ""
		},
	}}
	oneByOne := func() bool { return c.how != 2 }
	for _, f := range c.folders {
		qs = append(qs, c.yes(fmt.Sprintf("Read %s as %s? (y/n)", f.Dir, f.Profile), "y", oneByOne, func(yes bool) { c.set(f, yes) }))
	}
	qs = append(qs, c.otherFolder(oneByOne))
	qs = append(qs, c.database(oneByOne)...)
	return append(qs, c.askTerminals(ctx, r, oneByOne), c.askZone(r, oneByOne))
}

func (c *chosen) yes(text, enter string, skip func() bool, take func(bool)) console.Question {
	return console.Question{Text: text, Default: func() string { return enter }, Skip: skip, Take: func(a string) string {
		yes := false
		p := console.YesNo(a, &yes)
		if p == "" {
			take(yes)
		}
		return p
	}}
}

// set takes a folder or drops it again, when the person came back to the question.
func (c *chosen) set(f find.Folder, yes bool) {
	var keep []settings.Folder
	for _, k := range c.take.Folders {
		if k.Dir != f.Dir || k.Profile != f.Profile {
			keep = append(keep, k)
		}
	}
	if c.take.Folders = keep; yes {
		c.folder(f)
	}
}

func (c *chosen) otherFolder(skip func() bool) console.Question {
	return console.Question{
		Text: "Another folder, as FOLDER=PROFILE, or Enter for none", Skip: skip, Help: "Profiles: " + strings.Join(profile.Names(), ", "),
		Take: func(a string) string {
			if a == "" {
				return ""
			}
			dir, prof, ok := strings.Cut(a, "=")
			if _, known := profile.Shipped(prof); !ok || !known || !filepath.IsAbs(dir) {
				return "Please type a whole path, =, and one of the profiles above; or press Enter."
			}
			if st, err := os.Stat(dir); err != nil || !st.IsDir() {
				return "There is no folder " + dir + "."
			}
			c.set(find.Folder{Dir: dir, Profile: prof}, true)
			return ""
		},
	}
}

func (c *chosen) database(oneByOne func() bool) []console.Question {
	wanted := false
	not := func() bool { return oneByOne() || c.instance.Name == "" }
	user := func() bool { return not() || !wanted }
	d := settings.Database{Name: "cre"}
	return []console.Question{
		c.yes("Read pcAmerica's database? (y/n)", "n", not, func(yes bool) {
			wanted, c.take.Databases = yes, nil
			d.Address = c.instance.Host + `\` + c.instance.Name
		}),
		{Text: "Its user that may only read (SELECT)", Default: func() string { return "tillpost" }, Skip: user, Take: func(a string) string { d.User = a; return "" }},
		{Text: "That user's password (it is shown while you type)", Skip: user, Take: func(a string) string {
			if a == "" {
				return "It is needed."
			}
			c.password, c.take.Databases = a, []settings.Database{d}
			return ""
		}},
	}
}

func (c *chosen) askTerminals(ctx context.Context, r *run, skip func() bool) console.Question {
	return c.yes("Look for card terminals on this store's network? Better not while customers pay. (y/n)", "n", skip, func(yes bool) {
		c.take.Terminals = nil
		if !yes {
			return
		}
		c.terminals = find.Terminals(ctx, find.Networks(), find.UPAPort)
		for i, a := range c.terminals {
			name := fmt.Sprintf("terminal-%d", i+1)
			c.take.Terminals = append(c.take.Terminals, settings.Terminal{Name: name, Address: a.String(), Till: strings.ToUpper(name)})
			r.con.Say("  %s answers like a card terminal; it is asked in the night.", a)
		}
		if len(c.terminals) == 0 {
			r.con.Say("  None answers.")
		}
	})
}

// zone is the store's: named, or this PC's; "" = neither is known.
func (r *run) zone() string {
	if r.opt.zone != "" {
		return r.opt.zone
	}
	return machine.Zone()
}

// askZone asks where clock times without a zone are read: by a wrong one, sales around midnight would stand on another day.
func (c *chosen) askZone(r *run, skip func() bool) console.Question {
	return console.Question{
		Text: "The store's time zone", Help: "The till's times are read in it, such as America/Chicago or America/Los_Angeles.", Default: r.zone,
		Skip: func() bool { return skip() || len(c.take.Databases)+len(c.take.Terminals) == 0 },
		Take: func(a string) string {
			if _, err := time.LoadLocation(a); err != nil || a == "" || a == "Local" {
				return "Please type it like America/Chicago."
			}
			r.opt.zone = a
			return ""
		},
	}
}

// secret writes a file that only the administrator, and later the service, can read.
func secret(path, text string) error {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text + "\n")
	return errors.Join(err, f.Sync(), f.Close())
}
