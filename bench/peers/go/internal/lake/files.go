package lake

import (
	"bytes"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/klauspost/compress/zstd"

	"tributary/bench/peers/go/internal/digest"
)

// File is what goes to S3 for one partition of a batch.
type File struct {
	Partition string
	Key       string
	// Body is lines of JSON, compressed with zstd.
	Body []byte
}

// Writer makes the files of one table's lake.
type Writer struct {
	configuration Configuration
	encoder       *zstd.Encoder
	lines         bytes.Buffer
}

// NewWriter makes a writer, which is for one goroutine at a time.
func NewWriter(configuration Configuration) (*Writer, error) {
	encoder, err := zstd.NewWriter(nil)
	if err != nil {
		return nil, err
	}
	return &Writer{configuration: configuration, encoder: encoder}, nil
}

// Files makes the files of a batch as Lambda hands it to a reader of the stream, in the order in which their partitions
// occur.
func (writer *Writer) Files(payload []byte) ([]File, error) {
	var event events.DynamoDBEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	var partitions []string
	rows := make(map[string][]row)
	for position := range event.Records {
		line, partition, err := writer.configuration.rowOf(&event.Records[position])
		if err != nil {
			return nil, err
		}
		if rows[partition] == nil {
			partitions = append(partitions, partition)
		}
		rows[partition] = append(rows[partition], line)
	}
	files := make([]File, len(partitions))
	for position, partition := range partitions {
		body, err := writer.body(rows[partition])
		if err != nil {
			return nil, err
		}
		files[position] = File{partition, writer.key(partition, rows[partition]), body}
	}
	return files, nil
}

func (writer *Writer) body(rows []row) ([]byte, error) {
	writer.lines.Reset()
	encoder := json.NewEncoder(&writer.lines)
	encoder.SetEscapeHTML(false)
	for _, line := range rows {
		if err := encoder.Encode(line); err != nil {
			return nil, err
		}
	}
	return writer.encoder.EncodeAll(writer.lines.Bytes(), nil), nil
}

// key is a function of the rows: a batch that comes again overwrites its files.
func (writer *Writer) key(partition string, rows []row) string {
	first, last := rows[0]["_sequence"], rows[0]["_sequence"]
	ids := make([]string, len(rows))
	for position, line := range rows {
		first = min(first, line["_sequence"])
		last = max(last, line["_sequence"])
		ids[position] = line["_event_id"]
	}
	id := digest.Of("raw file", ids...)
	return fmt.Sprintf("raw/%s/%s/%s-%s-%s.json.zst", writer.configuration.Table, partition, first, last, id)
}
