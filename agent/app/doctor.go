package app

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/agent/uplink"
	"github.com/tillpost/tillpost/agent/words"
	"github.com/tillpost/tillpost/shared/breaker"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/health"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/version"
)

// doctor tries everything and reports.
func (c *cli) doctor(ctx context.Context, _ []string) error {
	rep := Examine(ctx, c.file)
	if c.json {
		if err := c.tell(nil, rep, ""); err != nil {
			return err
		}
	} else {
		rep.Text(c.out)
	}
	if !rep.Healthy() {
		return errQuiet
	}
	return nil
}

// Examine looks at everything that an agent's settings name: it changes nothing, and may run beside the service.
func Examine(ctx context.Context, file string) (r doctor.Report) {
	cfg, err := LoadConfig(file)
	if err != nil {
		r.Bad("settings", err.Error(), "The service does not start with these.", "Correct the lines named; agent check-config tells when they are good.")
		return r
	}
	r.Good("settings", "%s is good", file)
	x := examination{Report: &r, cfg: cfg}
	st := Status{}
	x.running, _ = ask(ctx, cfg.DataDir, "status", &st)
	r.Add(doctor.Disk("disk", cfg.DataDir, "tickets that wait for head office"))
	x.reserve()
	x.service(st)
	x.hub(ctx, st)
	x.clock(st)
	x.door(ctx)
	x.profiles()
	x.folders(st)
	x.secrets()
	x.connections(ctx)
	return r
}

// examination is one doctor's visit.
type examination struct {
	*doctor.Report
	cfg     Config
	running bool
}

func (x *examination) reserve() {
	_, err := os.Stat(filepath.Join(x.cfg.DataDir, "reserve"))
	if _, berr := os.Stat(x.cfg.DataDir); err != nil && berr == nil && x.running {
		x.Warn("reserve", "the reserve file is not there: the disk was full, or is", "Confirmations of head office may find no room.", "Make room on the disk; the file is made again at the next start.")
	}
}

func (x *examination) service(st Status) {
	switch {
	case !x.running:
		x.Bad("service", "the agent is not running", "Nothing is lost, but nothing is captured or sent either.", "Start the service tillpost-agent.")
	case st.Version != version.String() && (st.Update == nil || st.Update.Installed != version.String()):
		x.Warn("service", fmt.Sprintf("it runs version %s, this command is %s", st.Version, version.String()), "", "Restart the service.")
	default:
		x.Good("service", "it runs since %s; %d records wait for head office", st.Started.Format(time.DateTime), st.Waiting)
	}
	if u := st.Update; u != nil && (u.Last != nil || u.Phase != "") {
		switch say := updateWords(*u, words.English); {
		case u.Phase == "" && u.Last.Result != update.Committed:
			x.Warn("version", say, "What is sold is kept and sent by version "+st.Version+".", "Nothing here: head office sees it and sends another version.")
		default:
			x.Good("version", "%s", say)
		}
	}
	for _, h := range st.Health {
		f := doctor.Finding{What: "service", State: doctor.Warn, Found: h.Title + ": " + h.Detail, Means: h.Meaning, Do: h.Do}
		if h.Severity == "high" {
			f.State = doctor.Bad
		}
		x.Add(f)
	}
}

// hub tries the line to head office by itself, beside the service's own.
func (x *examination) hub(ctx context.Context, st Status) {
	h := x.cfg.Hub
	means := "What is sold waits on this PC and goes out by itself when the line is back."
	u, err := url.Parse(h.URL)
	if err != nil {
		return // the settings were checked
	}
	if u.Scheme == "mqtts" && !x.cfg.Enrolled {
		if ends, err := doctor.ServerCertificate(ctx, u.Host, u.Hostname()); err == nil {
			x.Add(doctor.Expiry("hub certificate", "the hub", ends, time.Now()))
		}
	}
	x.certificate()
	o, err := lineOf(x.cfg)
	if err != nil {
		x.Bad("hub", err.Error(), means, "Put the device's password there (hub device add), or enrol this PC (agent enrol).")
		return
	}
	state, err := uplink.Try(ctx, o)
	switch {
	case err != nil:
		x.Bad("hub", err.Error(), means, hubAdvice(err.Error()))
	case !state.Online:
		x.Bad("hub", "the broker at "+u.Host+" answers, and no hub is behind it", means, "Have head office's IT start the hub.")
	case h.ID != "" && h.ID != state.Hub:
		x.Bad("hub", fmt.Sprintf("hub %s answers at %s, the settings name %s", state.Hub, u.Host, h.ID), "Nothing is sent to another hub.", "Correct hub.url or hub.id.")
	case st.Hub != "" && st.Hub != state.Hub:
		x.Bad("hub", fmt.Sprintf("hub %s answers at %s, this PC's tickets belong to %s", state.Hub, u.Host, st.Hub), "Nothing is sent to another hub.", "Correct hub.url, or give this agent a new data_dir.")
	case x.running && !st.Connected:
		x.Warn("hub", "it answers the doctor, and the service is not connected at this moment", means, "Look again in a minute.")
	default:
		x.Good("hub", "%s answers at %s, up since %s", state.Hub, u.Host, state.Since.Local().Format(time.DateTime))
	}
}

