// Package enrichment turns stream records into change events: the enrichment of a pipe, without what it reads.
package enrichment

import (
	"encoding/json"

	"github.com/aws/aws-lambda-go/events"
)

// Record is a record of the batch as it was read, or why it cannot be.
type Record struct {
	events.DynamoDBEventRecord
	raw json.RawMessage
	err error
}

// Decode reads a batch, the JSON array that Pipes gives (EventBridge user guide, "Amazon DynamoDB stream as a source for
// EventBridge Pipes").
//
// At once where every record can be read, which is nearly always. Where one cannot, each is read by itself, so that the
// others are not lost with it.
func Decode(payload []byte) ([]Record, error) {
	var all []events.DynamoDBEventRecord
	if json.Unmarshal(payload, &all) == nil {
		records := make([]Record, len(all))
		for position, record := range all {
			records[position].DynamoDBEventRecord = record
		}
		return records, nil
	}
	var single []json.RawMessage
	if err := json.Unmarshal(payload, &single); err != nil {
		return nil, err
	}
	records := make([]Record, len(single))
	for position, raw := range single {
		record := &records[position]
		record.raw = raw
		record.err = json.Unmarshal(raw, &record.DynamoDBEventRecord)
	}
	return records, nil
}
