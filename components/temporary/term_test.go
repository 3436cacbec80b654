package temporary

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

var today = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

func TestTermIsAcceptedInEveryFormOfADate(t *testing.T) {
	for name, until := range map[string]string{
		"quoted":                       "2026-06-15",
		"unquoted, as Pulumi hands it": "2026-06-15 00:00:00 +0000 UTC",
		"unquoted, as JSON has it":     "2026-06-15T00:00:00Z",
	} {
		t.Run(name, func(t *testing.T) {
			term := Term{"r", until}
			assert.Empty(t, term.Problems(today), "its last day is included")
			assert.Equal(t, "2026-06-15", term.LastDay())
		})
	}
}

func TestTermNeedsReasonAndEnd(t *testing.T) {
	for name, tc := range map[string]struct {
		term  Term
		field string
	}{
		"no reason":          {Term{" ", "2026-12-31"}, "reason"},
		"no end":             {Term{"r", ""}, "until"},
		"no date":            {Term{"r", "soon"}, "until"},
		"ended":              {Term{"r", "2026-06-14"}, "until"},
		"ended as timestamp": {Term{"r", "2026-06-14 00:00:00 +0000 UTC"}, "until"},
		"over a year":        {Term{"r", "2027-06-16"}, "until"},
		"American date":      {Term{"r", "12/31/2026"}, "until"},
		"hour of a day":      {Term{"r", "2026-12-31 08:00:00 +0000 UTC"}, "until"},
	} {
		t.Run(name, func(t *testing.T) {
			problems := tc.term.Problems(today)
			require.Len(t, problems, 1, "%v", problems)
			assert.Equal(t, tc.field, problems[0].Field)
		})
	}
}
