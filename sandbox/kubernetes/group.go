package main

import (
	"context"
	"fmt"
	"time"
)

// stopTimeout bounds the wait for one part, so that a stuck one cannot keep the process alive.
const stopTimeout = 15 * time.Second

// group runs parts and stops them one by one in the reverse order of their start.
type group struct {
	parts []part
	fail  context.CancelCauseFunc
}

type part struct {
	cancel context.CancelFunc
	done   chan struct{}
}

// newGroup returns a group and a context that ends with the first failure of a part, which is then its cause.
func newGroup(parent context.Context) (*group, context.Context) {
	ctx, fail := context.WithCancelCause(parent)
	return &group{fail: fail}, ctx
}

// run starts f in the background. A return before stop, with or without an error, is a failure.
func (g *group) run(name string, f func(context.Context) error) {
	// Not a child of the group's context: a part ends only when its turn comes.
	ctx, cancel := context.WithCancel(context.Background())
	p := part{cancel: cancel, done: make(chan struct{})}
	g.parts = append(g.parts, p)
	go func() {
		defer close(p.done)
		if err := f(ctx); ctx.Err() == nil {
			g.fail(fmt.Errorf("%s ended: %w", name, err))
		}
	}()
}

// stop ends the parts, the last started first, and waits for each.
func (g *group) stop() {
	for i := len(g.parts) - 1; i >= 0; i-- {
		g.parts[i].cancel()
		select {
		case <-g.parts[i].done:
		case <-time.After(stopTimeout):
		}
	}
	g.fail(nil)
}
