package helmchart

import (
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
)

func TestLocate(t *testing.T) {
	for name, tc := range map[string]struct {
		source Source
		chart  string
		remote bool
	}{
		"official repository": {Source{Version: "1.29.1"}, "istiod", true},
		"other repository":    {Source{Repository: "https://charts.company.com", Version: "1.29.1"}, "istiod", true},
		"local folder":        {Source{Repository: OfficialRepository, Folder: "/charts", Version: "1.29.1"}, "/charts/istiod", false},
	} {
		t.Run(name, func(t *testing.T) {
			args := tc.source.locate("istiod")
			assert.Equal(t, pulumi.String(tc.chart), args.Chart)
			assert.Equal(t, tc.remote, args.RepositoryOpts != nil)
			assert.Equal(t, tc.remote, args.Version != nil, "a folder has no version to choose from")
		})
	}
}

func TestValuesAreTheJSONForm(t *testing.T) {
	values, err := Values(struct {
		Name string `json:"name"`
		Left string `json:"left,omitempty"`
	}{Name: "x"})
	assert.NoError(t, err)
	assert.Equal(t, map[string]any{"name": "x"}, values)

	for name, typed := range map[string]any{"no JSON form": make(chan int), "no object": []int{1}} {
		_, err := Values(typed)
		assert.Error(t, err, name)
	}
}
