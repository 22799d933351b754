package slots

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"github.com/tillpost/tillpost/agent/update"
	"github.com/tillpost/tillpost/shared/fault"
)

// Store is the folder of versions.
type Store struct {
	Files
	Folders
	Syncs
	Dir string // …/versions
	Exe string // ".exe" on Windows
	// Prepare writes src beside target as a program of its own, .NAME.new, after it has proven that it is what sum says; nothing is synced yet.
	Prepare func(src io.Reader, target string, sum []byte) error
}

// At is the store below an agent's data folder.
func At(data string) Store {
	return Store{Files: OS{}, Folders: OS{}, Syncs: OS{}, Dir: filepath.Join(data, "versions"), Exe: Exe, Prepare: prepare}
}

const (
	currentFile = "current"
	planFile    = "plan.json"
	watchFile   = "watch.json"
	download    = "download"
)

// Path is where a release's program lies. The installed one has none here.
func (s Store) Path(r update.Release) string {
	if r.Installed() {
		return ""
	}
	return filepath.Join(s.folder(r), "agent"+s.Exe)
}

// folder is named by the version, for people, and by what is in it: another program under an old number is another slot.
func (s Store) folder(r update.Release) string {
	return filepath.Join(s.Dir, "v"+strings.TrimPrefix(clean(r.Version), "v")+"-"+r.SHA256[:min(12, len(r.SHA256))])
}

// clean keeps a version's name from leaving the folder.
func clean(v string) string {
	return strings.Map(func(c rune) rune {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '.' || c == '-' || c == '+' {
			return c
		}
		return '_'
	}, v)
}

// Download is where a release's bytes are fetched to.
func (s Store) Download() string { return filepath.Join(s.Dir, download) }

// Current reads the pointer; zero means the installed program: also when the pointer cannot be read, as that one always runs.
func (s Store) Current() (r update.Release) {
	if err := s.read(currentFile, &r); err != nil || r.Installed() {
		return update.Release{}
	}
	return r
}

// Plan reads the running agent's part; one that cannot be read is none.
func (s Store) Plan() (p update.Plan) {
	if s.read(planFile, &p) != nil {
		return update.Plan{}
	}
	return p
}

// Watch reads the launcher's part likewise.
func (s Store) Watch() (w update.Watch) {
	if s.read(watchFile, &w) != nil {
		return update.Watch{}
	}
	return w
}

// KeepPlan writes the running agent's part.
func (s Store) KeepPlan(p update.Plan) error { return s.write(planFile, p) }

// KeepWatch writes the launcher's part.
func (s Store) KeepWatch(w update.Watch) error { return s.write(watchFile, w) }

// Point sets the pointer; to the installed program by taking it away.
func (s Store) Point(r update.Release) error {
	if !r.Installed() {
		return s.write(currentFile, r)
	}
	err := s.Remove(filepath.Join(s.Dir, currentFile))
	if err == nil {
		err = s.Sync(s.Dir)
	}
	return fault.New(fault.Internal, "point to the installed program", err)
}

const most = 1 << 20 // bytes of a file that is read at once

func (s Store) read(name string, into any) error {
	f, err := s.Open(filepath.Join(s.Dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, most))
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

func (s Store) write(name string, v any) error {
	body, err := json.Marshal(v)
	if err == nil {
		err = s.Make(s.Dir)
	}
	if err == nil {
		err = s.put(filepath.Join(s.Dir, name), body)
	}
	return fault.New(fault.Internal, "write "+name, err)
}

func (s Store) put(path string, body []byte) error {
	f, err := s.Create(path+".new", 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(append(body, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	if err := s.Rename(path+".new", path); err != nil {
		return err
	}
	return s.Sync(filepath.Dir(path))
}

// Whole reports that a release's program is there, and is what was put there.
func (s Store) Whole(r update.Release) bool {
	if r.Installed() {
		return true
	}
	sum, err := s.sum(s.Path(r))
	return err == nil && hex.EncodeToString(sum) == r.SHA256
}

func (s Store) sum(path string) ([]byte, error) {
	f, err := s.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	return h.Sum(nil), err
}

// Place puts the downloaded program into its slot, where it can be started but nothing points to it. Codes: invalid when it is another than
// was named, internal otherwise.
func (s Store) Place(r update.Release) error {
	if r.Installed() {
		return fault.Msg(fault.Invalid, "place version "+r.Version, "it has no checksum")
	}
	if s.Whole(r) {
		return nil // a try before this one came so far
	}
	sum, err := hex.DecodeString(r.SHA256)
	if err != nil || len(sum) != sha256.Size {
		return fault.Msg(fault.Invalid, "place version "+r.Version, "its checksum is none")
	}
	return fault.New(fault.Internal, "place version "+r.Version, s.place(r, sum))
}

func (s Store) place(r update.Release, sum []byte) error {
	have, err := s.sum(s.Download())
	if err != nil {
		return err
	}
	if !bytes.Equal(have, sum) {
		return fault.Msg(fault.Invalid, "check the download", fmt.Sprintf("it is %x, and %x was named", have[:6], sum[:6]))
	}
	target := s.Path(r)
	if err := s.Make(filepath.Dir(target)); err != nil {
		return err
	}
	src, err := s.Open(s.Download())
	if err != nil {
		return err
	}
	err = s.Prepare(src, target, sum)
	if err = errors.Join(err, src.Close()); err != nil { // Windows deletes no file that is open
		return err
	}
	prepared := filepath.Join(filepath.Dir(target), "."+filepath.Base(target)+".new")
	if err := s.durable(prepared, sum); err != nil {
		return err
	}
	if err := s.Rename(prepared, target); err != nil {
		return err
	}
	if err := s.Sync(filepath.Dir(target)); err != nil {
		return err
	}
	return s.Remove(s.Download())
}

// Room is what must be free before a release is fetched: the download, the program beside it, and what the tickets of a busy week take.
func (s Store) Room(r update.Release) error {
	const tickets = 128 << 20
	if err := s.Make(s.Dir); err != nil {
		return err
	}
	free, err := s.Free(s.Dir)
	if want := uint64(2*r.Size) + tickets; err == nil && free < want {
		return fault.Msg(fault.Unavailable, "fetch version "+r.Version, fmt.Sprintf("%d MB are free on the disk and %d MB are wanted. Make room; nothing has changed, and what the tills sell is kept", free>>20, want>>20))
	}
	return err
}

// Tidy deletes every slot and download but those that are needed.
func (s Store) Tidy(needed []update.Release) error {
	keep := map[string]bool{currentFile: true, planFile: true, watchFile: true}
	for _, r := range needed {
		if !r.Installed() {
			keep[filepath.Base(s.folder(r))] = true
		}
	}
	names, err := s.List(s.Dir)
	errs := []error{err}
	for _, name := range names {
		if keep[name] || strings.HasSuffix(name, ".new") {
			continue
		}
		path := filepath.Join(s.Dir, name)
		inside, _ := s.List(path) // a file has nothing inside
		for _, f := range inside {
			errs = append(errs, s.Remove(filepath.Join(path, f)))
		}
		errs = append(errs, s.Remove(path))
	}
	return fault.New(fault.Internal, "delete old versions", errors.Join(errs...))
}
