// In-process does the work of a function on bytes in memory, without what the function waits for.
//
//	in-process JOB INPUT-FOLDER check FILE        does the job once and writes what came out, one record a line
//	in-process JOB INPUT-FOLDER measure SECONDS   does it for so many seconds of CPU time and prints how often
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
)

// job is work on input that was read before.
type job interface {
	// run answers how many bytes, rows or entries were made.
	run() (int, error)
	// records are what the job makes, each a value that is written as a line of JSON.
	records() ([]any, error)
}

func main() {
	if err := start(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "in-process:", err)
		os.Exit(1)
	}
}

func start(arguments []string) error {
	if len(arguments) != 4 {
		return fmt.Errorf("usage: in-process JOB INPUT-FOLDER check FILE | measure SECONDS")
	}
	name, folder, mode, value := arguments[0], arguments[1], arguments[2], arguments[3]
	job, err := newJob(name, folder)
	if err != nil {
		return err
	}
	switch mode {
	case "check":
		return check(job, value)
	case "measure":
		seconds, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return err
		}
		return measure(job, seconds)
	default:
		return fmt.Errorf("%s is unknown; there are check and measure", mode)
	}
}

func newJob(name, folder string) (job, error) {
	switch name {
	case "enricher":
		return newEnricher(folder)
	case "lake-writer":
		return newLakeWriter(folder)
	case "publisher":
		return newPublisher(folder)
	default:
		return nil, fmt.Errorf("there is no job %s", name)
	}
}

func check(job job, path string) error {
	records, err := job.records()
	if err != nil {
		return err
	}
	var lines bytes.Buffer
	encoder := json.NewEncoder(&lines)
	for _, record := range records {
		if err := encoder.Encode(record); err != nil {
			return err
		}
	}
	return os.WriteFile(path, lines.Bytes(), 0o644)
}
