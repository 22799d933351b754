package app

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/hub/release"
	"github.com/tillpost/tillpost/hub/store"
	"github.com/tillpost/tillpost/hub/upkeep"
	"github.com/tillpost/tillpost/hub/view"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
)

// backupOld is when a backup should be made again: stores keep what was confirmed for 30 days, and a day's loss is a day's work.
const backupOld = 36 * time.Hour

// doctor tries everything and reports.
func (c *cli) doctor(ctx context.Context) error {
	rep := Examine(ctx, c.file)
	if err := c.tell(rep, rep.Text); err != nil {
		return err
	}
	if !rep.Healthy() {
		return errQuiet
	}
	return nil
}

// Examine looks at everything that a hub's settings name: it changes nothing, and may run beside the service.
func Examine(ctx context.Context, file string) (r doctor.Report) {
	cfg, err := LoadConfig(file)
	if err != nil {
		r.Bad("settings", err.Error(), "The hub does not start with these.", "Correct the lines named; hub check-config tells when they are good.")
		return r
	}
	r.Good("settings", "%s is good", file)
	x := examination{Report: &r, cfg: cfg}
	r.Add(doctor.Disk("disk", cfg.DataDir, "what the stores sold"))
	if lock.Held(cfg.DataDir, program) {
		r.Good("service", "the hub runs")
	} else {
		r.Bad("service", "the hub does not run", "Nothing is posted, and the stores keep what they sell.", "Start the service tillpost-hub, or hub run.")
	}
	x.web(ctx)
	x.broker(ctx)
	x.enrolment(ctx)
	x.certificates()
	x.releases()
	x.zones()
	var s *store.Store
	if _, err := os.Stat(filepath.Join(cfg.DataDir, "hub.db")); err != nil {
		r.Warn("database", "there is none yet in "+cfg.DataDir, "The hub has never run with these settings.", "Start it: hub run.")
	} else if s, _, err = OpenStore(ctx, cfg); err != nil {
		r.Bad("database", err.Error(), "The hub does not start; the stores keep what they sell.", "Put the last backup back (hub restore), or have the disk looked at.")
	} else {
		defer s.Close() //nolint:errcheck // it was only read
		x.database(ctx, s)
	}
	x.odoo(ctx, s)
	return r
}

// examination is one doctor's visit.
type examination struct {
	*doctor.Report
	cfg Config
}

// web asks the pages as a browser on this machine would.
func (x *examination) web(ctx context.Context) {
	l := x.cfg.Web.Listen
	if err := doctor.Port(ctx, l); err != nil {
		if err := doctor.Free(ctx, l); err != nil {
			x.Bad("pages", "nothing answers at "+l+", and it cannot be listened at: "+err.Error(), "The hub does not start.", "Correct web.listen, or stop what holds the port.")
			return
		}
		x.Bad("pages", "nothing answers at "+l, "Nobody sees the pages; while the hub is down nothing is posted, and the stores keep what they sell.", "Start the hub.")
		return
	}
	scheme := "http"
	if x.cfg.Web.CertFile != "" {
		scheme = "https"
	}
	c := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS12}}} //nolint:gosec // it asks whether we are there, and sends nothing
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, scheme+"://"+l+"/login", nil)
	if err != nil {
		x.Bad("pages", err.Error(), "", "Correct web.listen.")
		return
	}
	resp, err := c.Do(req)
	if err != nil {
		x.Bad("pages", err.Error(), "Nobody sees the pages.", "Another program may hold "+l+": stop it, or choose another web.listen.")
		return
	}
	defer resp.Body.Close()
	page, _ := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if !strings.Contains(string(page), "Tillpost") {
		x.Bad("pages", "another program answers at "+l, "Nobody sees the pages, and the hub does not start.", "Stop it, or choose another web.listen.")
		return
	}
	x.Good("pages", "they answer at %s://%s", scheme, l)
}

func (x *examination) broker(ctx context.Context) {
	b := x.cfg.Broker
	means := "No store gets through; each keeps what it sells and sends it when this works again."
	addr := b.Listen
	if b.URL != "" {
		if u, err := url.Parse(b.URL); err == nil {
			addr = u.Host
		}
	}
	if err := doctor.Port(ctx, addr); err != nil {
		x.Bad("broker", err.Error(), means, map[bool]string{true: "Start the hub: the broker is part of it.", false: "Start the broker, or correct broker.url."}[b.URL == ""])
		return
	}
	x.Good("broker", "it answers at %s", addr)
	if b.Open {
		x.Warn("broker", "any program on this machine may send as any store", "That is for trials only.", "Set broker.open to false and give each device its password (hub device add).")
	}
}

// enrolment looks at the door where PCs enrol and renew.
func (x *examination) enrolment(ctx context.Context) {
	e := x.cfg.Enrol
	if !e.on() {
		return
	}
	if err := doctor.Port(ctx, e.Listen); err != nil {
		x.Bad("enrolment", err.Error(), "No PC can be enrolled, and none renews its certificate: those that have one go on until it ends.", "Start the hub, or correct enrol.listen.")
		return
	}
	x.Good("enrolment", "it answers at %s", e.Listen)
}

