package lake

import (
	"strings"

	"github.com/aws/aws-lambda-go/events"

	"tributary/bench/peers/go/internal/attributes"
	"tributary/bench/peers/go/internal/jsontext"
	"tributary/bench/peers/go/internal/streamrecord"
)

// row is one line of a file: its columns hold texts. encoding/json writes them in the order of their names.
type row map[string]string

// rowOf is the row of a record, and the folder it belongs to.
func (configuration *Configuration) rowOf(record *events.DynamoDBEventRecord) (row, string, error) {
	change := &record.Change
	image := change.NewImage
	if record.EventName == "REMOVE" {
		image = change.OldImage
	}
	item := attributes.PlainItem(image)
	changedAt := change.ApproximateCreationDateTime.Time
	sequence, err := streamrecord.Sequence(record)
	if err != nil {
		return nil, "", err
	}
	line := row{
		"_op":         record.EventName,
		"_event_id":   streamrecord.ChangeID(record),
		"_sequence":   sequence,
		"_changed_at": sqlTimestamp(changedAt),
	}
	if removedBy := streamrecord.RemovedBy(record); removedBy != "" {
		line["_removed_by"] = removedBy
	}
	line["id"], _ = item["id"].(string)
	line["sk"], _ = item["sk"].(string)
	if err := configuration.fill(line, item); err != nil {
		return nil, "", err
	}
	return line, configuration.Partition.folder(item, changedAt), nil
}

// fill puts the declared attributes into their columns. What is not declared, or does not fit, goes into _extra.
func (configuration *Configuration) fill(line row, item map[string]any) error {
	var types strings.Builder
	renamed := make(map[string]string)
	extra := make(map[string]any)
	for _, column := range configuration.Columns {
		value, isThere := item[column.Attribute]
		if !isThere {
			continue
		}
		cell, fits := cellOf(column.Type, value)
		if fits {
			types.WriteByte(cell.kind)
			line[column.Name] = cell.text
			if column.Name != column.Attribute {
				renamed[column.Name] = column.Attribute
			}
		}
		if !fits || !cell.isExact {
			extra[column.Attribute] = value
		}
	}
	for attribute, value := range item {
		if attribute != "id" && attribute != "sk" && !configuration.declares(attribute) {
			extra[attribute] = value
		}
	}
	var err error
	if types.Len() > 0 {
		line["_types"] = types.String()
	}
	if len(renamed) > 0 {
		if line["_attributes"], err = jsontext.Of(renamed); err != nil {
			return err
		}
	}
	if len(extra) > 0 {
		line["_extra"], err = jsontext.Of(extra)
	}
	return err
}
