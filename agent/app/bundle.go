package app

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tillpost/tillpost/shared/config"
	"github.com/tillpost/tillpost/shared/crash"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/version"
)

// bundleLog is how much of the log goes along: some days of an ordinary store.
const bundleLog = 4 << 20

// bundleCommand is `agent support-bundle`.
func (c *cli) bundleCommand() *cobra.Command {
	return &cobra.Command{Use: "support-bundle [FILE]", Short: "put everything that helps IT into one file: no secret, no ticket, no customer is in it", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.bundle(cmd.Context(), args) }}
}

func (c *cli) bundle(ctx context.Context, args []string) error {
	path := "tillpost-support-" + time.Now().Format("20060102-150405") + ".zip"
	if len(args) > 0 {
		path = args[0]
	}
	f, err := output(path)
	if err != nil {
		return err
	}
	err = c.writeBundle(ctx, f)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(path)
		return fault.New(fault.Internal, "write the support bundle", err)
	}
	return c.tell(nil, map[string]string{"file": path}, "Written to "+path+". It holds settings, status, log and crash reports, and no secret, no ticket and no customer: it may be sent to head office's IT.\n")
}

// writeBundle leaves out what cannot be had, and says so in its place: a PC in trouble is the one that needs it.
func (c *cli) writeBundle(ctx context.Context, to io.Writer) error {
	cfg, cerr := LoadConfig(c.file)
	b := bundle{z: zip.NewWriter(to), wash: newWash(cfg), now: time.Now()}
	b.text("about.txt", fmt.Sprintf("agent %s, %s, %s/%s, %s\n", version.String(), runtime.Version(), runtime.GOOS, runtime.GOARCH, b.now.UTC().Format(time.RFC3339)), nil)
	settings, err := config.Print(cfg)
	b.text("settings.toml", string(settings), err)
	b.text("settings-faults.txt", text(cerr), nil)
	st := Status{Device: cfg.Device, Version: version.String()}
	if _, err := ask(ctx, cfg.DataDir, "status", &st); err != nil {
		b.text("status-fault.txt", err.Error(), nil)
	}
	b.json("status.json", st)
	b.json("doctor.json", Examine(ctx, c.file))
	b.text("files.txt", listing(cfg.DataDir), nil)
	for _, f := range logFile(cfg.DataDir).Files() {
		if b.logged < bundleLog {
			said, err := end(f, bundleLog-b.logged)
			b.logged += int64(len(said))
			b.text("log/"+filepath.Base(f), logLines(b.wash.clean(said)), err) // before a secret is cut in pieces
		}
	}
	for _, f := range crash.Files(crashDir(cfg.DataDir)) {
		said, err := os.ReadFile(f)
		b.text("crash/"+filepath.Base(f), string(said), err)
	}
	if b.err == nil {
		b.err = b.z.Close()
	}
	return b.err
}

// bundle is a support bundle that is being written; everything goes through the wash.
type bundle struct {
	z      *zip.Writer
	wash   wash
	now    time.Time
	logged int64
	err    error
}

func (b *bundle) text(name, body string, err error) {
	if err != nil {
		body += "\n(cannot be had: " + err.Error() + ")\n"
	}
	if b.err != nil || body == "" {
		return
	}
	w, err := b.z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate, Modified: b.now})
	if err == nil {
		_, err = io.WriteString(w, b.wash.clean(body))
	}
	b.err = err
}

func (b *bundle) json(name string, v any) {
	body, err := json.MarshalIndent(v, "", "  ")
	b.text(name, string(body), err)
}

// listing tells what stands in the data folder: names of ours and sizes, nothing of what is in the files.
func listing(dir string) string {
	var b strings.Builder
	_ = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			fmt.Fprintf(&b, "%v\n", err)
			return nil
		}
		rel, _ := filepath.Rel(dir, path)
		if st, err := d.Info(); err == nil && b.Len() < 1<<20 {
			fmt.Fprintf(&b, "%s %12d %s %s\n", st.Mode(), st.Size(), st.ModTime().UTC().Format(time.RFC3339), rel)
		}
		return nil
	})
	return b.String()
}

// end is a file's last lines, at most n bytes of them.
func end(path string, n int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if st, err := f.Stat(); err == nil && st.Size() > n {
		if _, err := f.Seek(-n, io.SeekEnd); err != nil {
			return "", err
		}
	}
	b, err := io.ReadAll(io.LimitReader(f, n))
	if int64(len(b)) == n {
		_, after, _ := bytes.Cut(b, []byte("\n"))
		b = after
	}
	return string(b), err
}