func (x *examination) certificates() {
	for what, file := range map[string]string{"certificate of the pages": x.cfg.Web.CertFile, "certificate of the broker": x.cfg.Broker.CertFile} {
		if file == "" {
			continue
		}
		ends, err := doctor.FileCertificate(file)
		if err != nil {
			x.Bad(what, err.Error(), "The hub does not start.", "Put the certificate there.")
			continue
		}
		x.Add(doctor.Expiry(what, file, ends, time.Now()))
	}
}

// releases looks how long the signed releases hold and whether the hub can go on signing them. Nothing of it stops a till or a posting.
func (x *examination) releases() {
	means := "No PC is updated; every store goes on selling, and days are posted as before."
	r := x.cfg.releases()
	if !r.Exists() {
		return
	}
	ends, err := r.Ends()
	if err != nil {
		x.Bad("releases", err.Error(), means, "Publish them again from the folder that was signed: hub release publish --from FOLDER.")
		return
	}
	if len(ends) == 0 {
		x.Warn("releases", "some are staged, and none was ever published", means, "Sign and publish them (CEREMONY.md), or take them back: hub release drop.")
		return
	}
	if _, err := release.OpenOnline(x.cfg.releaseKeys()); err != nil && !fault.Is(err, fault.NotFound) { // without keys another machine signs
		x.Bad("releases", err.Error(), means, "Put the keys back, or make new ones (CEREMONY.md, part 7).")
		return
	}
	list := upkeep.State{Signatures: signaturesOf(ends)}.Needs(time.Now())
	for _, n := range list {
		x.Warn("releases", fmt.Sprintf("%s (%s)", n.Title, n.Detail), n.Means, n.Do)
	}
	if len(list) == 0 {
		x.Good("releases", "what is in force holds until %s (%s)", ends[0].Ends.Local().Format(time.DateTime), ends[0].Role)
	}
}

// zones looks for the time zones' data: without it no business day begins or ends.
func (x *examination) zones() {
	for _, name := range []string{"America/New_York", "America/Los_Angeles", "Europe/London"} {
		if _, err := time.LoadLocation(name); err != nil {
			x.Bad("time zones", err.Error(), "Business days cannot be told.", "Install the system's time zone data (tzdata).")
			return
		}
	}
	x.Good("time zones", "they are known")
}

func (x *examination) database(ctx context.Context, s *store.Store) {
	word, err := s.Integrity(ctx)
	switch {
	case err != nil:
		x.Bad("database", err.Error(), "What the stores sold may not be readable.", "Stop the hub, keep its folder, and put the last backup back (hub restore).")
		return
	case word != "":
		x.Bad("database", "it is damaged: "+word, "What the stores sold may not be readable.", "Stop the hub, keep its folder, and put the last backup back (hub restore): the stores send again what is missing.")
	default:
		n, _ := s.CountEnvelopes(ctx)
		x.Good("database", "it is whole; %d records", n)
	}
	x.Add(doctor.SecretFile("hub.secret", filepath.Join(x.cfg.DataDir, "hub.secret")))
	x.backup(ctx, s)
	x.people(ctx, s)
	x.stores(ctx, s)
}

func (x *examination) backup(ctx context.Context, s *store.Store) {
	at, err := s.LastBackup(ctx)
	do := "Run hub backup FILE every day, and keep the file on another machine."
	switch {
	case err != nil:
		x.Bad("backup", err.Error(), "", do)
	case at.IsZero():
		x.Warn("backup", "none was ever made", "If this disk dies, what is posted stays in Odoo, and stores send again the last 30 days; what is older is lost.", do)
	case time.Since(at) > backupOld:
		x.Warn("backup", "the last one is of "+at.Local().Format(time.DateTime), "The longer ago, the more the stores must send again.", do)
	default:
		x.Good("backup", "the last one is of %s", at.Local().Format(time.DateTime))
	}
}

func (x *examination) people(ctx context.Context, s *store.Store) {
	us, err := s.Users(ctx)
	switch {
	case err != nil:
		x.Bad("users", err.Error(), "", "")
	case len(us) == 0:
		x.Bad("users", "there is no user", "Nobody can sign in to the pages.", "Make one: hub user add NAME --role admin.")
	default:
		x.Good("users", "%d may sign in", len(us))
	}
}

// stores looks at what the stores' agents told, and at what waits for a person.
func (x *examination) stores(ctx context.Context, s *store.Store) {
	ds, err := s.DeviceViews(ctx, "")
	if err != nil {
		x.Bad("stores", err.Error(), "", "")
		return
	}
	if len(ds) == 0 {
		x.Warn("stores", "no device is registered", "No store can send.", "Register one: hub device add NAME --location CODE.")
	} else {
		x.Good("stores", "%d devices are registered", len(ds))
	}
	cs, err := s.Connections(ctx)
	if err != nil {
		x.Bad("connections", err.Error(), "", "")
		return
	}
	for _, c := range cs {
		if c.Device != "" && c.State != breaker.Closed {
			x.Warn("connection "+string(c.Device)+" "+c.Name, fmt.Sprintf("%s: %s", c.State, c.Reason), "What it holds waits there.", "Run agent doctor on that PC.")
		}
	}
	if open, err := s.CaseViews(ctx, view.CaseFilter{}); err == nil && len(open) > 0 {
		x.Warn("cases", fmt.Sprintf("%d wait for a decision", len(open)), "", "See hub cases, or the pages.")
	}
}
