package sandbox

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestProgress(t *testing.T) {
	broken := errors.New("broken")
	takes := func(d time.Duration, err error) func() error {
		return func() error { time.Sleep(d); return err }
	}
	tests := []struct {
		name  string
		live  bool
		beat  time.Duration
		steps []step
		want  []string
		err   error
	}{
		{
			name: "a log gets a line at the start, one every half minute and one at the end",
			beat: 30 * time.Second,
			steps: []step{
				{"Pulumi CLI v3", "compiling", 5 * time.Minute, takes(70*time.Second, nil)},
				{"kubectl v1", "compiling", 40 * time.Second, takes(2500*time.Millisecond, nil)},
			},
			want: []string{
				"[1/2] Pulumi CLI v3: compiling (cold: about 5 min)",
				"[1/2] Pulumi CLI v3: compiling, 30s so far",
				"[1/2] Pulumi CLI v3: compiling, 1m0s so far",
				"[1/2] Pulumi CLI v3: done in 1m10s; total 1m10s; left: kubectl v1 (at most about 40 s)",
				"[2/2] kubectl v1: compiling (cold: about 40 s)",
				"[2/2] kubectl v1: done in 2.5s; total 1m13s; left: nothing",
				"",
			},
		},
		{
			name:  "a failure ends it",
			beat:  30 * time.Second,
			steps: []step{{"a", "compiling", time.Minute, takes(time.Second, broken)}, {"b", "compiling", time.Minute, nil}},
			want:  []string{"[1/2] a: compiling (cold: about 1 min)", "[1/2] a: failed after 1s", ""},
			err:   broken,
		},
		{
			name:  "a terminal keeps one line for a step",
			live:  true,
			beat:  time.Second,
			steps: []step{{"a", "compiling", time.Minute, takes(1500*time.Millisecond, nil)}},
			want: []string{
				"\r\x1b[K[1/1] a: compiling (cold: about 1 min)" +
					"\r\x1b[K[1/1] a: compiling, 1s so far" +
					"\r\x1b[K[1/1] a: done in 1.5s; total 1.5s; left: nothing",
				"",
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var out strings.Builder
				err := progress{w: &out, live: tt.live, beat: tt.beat, now: time.Now}.runSteps(tt.steps)
				require.ErrorIs(t, err, tt.err)
				assert.Equal(t, tt.want, strings.Split(out.String(), "\n"))
			})
		})
	}
}
