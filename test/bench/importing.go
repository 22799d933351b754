package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/tillpost/tillpost/agent/buffer"
	"github.com/tillpost/tillpost/agent/capture"
	"github.com/tillpost/tillpost/agent/source"
	"github.com/tillpost/tillpost/agent/source/filedrop"
	"github.com/tillpost/tillpost/shared/envelope"
	"github.com/tillpost/tillpost/shared/fault"
	"github.com/tillpost/tillpost/shared/guard"
	"github.com/tillpost/tillpost/shared/profile"
	"github.com/tillpost/tillpost/test/line"
)

const (
	files     = 5
	perFile   = 4000 // tickets
	perTicket = 14   // rows, which make a record of 2 KB
)

// importing takes files in as `agent import` does, in turns with raw commits of the very records that come of them.
func importing(ctx context.Context, dir string, o options) (r result, err error) {
	p, ok := profile.Shipped("heartland-retail-sales-history")
	if !ok {
		return r, fault.Msg(fault.NotFound, "bench", "the profile is not shipped any more")
	}
	b, err := buffer.Open(ctx, buffer.Options{Dir: filepath.Join(dir, "d1"), Device: "d1", Clean: func(d source.Draft) source.Draft {
		d.Body, d.Key = guard.Bytes(d.Body), guard.Text(d.Key) // as the agent does
		return d
	}})
	if err != nil {
		return r, err
	}
	defer b.Close()
	raw, err := openRaw(dir)
	if err != nil {
		return r, err
	}
	defer raw.close()
	var took, cpu time.Duration
	var size int
	for i := range files {
		im := filedrop.Import{Path: filepath.Join(dir, fmt.Sprintf("sales-%d.csv", i)), Profile: p, Stream: envelope.Sales}
		if err := os.WriteFile(im.Path, sales(i*perFile, perFile), 0o600); err != nil {
			return r, err
		}
		var same keeper
		if _, err := im.Run(ctx, &same); err != nil {
			return r, err
		}
		if err := raw.commit(same.bodies, 200); err != nil {
			return r, err
		}
		if err := o.profile.begin(); err != nil {
			return r, err
		}
		begun, before := time.Now(), cpuTime()
		behind := capture.NewBehind(b)
		rep, err := im.Run(ctx, behind)
		err = errors.Join(err, behind.Wait())
		took, cpu = took+time.Since(begun), cpu+cpuTime()-before
		o.profile.end()
		if err != nil {
			return r, err
		}
		if rep.Tickets != perFile || rep.Cases != 0 {
			return r, fault.Msg(fault.Internal, "bench", fmt.Sprintf("%d tickets and %d bad rows, want %d and 0: %v", rep.Tickets, rep.Cases, perFile, rep.Bad[:min(3, len(rep.Bad))]))
		}
		size += same.size
	}
	n := float64(files * perFile)
	r.figures = []figure{
		{"file import", n / took.Seconds(), " tickets/s", raw.rate(), timesRaw(0.5)},
		{"processor time of an imported ticket", cpu.Seconds() * 1e6 / n, " µs", 0, want{}},
		{"record of an imported ticket", float64(size) / n, " B", 0, want{}},
	}
	r.lost, r.doubled, err = held(ctx, b, files*perFile)
	return r, err
}

// keeper keeps the records that an import makes.
type keeper struct {
	bodies [][]byte
	size   int
}

func (k *keeper) Append(_ context.Context, _ string, _ source.Cursor, ds []source.Draft) error {
	for _, d := range ds {
		k.bodies, k.size = append(k.bodies, d.Body), k.size+len(d.Body)
	}
	return nil
}

// sales is a file in the vendor's form: a row per item, the tax of the ticket in each.
func sales(from, n int) []byte {
	var b bytes.Buffer
	b.WriteString("Ticket #,Customer #,Completed At,Sales Rep,Location #,Tax Total,Item #,Item Original Unit Price,Item Adjusted Unit Price,Item Qty\n")
	at := time.Date(2026, 11, 20, 14, 0, 0, 0, time.UTC)
	for i := from; i < from+n; i++ {
		for k := range perTicket {
			article := (i*31 + k*17) % 3000
			price := strconv.FormatFloat(float64(99+article*7%4900)/100, 'f', 2, 64)
			fmt.Fprintf(&b, "%s,,%s,c%02d,S1,%d.%02d,A%05d,%s,%s,%d\n", line.Key(i), at.Add(time.Duration(i)*time.Second).Format(time.RFC3339), i%30, i%9, i%100, 10000+article*13%90000, price, price, 1+k%3)
		}
	}
	return b.Bytes()
}
