package enrichment

import "tributary/bench/peers/go/internal/items"

// Outcome is what became of one record. Pipes finds the records of a partial failure by its eventID (EventBridge user
// guide, "Amazon EventBridge Pipes batching and concurrency").
type Outcome struct {
	EventID string `json:"eventID"`
	// Key is a digest of the item's key. Changes with the same key go out in their order.
	Key      string    `json:"key,omitempty"`
	Event    *Event    `json:"event,omitempty"`
	Rejected *Rejected `json:"rejected,omitempty"`
}

// Rejected is a record that cannot become an event.
type Rejected struct {
	Reason string `json:"reason"`
	// Record is the whole record: as it came, where it cannot be read.
	Record any `json:"record"`
}

// Outcomes are one for each record, in the records' order. The addresses are those of each patient's collection, under the
// collection's partition key.
func Outcomes(records []Record, addresses map[string][]items.Address) []Outcome {
	outcomes := make([]Outcome, len(records))
	for position := range records {
		outcomes[position] = outcomeOf(&records[position], addresses)
	}
	return outcomes
}

func outcomeOf(record *Record, addresses map[string][]items.Address) Outcome {
	outcome := Outcome{EventID: record.EventID}
	if record.err != nil {
		return outcome.rejected(record, record.err)
	}
	key, err := keyOf(&record.DynamoDBEventRecord)
	if err != nil {
		return outcome.rejected(record, err)
	}
	outcome.Key = key.hash()
	outcome.Event, err = eventOf(&record.DynamoDBEventRecord, key, addresses)
	if err != nil {
		return outcome.rejected(record, err)
	}
	return outcome
}

func (outcome Outcome) rejected(record *Record, err error) Outcome {
	outcome.Rejected = &Rejected{Reason: err.Error(), Record: record.DynamoDBEventRecord}
	if record.err != nil {
		outcome.Rejected.Record = record.raw
	}
	return outcome
}

// Patients are the partition keys of those whose addresses the batch needs, each once. A patient who was removed, and
// has no new image, has no resource any more; the changes of other items go out without one.
func Patients(records []Record) []string {
	var patients []string
	seen := make(map[string]bool, len(records))
	for _, record := range records {
		key, err := keyOf(&record.DynamoDBEventRecord)
		isPatient := textOr(record.Change.NewImage["itemType"], noItemType) == items.PatientType
		if err != nil || record.err != nil || !isPatient || seen[key.id] {
			continue
		}
		seen[key.id] = true
		patients = append(patients, key.id)
	}
	return patients
}
