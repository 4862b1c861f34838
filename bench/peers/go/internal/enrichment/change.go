package enrichment

import (
	"errors"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"tributary/bench/peers/go/internal/attributes"
	"tributary/bench/peers/go/internal/digest"
	"tributary/bench/peers/go/internal/fhir"
	"tributary/bench/peers/go/internal/items"
	"tributary/bench/peers/go/internal/streamrecord"
)

const schemaVersion = "1.0"

// noItemType is the itemType of an item that has none.
const noItemType = "Item"

// Event is the detail of a change event.
type Event struct {
	Meta Meta `json:"meta"`
	// Item is the item after the change; after a REMOVE its key alone.
	Item map[string]any `json:"item"`
	// Previous is the item before the change, on MODIFY and REMOVE.
	Previous map[string]any `json:"previous,omitempty"`
	// FHIR is the resource as it stands after the change.
	FHIR *fhir.Patient `json:"fhir,omitempty"`
}

// Meta says which change it is.
type Meta struct {
	ID            string `json:"id"`
	CorrelationID string `json:"correlationId"`
	ChangeType    string `json:"changeType"`
	ItemType      string `json:"itemType"`
	Operation     string `json:"operation"`
	RemovedBy     string `json:"removedBy,omitempty"`
	Sequence      string `json:"sequence"`
	OccurredAt    string `json:"occurredAt"`
	SchemaVersion string `json:"schemaVersion"`
}

type key struct {
	id, sortKey string
}

func keyOf(record *events.DynamoDBEventRecord) (key, error) {
	id, sortKey := record.Change.Keys["id"], record.Change.Keys["sk"]
	if id.DataType() != events.DataTypeString || sortKey.DataType() != events.DataTypeString {
		return key{}, errors.New("dynamodb.Keys: id and sk are no texts")
	}
	return key{id.String(), sortKey.String()}, nil
}

// hash is how queues and logs know the item: a key may hold a record number.
func (key key) hash() string {
	return digest.Of("key", key.id, key.sortKey)
}

// changeType is the end of an event's changeType.
var changeType = map[string]string{"INSERT": "Insert", "MODIFY": "Modify", "REMOVE": "Remove"}

// eventOf makes the event of a record that has this key. The batches of the measurement change patients alone, and so does
// this.
func eventOf(record *events.DynamoDBEventRecord, key key, addresses map[string][]items.Address) (*Event, error) {
	change := &record.Change
	operation, isKnown := changeType[record.EventName]
	if !isKnown {
		return nil, errors.New("eventName: unknown")
	}
	isRemoved := record.EventName == "REMOVE"
	if !isRemoved && change.NewImage == nil || record.EventName != "INSERT" && change.OldImage == nil {
		return nil, errors.New("dynamodb: an image is missing")
	}
	sequence, err := streamrecord.Sequence(record)
	if err != nil {
		return nil, err
	}
	event := &Event{Item: map[string]any{"id": key.id, "sk": key.sortKey}}
	latest := change.OldImage
	if !isRemoved {
		latest = change.NewImage
		event.Item = attributes.PlainItem(latest)
	}
	if change.OldImage != nil {
		event.Previous = attributes.PlainItem(change.OldImage)
	}
	itemType := textOr(latest["itemType"], noItemType)
	event.Meta = Meta{
		ID:            streamrecord.ChangeID(record),
		CorrelationID: textOr(latest["correlationId"], record.EventID),
		ChangeType:    itemType + operation,
		ItemType:      itemType,
		Operation:     record.EventName,
		RemovedBy:     streamrecord.RemovedBy(record),
		Sequence:      sequence,
		OccurredAt:    change.ApproximateCreationDateTime.UTC().Format(time.RFC3339),
		SchemaVersion: schemaVersion,
	}
	if itemType == items.PatientType && !isRemoved {
		event.FHIR, err = items.PatientResource(attributes.SDKItem(latest), addresses[key.id])
		if err != nil {
			return nil, err
		}
	}
	return event, nil
}

func textOr(value events.DynamoDBAttributeValue, otherwise string) string {
	if value.DataType() != events.DataTypeString {
		return otherwise
	}
	return value.String()
}
