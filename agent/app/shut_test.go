package app

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/doctor"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/health"
)

// A folder that a person opens and the service's account may not is told as just that, with the command that lets it in, at once: whoever installs
// is still there.
func TestAFolderThatIsShutIsToldWithItsCommand(t *testing.T) {
	a, dir := &App{}, t.TempDir()
	trouble := a.trouble(filedrop.New("drop", filedrop.Folder{Dir: dir}))
	trouble(capture.Reading, fault.New(fault.Unavailable, "look into "+dir, &fs.PathError{Op: "open", Path: dir, Err: fs.ErrPermission}))
	got := a.Health.Report(time.Now())
	if len(got) != 1 || got[0].Code != "source_shut:filedrop/drop" || !strings.Contains(got[0].Detail, "To let it in: ") || !strings.Contains(got[0].Detail, dir) {
		t.Fatalf("shut: %+v", got)
	}
	trouble(capture.Reading, errors.New("the share is away"))
	if got := a.Health.Report(time.Now().Add(time.Hour)); len(got) != 1 || got[0].Code != "source:filedrop/drop" || strings.Contains(got[0].Detail, "To let it in") {
		t.Errorf("away: %+v", got)
	}
	if trouble(capture.Reading, nil); len(a.Health.Report(time.Now().Add(time.Hour))) != 0 {
		t.Error("it is told after it was mended")
	}
}

func TestTheCommandThatLetsTheServiceIn(t *testing.T) {
	passes := func(dir string) bool { return dir == "/" || dir == "/home" }
	want := `sudo setfacl -m u:tillpost-agent:x '/home/zoë' && sudo setfacl -R -m u:tillpost-agent:rX,d:u:tillpost-agent:rX '/home/zoë/it'\''s here'`
	if got := letInUnix("tillpost-agent", "/home/zoë/it's here", passes); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	if got := letInWindows(`NT SERVICE\tillpost-agent`, `C:\My Exports`); got != `icacls "C:\My Exports" /grant "NT SERVICE\tillpost-agent:(OI)(CI)RX"` {
		t.Error(got)
	}
	if got := letInWindows(`NT SERVICE\tillpost-agent`, `\\server\exports`); strings.Contains(got, "icacls") || !strings.Contains(got, "on the server") {
		t.Error(got)
	}
}

// The doctor is asked by an administrator, who may open what the service may not: he does not call the folder good beside the service's own word.
func TestTheDoctorDoesNotContradictTheService(t *testing.T) {
	x := examination{Report: &doctor.Report{}}
	x.cfg.Source.FileDrop = []FileDropConfig{{Name: "drop", Dir: t.TempDir(), Profile: "supermarket"}}
	if x.folders(Status{}); len(x.Findings) != 1 {
		t.Fatalf("%+v", x.Findings)
	}
	if x.folders(Status{Health: []health.Status{{Code: "source_shut:filedrop/drop"}}}); len(x.Findings) != 1 {
		t.Errorf("%+v", x.Findings)
	}
}

// An address that another program has is not called this PC's page, and the manager is told so; nothing else waits for it.
func TestAPageWhosePortIsTaken(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	a := &App{log: Logger(discard{}, "error")}
	a.Config.Status.Listen = l.Addr().String()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- a.servePage(ctx) }()
	told := func() []health.Status { return a.Health.Report(time.Now()) }
	await(t, func() bool { return len(told()) == 1 })
	if got := told()[0]; got.Code != "page_shut" || got.Severity != "low" || !strings.Contains(got.Detail, a.Config.Status.Listen) || a.page.Load() {
		t.Errorf("taken: %+v, page %v", got, a.page.Load())
	}
	cancel()
	<-done
	l.Close()
	go func() { done <- a.servePage(t.Context()) }()
	await(t, a.page.Load)
	if len(told()) != 0 {
		t.Errorf("open: %+v", told())
	}
}

func await(t *testing.T, is func() bool) {
	t.Helper()
	for until := time.Now().Add(10 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(until) {
			t.Fatal("it does not come")
		}
	}
}
