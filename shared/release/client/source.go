package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tillpost/tillpost/shared/release"
)

// Source is a place where a repository lies. It is trusted with nothing.
type Source interface {
	// Open reads the file of that name, such as metadata/timestamp.json, from an offset on. fs.ErrNotExist where there is none. Cancelling
	// ctx ends a read that waits.
	Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error)
}

// Folder is a repository in a folder, as on a stick or a share.
type Folder string

// Open implements Source.
func (d Folder) Open(_ context.Context, name string, offset int64) (io.ReadCloser, error) {
	if !release.ValidName(name) {
		return nil, fmt.Errorf("open %q: %w", name, fs.ErrNotExist)
	}
	f, err := os.Open(filepath.Join(string(d), filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(offset, io.SeekStart); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// Web is a repository at an address: a hub, or any host of files.
type Web struct {
	Base   string // such as https://hub.example.com:8790/release/
	Client *http.Client
}

// Open implements Source.
func (s Web) Open(ctx context.Context, name string, offset int64) (io.ReadCloser, error) {
	u, err := url.JoinPath(s.Base, strings.Split(name, "/")...)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u, nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Accept-Encoding", "identity") // sizes and offsets are of the file as it lies there
	if offset > 0 {
		req.Header.Set("Range", "bytes="+strconv.FormatInt(offset, 10)+"-")
	}
	resp, err := s.Client.Do(req)
	if err != nil {
		return nil, err
	}
	switch {
	case resp.StatusCode == http.StatusOK && offset > 0: // it knows no ranges: read past what is here already
		if _, err := io.CopyN(io.Discard, resp.Body, offset); err != nil {
			resp.Body.Close()
			return nil, err
		}
	case resp.StatusCode == http.StatusOK && offset == 0:
	case resp.StatusCode == http.StatusPartialContent && strings.HasPrefix(resp.Header.Get("Content-Range"), "bytes "+strconv.FormatInt(offset, 10)+"-"):
	case resp.StatusCode == http.StatusNotFound:
		resp.Body.Close()
		return nil, fmt.Errorf("%s: %w", u, fs.ErrNotExist)
	default:
		resp.Body.Close()
		return nil, fmt.Errorf("%s answers %s", u, resp.Status)
	}
	return resp.Body, nil
}

// errSlow is why a download was given up.
var errSlow = errors.New("it drips: too few bytes came in the time allowed")

// metadata reads a file of metadata of at most most bytes, within its time.
func (c *Client) metadata(ctx context.Context, name string, most int64) ([]byte, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, c.c.Limits.Metadata, errSlow)
	defer cancel()
	r, err := c.c.Source.Open(ctx, release.MetadataDir+name, 0)
	if err != nil {
		return nil, away(ctx, name, err)
	}
	defer r.Close()
	b, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case err != nil:
		return nil, away(ctx, name, err)
	case int64(len(b)) > most:
		return nil, fmt.Errorf("%w: %s is longer than the %d bytes that it may have", release.ErrRefused, name, most)
	}
	return b, nil
}

// away says why a source gave nothing.
func away(ctx context.Context, name string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: %w", name, err)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(err, cause) {
		err = errors.Join(cause, err)
	}
	return fmt.Errorf("%w: %s: %w", release.ErrSource, name, err)
}