// hubAdvice words what to do about the commonest errors of a line.
func hubAdvice(err string) string {
	low := strings.ToLower(err)
	switch {
	case strings.Contains(low, "not authori") || strings.Contains(low, "bad user name or password"):
		return "The hub refuses this device: an enrolled PC needs a new code (hub device code), one with a password its right name and password (hub device add)."
	case strings.Contains(low, "certificate") || strings.Contains(low, "x509"):
		return "This PC does not trust the hub's certificate: name its authority in hub.ca_file, or have the certificate renewed."
	case strings.Contains(low, "no such host"):
		return "The hub's name is not known here: check hub.url and this PC's name server."
	case strings.Contains(low, "refused"):
		return "Nobody listens there: check hub.url's port, and that the hub runs."
	}
	return "Check this PC's internet connection and firewall; the hub's port must be open from here."
}

func (x *examination) clock(st Status) {
	if st.Clock == nil {
		if x.running {
			x.Warn("clock", "head office has not told its time yet", "", "Look again when the line is up.")
		}
		return
	}
	x.Add(doctor.Clock("clock", "head office's", *st.Clock))
}

// door looks at the port that tills push to.
func (x *examination) door(ctx context.Context) {
	l := x.cfg.Source.LocalAPI.Listen
	if l == "" {
		return
	}
	if x.running {
		if err := doctor.Port(ctx, l); err != nil {
			x.Bad("local API", err.Error(), "Tills that push cannot hand in tickets; they keep them.", "Restart the service; its log tells why.")
			return
		}
		x.Good("local API", "it listens at %s", l)
		return
	}
	if err := doctor.Free(ctx, l); err != nil {
		x.Bad("local API", "another program uses "+l+": "+err.Error(), "The service will not start.", "Stop that program, or choose another port in source.localapi.listen.")
	}
}

// profiles reads every own profile.
func (x *examination) profiles() {
	files, _ := filepath.Glob(filepath.Join(x.cfg.Profiles.Dir, "*.toml"))
	if x.cfg.Profiles.Dir == "" {
		return
	}
	if len(files) == 0 {
		x.Warn("profiles", "there is no profile in "+x.cfg.Profiles.Dir, "Only the shipped ones can be used.", "Correct profiles.dir if own ones should be there.")
	}
	for _, f := range files {
		body, err := os.ReadFile(f)
		if err == nil {
			_, err = profile.Parse(body)
		}
		if err != nil {
			x.Bad("profile "+filepath.Base(f), err.Error(), "Sources that use it do not start.", "Correct the lines named.")
		} else {
			x.Good("profile "+filepath.Base(f), "it can be used")
		}
	}
}

