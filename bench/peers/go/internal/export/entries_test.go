package export

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const line = `{"resourceType":"Patient","id":"1","text":{"div":"<p class=\"v\">1 & 2</p>"},"value":1.10}`

func TestARequestHoldsTenEntriesAndTheLastOneTheRest(t *testing.T) {
	var sizes []int
	for request, err := range new(Run).Requests([]byte(strings.Repeat(line+"\n", 23))) {
		if err != nil {
			t.Fatal(err)
		}
		sizes = append(sizes, len(request))
	}
	if !slices.Equal(sizes, []int{10, 10, 3}) {
		t.Error(sizes)
	}
}

func TestALineGoesIntoItsEventAsItIs(t *testing.T) {
	run := Run{Window: json.RawMessage("null")}
	for request, err := range run.Requests([]byte(line)) {
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(*request[0].Detail, `"fhir":`+line+"}") {
			t.Error(*request[0].Detail)
		}
	}
}

func TestALineThatIsNoResourceEndsTheRequests(t *testing.T) {
	var ends []string
	for _, err := range new(Run).Requests([]byte(line + "\n{}\n" + line)) {
		ends = append(ends, fmt.Sprint(err))
	}
	if !slices.Equal(ends, []string{"line 2: no FHIR resource"}) {
		t.Error(ends)
	}
}
