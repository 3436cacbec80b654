package sandbox

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// step is one piece of a long job.
type step struct {
	title string
	doing string        // what is going on meanwhile, such as "compiling"
	about time.Duration // what it takes when nothing is cached
	run   func() error
}

// progress reports the steps of a job: one line each, kept alive while the step lasts.
type progress struct {
	w    io.Writer
	live bool          // a terminal: rewrite the line instead of adding one
	beat time.Duration // between two signs of life
	now  func() time.Time
}

func newProgress(w io.Writer) progress {
	p := progress{w: w, beat: 30 * time.Second, now: time.Now}
	if f, ok := w.(*os.File); ok {
		if st, err := f.Stat(); err == nil && st.Mode()&os.ModeCharDevice != 0 {
			p.live, p.beat = true, time.Second
		}
	}
	return p
}

// runSteps runs the steps in order, up to the first that fails.
func (p progress) runSteps(steps []step) error {
	begin := p.now()
	for i, st := range steps {
		head := fmt.Sprintf("[%d/%d] %s: ", i+1, len(steps), st.title)
		start := p.now()
		p.transient(head + st.doing + " (cold: about " + rough(st.about) + ")")
		stop := p.keepAlive(func() string {
			return fmt.Sprintf("%s%s, %s so far", head, st.doing, short(p.now().Sub(start)))
		})
		err := st.run()
		stop()
		if err != nil {
			verb := "failed"
			if errors.Is(err, context.Canceled) {
				verb = "stopped"
			}
			p.line(head + verb + " after " + short(p.now().Sub(start)))
			return err
		}
		p.line(fmt.Sprintf("%sdone in %s; total %s; left: %s",
			head, short(p.now().Sub(start)), short(p.now().Sub(begin)), left(steps[i+1:])))
	}
	return nil
}

// keepAlive repeats what text says until stop is called.
func (p progress) keepAlive(text func() string) (stop func()) {
	ticker, quit := time.NewTicker(p.beat), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-quit:
				return
			case <-ticker.C:
				p.transient(text())
			}
		}
	})
	return func() {
		ticker.Stop()
		close(quit)
		wg.Wait()
	}
}

func (p progress) transient(text string) {
	if p.live {
		fmt.Fprint(p.w, "\r\x1b[K"+text)
		return
	}
	fmt.Fprintln(p.w, text)
}

func (p progress) line(text string) {
	if p.live {
		text = "\r\x1b[K" + text
	}
	fmt.Fprintln(p.w, text)
}

func left(steps []step) string {
	if len(steps) == 0 {
		return "nothing"
	}
	var titles []string
	var sum time.Duration
	for _, st := range steps {
		titles = append(titles, st.title)
		sum += st.about
	}
	return fmt.Sprintf("%s (at most about %s)", strings.Join(titles, ", "), rough(sum))
}

// short prints a duration as people say it: 4.2s, 4m10s.
func short(d time.Duration) string {
	if d < 10*time.Second {
		return d.Round(100 * time.Millisecond).String()
	}
	return d.Round(time.Second).String()
}

// rough prints an estimate.
func rough(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%d s", int(d.Seconds()))
	}
	return fmt.Sprintf("%d min", int(d.Round(time.Minute).Minutes()))
}
