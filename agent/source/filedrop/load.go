package filedrop

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/shared/retail"
)

// errMoving says that a file changed while it was read: it is not settled, and is read again later.
var errMoving = fault.Msg(fault.Unavailable, "read file", "the file is still being written")

// errLink says that a name in a watched folder leads to a file elsewhere. Whoever may write into the folder could so have this service read
// what only the service may read, and send it away.
var errLink = errTold("it is a link to a file elsewhere, which is not followed: put the file itself here, or name its own folder in the settings")

// load reads a file from front to end and makes its index; spill is where an index stands that is too large for the memory. The hash is of
// exactly the bytes that were read. way follows the rows; the zero value does not. Codes: unavailable when it is locked or still being written; a file that cannot be read as its profile
// says is content with a reason.
func load(ctx context.Context, p *profile.Profile, path, spill string, loc retail.LocationCode, card Card, way trail) (*content, error) {
	before, err := os.Lstat(path)
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read file", err)
	}
	if linked(before) {
		return link(p, path, before, loc, card), nil
	}
	f, err := openShared(path)
	if errors.Is(err, errLink) { // since it was looked at, or of a kind that does not show
		return link(p, path, before, loc, card), nil
	}
	if err != nil {
		return nil, fault.New(fault.Unavailable, "read file", err)
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || now.Mode()&noFile != 0 { // another thing was put into its place
		return nil, errMoving
	}
	c := &content{profile: p, path: path, stamp: stampOf(before), loc: loc, card: card, read: time.Now(), index: newIndex(spill), names: map[string]bool{}, told: map[int]string{},
		newest: map[retail.LocationCode]time.Time{}, sum: sha256.New(), trail: way}
	c.draw.c = c
	_, _ = rand.Read(c.seed[:])
	err = c.gather(ctx, f)
	if err == nil && ctx.Err() == nil {
		_, err = io.Copy(c.sum, f) // what a format left unread
		err = fault.New(fault.Unavailable, "read file", err)
	}
	if err == nil {
		err = c.index.finish()
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil && !c.same() {
		err = errMoving
	}
	if err != nil {
		c.close()
		return nil, err
	}
	c.sha = hex.EncodeToString(c.sum.Sum(nil))
	c.settleTaken()
	return c, nil
}

// noFile is what can stand in a folder and has no content to read. What Windows calls irregular may: a file of a cloud folder is.
const noFile = os.ModeDir | os.ModeNamedPipe | os.ModeSocket | os.ModeDevice | os.ModeCharDevice

// linked reports whether a name leads elsewhere.
func linked(i os.FileInfo) bool { return i.Mode()&os.ModeSymlink != 0 }

// link is what a link is taken for: a file of which nothing can be read. Its target is not looked at, not even for its size.
func link(p *profile.Profile, path string, at os.FileInfo, loc retail.LocationCode, card Card) *content {
	sum := sha256.Sum256(fmt.Appendf(nil, "link|%s|%d", filepath.Base(path), at.ModTime().UnixNano()))
	c := &content{profile: p, path: path, stamp: stampOf(at), loc: loc, card: card, read: time.Now(), index: newIndex(""), format: objects{}, refused: reason(errLink), sha: hex.EncodeToString(sum[:])}
	c.draw.c = c
	return c
}

func stampOf(i os.FileInfo) stamp { return stamp{i.Size(), i.ModTime().UnixNano()} }

// packed tells a compressed file, which would otherwise look like one with wrong columns. It is not unpacked here: what is inside may be
// card data, and must not reach the disk before it was looked at.
func packed(f io.Reader, p *profile.Profile) error {
	at, ok := f.(io.ReaderAt)
	if !ok {
		return nil
	}
	head := make([]byte, 4)
	n, _ := at.ReadAt(head, 0) // a shorter file is none of these
	for magic, kind := range map[string]string{"\x1f\x8b": "gzip", "PK\x03\x04": "zip", "7z\xbc\xaf": "7-zip", "BZh": "bzip2", "\x28\xb5\x2f\xfd": "zstandard"} {
		if strings.HasPrefix(string(head[:n]), magic) && !(kind == "zip" && p.Format == "xlsx") {
			return errTold("it is packed (%s): unpack it and take in what is inside", kind)
		}
	}
	return nil
}
