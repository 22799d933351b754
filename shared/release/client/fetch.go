package client

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/tillpost/tillpost/shared/release"
	"github.com/tillpost/tillpost/shared/release/delta"
)

// Result is what a fetch cost.
type Result struct {
	Bytes   int64  // that came over the line
	Resumed int64  // that were here from an earlier try
	From    string // the name of the target that was fetched: the program or a patch
	Patched bool   // the program was made from old
}

// Fetch brings a target's bytes to the file to, whole, with the signed size and hash, synced. It goes on where an earlier try was cut off. A patch
// on old, the program that runs ("" = none), is tried first, then the compressed program, then the program as it is; whatever a patch
// makes is held against the signed hash. Errors as of Find; to is untouched then.
func (c *Client) Fetch(ctx context.Context, t release.Target, old, to string) (r Result, err error) {
	base, err := readLimited(old, release.MaxProgram)
	if err != nil {
		base = nil // no older program: the whole one is fetched
	}
	for _, p := range usable(t, base) {
		from := base
		if p.From == "" {
			from = nil
		}
		n, err := c.patched(ctx, t, p, from, to)
		r.Bytes, r.Resumed = r.Bytes+n.Bytes, r.Resumed+n.Resumed
		if err == nil {
			r.From, r.Patched = p.Name, p.From != ""
			return r, nil
		}
		if !errors.Is(err, release.ErrRefused) && !errors.Is(err, fs.ErrNotExist) {
			return r, coded(err) // the line broke or the disk is full: next time it goes on from here
		}
	}
	part := partOf(to, t.Sum)
	n, err := c.download(ctx, t.Name, t.Sum, t.Size, part)
	r.Bytes, r.Resumed, r.From = r.Bytes+n.Bytes, r.Resumed+n.Resumed, t.Name
	if err != nil {
		return r, coded(there(err))
	}
	return r, coded(settle(part, to))
}

// usable are the patches that start from what is here, the smallest first.
func usable(t release.Target, base []byte) []release.Patch {
	var sum release.Sum
	if base != nil {
		sum = sha256.Sum256(base)
	}
	var out []release.Patch
	for _, p := range t.Patches {
		if p.Size < t.Size && (p.From == "" || base != nil && p.FromSum == sum) {
			out = append(out, p)
		}
	}
	slices.SortFunc(out, func(a, b release.Patch) int { return int(a.Size - b.Size) })
	return out
}

func (c *Client) patched(ctx context.Context, t release.Target, p release.Patch, base []byte, to string) (r Result, err error) {
	part := partOf(to, p.Sum)
	if r, err = c.download(ctx, p.Name, p.Sum, p.Size, part); err != nil {
		return r, err
	}
	made := partOf(to, t.Sum) + ".made"
	err = c.make(t, base, part, made)
	if err == nil {
		err = settle(made, to)
	}
	if err != nil {
		_ = os.Remove(made)
	}
	if err == nil || errors.Is(err, release.ErrRefused) {
		_ = os.Remove(part) // it did its work, or it will never
	}
	return r, err
}

func (c *Client) make(t release.Target, base []byte, part, made string) error {
	in, err := os.Open(part)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(made, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	h := sha256.New()
	w := &keeper{w: out}
	err = delta.Apply(io.MultiWriter(h, w), base, in, t.Size)
	if w.err != nil { // the disk's fault and not the patch's
		return errors.Join(w.err, out.Close())
	}
	if err == nil && release.Sum(h.Sum(nil)) != t.Sum {
		err = errors.New("the patch makes another program than the one that is signed")
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%w: %w", release.ErrRefused, err), out.Close())
	}
	return errors.Join(out.Sync(), out.Close())
}

// keeper remembers whether writing failed.
type keeper struct {
	w   io.Writer
	err error
}

// Write implements io.Writer.
func (k *keeper) Write(b []byte) (int, error) {
	n, err := k.w.Write(b)
	k.err = err
	return n, err
}

// download fills part up to size bytes with the hash sum, synced. A part that is full with the right hash is not fetched again; one with a wrong
// hash is thrown away, and where some of it was from an earlier try it is fetched once more from the start.
func (c *Client) download(ctx context.Context, name string, sum release.Sum, size int64, part string) (r Result, err error) {
	for {
		var got release.Sum
		resumed, fetched, err := c.fill(ctx, release.Hashed(name, sum), size, part, &got)
		r.Bytes += fetched
		if err != nil {
			return r, err
		}
		if got == sum {
			r.Resumed += resumed
			return r, nil
		}
		if err := os.Remove(part); err != nil {
			return r, err
		}
		if resumed == 0 {
			return r, fmt.Errorf("%w: %s has not the hash that is signed", release.ErrRefused, name)
		}
	}
}

func (c *Client) fill(ctx context.Context, file string, size int64, part string, got *release.Sum) (resumed, fetched int64, err error) {
	f, err := os.OpenFile(part, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	h := sha256.New()
	if resumed, err = io.Copy(h, io.LimitReader(f, size)); err != nil {
		return 0, 0, err
	}
	if err := f.Truncate(resumed); err != nil {
		return 0, 0, err
	}
	if resumed < size {
		if fetched, err = c.more(ctx, file, resumed, size, f, h); err != nil {
			return resumed, fetched, errors.Join(err, f.Sync())
		}
	}
	*got = release.Sum(h.Sum(nil))
	return resumed, fetched, f.Sync()
}

// more appends the rest to f and takes not a byte more than size.
func (c *Client) more(ctx context.Context, file string, offset, size int64, f io.Writer, h hash.Hash) (int64, error) {
	in, ctx, err := pace(ctx, c.c.Source, file, offset, c.c.Limits)
	if err != nil {
		return 0, away(ctx, file, err)
	}
	defer in.Close()
	w := &keeper{w: f}
	n, err := io.Copy(io.MultiWriter(w, h), io.LimitReader(in, size-offset))
	if w.err != nil {
		return n, w.err
	}
	if err == nil && n < size-offset {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return n, away(ctx, file, err)
	}
	return n, nil
}

// partOf is where a target waits until it is whole; the hash in its name keeps it from being continued with another's bytes.
func partOf(to string, sum release.Sum) string { return to + "." + sum.String()[:16] + ".part" }

// settle puts a synced file in its place.
func settle(from, to string) error {
	if err := os.Rename(from, to); err != nil {
		return err
	}
	return syncDir(filepath.Dir(to))
}