// folders looks at what tills drop files into. Who asks the doctor may open what the service may not: where that has told of its trouble, what is
// seen here says nothing.
func (x *examination) folders(st Status) {
	for _, d := range x.cfg.Source.FileDrop {
		if slices.ContainsFunc(st.Health, func(h health.Status) bool {
			_, of, _ := strings.Cut(h.Code, ":")
			return of == "filedrop/"+d.Name
		}) {
			continue
		}
		what := "folder " + d.Name
		if p, err := x.cfg.Profiles.find(d.Profile); err != nil {
			x.Bad(what, err.Error(), "Its files wait where they are.", "Correct the profile's name.")
		} else if p.Format == "sql" {
			x.Bad(what, "profile "+d.Profile+" reads a database, not files", "The service does not start.", "Choose a profile for files.")
		}
		es, err := os.ReadDir(d.Dir)
		if err != nil {
			x.Bad(what, err.Error(), "Tickets in it wait where they are.", "Check that the folder exists and that the service's account may open it; a network drive's letter is not known to a service, its \\\\server\\share is.")
			continue
		}
		n, newest := 0, time.Time{}
		for _, e := range es {
			info, err := e.Info()
			if err != nil || e.IsDir() {
				continue
			}
			if ok, _ := filepath.Match(strings.ToLower(d.Pattern), strings.ToLower(e.Name())); d.Pattern != "" && !ok {
				continue
			}
			if !info.Mode().IsRegular() {
				x.Warn(what, e.Name()+" is no file but a link or a device", "It is not read.", "Put the file itself there, or name its own folder in the settings.")
				continue
			}
			if f, err := os.Open(filepath.Join(d.Dir, e.Name())); err != nil {
				x.Bad(what, err.Error(), "The tickets in this file wait.", "Give the service's account the right to read it.")
			} else {
				f.Close()
			}
			if n++; info.ModTime().After(newest) {
				newest = info.ModTime()
			}
		}
		if n == 0 {
			x.Warn(what, "there is no file in "+d.Dir+" that fits", "No ticket comes from it.", "Check folder and pattern, and that the till exports there.")
			continue
		}
		x.Good(what, "%d files, the newest of %s", n, newest.Format(time.DateTime))
	}
}

func (x *examination) secrets() {
	if f := x.cfg.Hub.PasswordFile; f != "" {
		x.Add(doctor.SecretFile("hub password", f))
	}
	if f := x.cfg.Source.LocalAPI.TokenFile; f != "" {
		x.Add(doctor.SecretFile("local API token", f))
	}
	for _, d := range x.cfg.Source.PosSQL {
		if d.Password != "" {
			x.Add(doctor.SecretFile("password of possql/"+d.Name, d.Password))
		}
	}
	for _, p := range x.cfg.Source.Portico {
		for _, f := range p.secrets() {
			x.Add(doctor.SecretFile("key of portico/"+p.Name, f))
		}
	}
	for _, g := range x.cfg.Source.GPAPI {
		x.Add(doctor.SecretFile("key of gpapi/"+g.Name, g.KeyFile))
	}
	for _, r := range x.cfg.Source.Retail {
		x.Add(doctor.SecretFile("token of retail/"+r.Tenant, r.TokenFile))
	}
}

// noSecret is for sources that are only tried: no ticket goes through them.
func noSecret(Config) ([]byte, error) { return nil, nil }

// connections tries each of them by itself, as the service does.
func (x *examination) connections(ctx context.Context) {
	a := &App{Config: x.cfg, log: Logger(discard{}, "error")}
	if err := a.openSources(noSecret); err != nil {
		x.Bad("sources", err.Error(), "The service does not start.", "Correct the settings.")
		return
	}
	if err := a.unmixed(); err != nil {
		x.Bad("connections", err.Error(), "The service does not start: test sales would stand in the books.", "Correct the key or address.")
	}
	for _, c := range a.connections {
		s := c.now()
		if c.check == nil {
			continue
		}
		within, cancel := context.WithTimeout(ctx, time.Minute)
		err := c.check(within)
		cancel()
		switch {
		case err == nil:
			x.Good(s.Name, "it answers (%s)", s.Mode)
		case breaker.IsRefusal(err):
			x.Bad(s.Name, err.Error(), "Nothing comes from it until that is mended; what it holds waits there.", "Renew the key or give the right named, then: agent connection retry "+s.Name)
		default:
			x.Bad(s.Name, err.Error(), "What it holds waits there and comes by itself when it answers.", "See that it is switched on, connected, and that its address is right"+portAdvice(err)+".")
		}
	}
}

func portAdvice(err error) string {
	if strings.Contains(err.Error(), "refused") {
		return "; nobody listens at that port"
	}
	if _, ok := err.(net.Error); ok {
		return "; a firewall may stand between"
	}
	return ""
}

// discard is a log that nobody reads.
type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
