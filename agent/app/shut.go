package app

import (
	"errors"
	"fmt"
	"io/fs"
	"os/user"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
)

// shut tells an administrator how to let the service read a folder that its account may not open; "" = that is not what is wrong. A person who
// looks opens the folder without trouble, so "see that it can be opened" would be no help.
func shut(s source.Source, err error) string {
	f, ok := s.(*filedrop.Folder)
	if !ok || !errors.Is(err, fs.ErrPermission) {
		return ""
	}
	account := "the service's account"
	if u, err := user.Current(); err == nil {
		account = u.Username
	}
	dir := f.Dir
	if to, err := filepath.EvalSymlinks(dir); err == nil {
		dir = to
	}
	if runtime.GOOS == "windows" {
		return letInWindows(account, dir)
	}
	return letInUnix(account, dir, passes)
}

// letInUnix is the command that lets an account read a folder, and pass through those above that keep it out. setfacl goes after no link that it
// finds in the folder.
func letInUnix(account, dir string, passes func(string) bool) string {
	words := ""
	for _, up := range above(dir) {
		if !passes(up) {
			words += fmt.Sprintf("sudo setfacl -m u:%s:x %s && ", account, quoteShell(up))
		}
	}
	return words + fmt.Sprintf("sudo setfacl -R -m u:%s:rX,d:u:%s:rX %s", account, account, quoteShell(dir))
}

// letInWindows is the same for Windows. Behind a share a service is its PC's own account, which only the server's administrator can let in.
func letInWindows(account, dir string) string {
	if strings.HasPrefix(dir, `\\`) {
		return "on the server, give this PC's own account (its name with a $) the right to read " + dir
	}
	return fmt.Sprintf(`icacls "%s" /grant "%s:(OI)(CI)RX"`, dir, account)
}

// above lists the folders that stand above dir, the outermost first.
func above(dir string) []string {
	var out []string
	for up := filepath.Dir(dir); up != filepath.Dir(up); up = filepath.Dir(up) {
		out = append(out, up)
	}
	slices.Reverse(out)
	return out
}

// quoteShell makes one word of a shell's line.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }
