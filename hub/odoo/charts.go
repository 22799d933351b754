package odoo

import (
	"context"
	"fmt"
	"strconv"
	"sync"
	"time"
)

// chartLife is how long names are taken for known: somebody may rename an account or delete an analytic account meanwhile, and Odoo takes
// the id of an analytic account that does not exist without a word.
const chartLife = time.Hour

// books names a company: by Odoo's id, or by its name as people said it; neither = the one of the settings.
type books struct {
	id   int64
	name string
}

func (b books) String() string {
	if b.id != 0 {
		return fmt.Sprintf("with id %d", b.id)
	}
	return strconv.Quote(b.name)
}

// charts keeps the charts of one client, one per company.
type charts struct {
	client *Client
	now    func() time.Time

	mu   sync.Mutex
	have map[books]*chart
}

// get returns a company's chart, reading it when there is none or it is old. fresh asks again, for a name that it does not know; not more than
// once a minute.
func (c *charts) get(ctx context.Context, b books, fresh bool) (*chart, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if have := c.have[b]; have != nil {
		age := c.now().Sub(have.read)
		if age < chartLife && !(fresh && age > time.Minute) {
			return have, nil
		}
	}
	read := b
	if b == (books{}) {
		read.name = c.client.cfg.Company
	}
	got, err := readChart(ctx, c.client, read)
	if err != nil {
		return nil, err
	}
	got.read = c.now()
	if c.have == nil {
		c.have = map[books]*chart{}
	}
	c.have[b] = got
	return got, nil
}

// forget makes the next get read again: after a mapping was changed, or the server was another one.
func (c *charts) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.have = nil
}

// known is the name under which the chart of a task's company is kept already, else the task's own.
func (c *charts) known(t Task) books {
	c.mu.Lock()
	defer c.mu.Unlock()
	own, named := books{}, books{name: t.Company}
	switch have := c.have[own]; {
	case t.Home == 0 && (t.Company == "" || t.Company == c.client.cfg.Company):
		return own
	case have != nil && (t.Home == have.company || t.Home == 0 && t.Company == have.name):
		return own
	case t.Home == 0:
		return named
	}
	if have := c.have[named]; have != nil && t.Company != "" && have.company == t.Home {
		return named
	}
	return books{id: t.Home}
}
