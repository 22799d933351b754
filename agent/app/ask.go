package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"

	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/lock"
	system "github.com/tillpost/tillpost/shared/service"
)

// buffer asks the running service, or opens the buffer itself when none runs.
func (c *cli) buffer(ctx context.Context, what string, into any, alone func(*App) error, body ...any) error {
	cfg, err := LoadConfig(c.file)
	if err != nil {
		return err
	}
	if running, err := ask(ctx, cfg.DataDir, what, into, body...); running || err != nil && !fault.Is(err, fault.NotFound) {
		return err
	}
	a := &App{Config: cfg, log: Logger(c.err, cfg.LogLevel)}
	if a.lock, err = lock.Take(cfg.DataDir, "agent"); err != nil {
		return err
	}
	if a.Buffer, err = openBuffer(ctx, cfg, nil); err != nil {
		return errors.Join(err, a.lock.Release())
	}
	return errors.Join(alone(a), a.Close(), system.HandOver(cfg.DataDir)) // the service could not go on with what root's command made
}

// ask puts a question to the service that runs on dir. Code not_found: none runs.
func ask(ctx context.Context, dir, what string, into any, body ...any) (running bool, err error) {
	b, err := os.ReadFile(controlFile(dir))
	if err != nil {
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	var at control
	if err := json.Unmarshal(b, &at); err != nil {
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	method, sent := http.MethodGet, io.Reader(nil)
	if len(body) > 0 {
		b, err := json.Marshal(body[0])
		if err != nil {
			return false, err
		}
		method, sent = http.MethodPost, bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://"+at.Addr+"/"+what, sent)
	if err != nil {
		return false, fault.New(fault.Internal, "reach the service", err)
	}
	req.Header.Set("Authorization", "Bearer "+at.Token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil { // the file is of a service that was killed
		return false, fault.New(fault.NotFound, "reach the service", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		var r refusal
		_ = json.NewDecoder(resp.Body).Decode(&r)
		return true, fault.Msg(r.Code, what, r.Error)
	}
	if w, ok := into.(io.Writer); ok {
		_, err = io.Copy(w, resp.Body)
		return true, err
	}
	return true, json.NewDecoder(resp.Body).Decode(into)
}
