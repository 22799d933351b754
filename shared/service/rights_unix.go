//go:build !windows

package service

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"github.com/tillpost/tillpost/shared/fault"
)

// giveRights makes the service's account and gives it its data folder, its secrets and what it must read. Nothing else is touched, and a
// link is never followed: its owner might not be the administrator.
func (s Spec) giveRights(ctx context.Context) (did []string, err error) {
	if s.Root != "" {
		return nil, nil // an image's account is made by its package
	}
	u, err := user.Lookup(s.Name)
	if err != nil {
		if err := makeAccount(ctx, s.Name); err != nil {
			return nil, err
		}
		did = append(did, "made the account "+s.Name)
		if u, err = user.Lookup(s.Name); err != nil {
			return did, fault.New(fault.Internal, "find the account "+s.Name, err)
		}
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.MkdirAll(s.State, 0o700); err != nil {
		return did, rightsMissing(err)
	}
	err = ownAll(s.State, uid, gid)
	for _, f := range s.Owns {
		err = errors.Join(err, own(f, uid, gid, 0o600))
	}
	for _, f := range s.Reads {
		err = errors.Join(err, filepath.WalkDir(f, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			if err != nil {
				return err
			}
			mode := 0o640
			if d.IsDir() {
				mode = 0o750
			}
			return own(path, 0, gid, mode)
		}))
	}
	return did, rightsMissing(err)
}

// ownAll gives a folder with all that is in it to an account. The folder may be that account's already, who could put a link into a path while it is
// walked: nothing outside of it is reached.
func ownAll(dir string, uid, gid int) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = root.Lchown(path, uid, gid)
		}
		if errors.Is(err, fs.ErrNotExist) { // it went meanwhile
			return nil
		}
		return err
	})
}

// HandOver gives everything in a service's folder to whom the folder belongs, when root's command has worked in it.
func HandOver(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	st, err := os.Stat(dir)
	if err != nil {
		return fault.New(fault.Internal, "give the folder to the service", err)
	}
	if owner, ok := st.Sys().(*syscall.Stat_t); ok {
		err = ownAll(dir, int(owner.Uid), int(owner.Gid))
	}
	return fault.New(fault.Internal, "give the folder to the service", err)
}

// own gives path to an account; mode -1 leaves that as it is.
func own(path string, uid, gid, mode int) error {
	st, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && st.Mode()&fs.ModeSymlink != 0 {
		return nil
	}
	if err == nil {
		err = os.Lchown(path, uid, gid)
	}
	if err == nil && mode >= 0 {
		err = os.Chmod(path, fs.FileMode(mode))
	}
	return err
}

// makeAccount makes one that nobody can log on with.
func makeAccount(ctx context.Context, name string) error {
	tries := [][]string{{"useradd", "--system", "--user-group", "--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin", name},
		{"adduser", "-S", "-D", "-H", "-s", "/sbin/nologin", name}}
	for _, t := range tries {
		if _, err := exec.LookPath(t[0]); err != nil {
			continue
		}
		out, err := exec.CommandContext(ctx, t[0], t[1:]...).CombinedOutput()
		if err != nil {
			return fault.Msg(fault.Invalid, "make the account "+name, strings.TrimSpace(string(out))+". Do this as root")
		}
		return nil
	}
	return fault.Msg(fault.Invalid, "make the account "+name, "neither useradd nor adduser is here; make it by hand and do this again")
}

// rightsMissing says what to do about an error that is about rights.
func rightsMissing(err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fault.New(fault.Invalid, "do this as root: sudo", err)
	}
	return fault.New(fault.Internal, "set up the service", err)
}
