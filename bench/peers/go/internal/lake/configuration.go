// Package lake writes stream records as the rows of a lake: compressed lines of JSON by partition.
package lake

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// Configuration of one table's lake.
type Configuration struct {
	Table     string
	Partition Partition
	// Columns are in the order of their names, which is that of the kinds in a row's _types.
	Columns []Column
}

// Partition says how rows are divided into folders: by attributes of the item, then by the time of the change.
type Partition struct {
	Attributes []string `json:"attributes"`
	Time       *struct {
		// Unit is that of the finest folder; those above it are there too.
		Unit string `json:"unit"`
	} `json:"time"`
}

// Column is a declared attribute.
type Column struct {
	Attribute, Name, Type string
}

var notOfColumnNames = regexp.MustCompile("[^a-z0-9_]")

// UnmarshalJSON reads lake.json.
func (configuration *Configuration) UnmarshalJSON(text []byte) error {
	var read struct {
		Table     string            `json:"table"`
		Partition Partition         `json:"partition"`
		Columns   map[string]string `json:"columns"`
	}
	if err := json.Unmarshal(text, &read); err != nil {
		return err
	}
	configuration.Table = read.Table
	configuration.Partition = read.Partition
	for attribute, columnType := range read.Columns {
		name := notOfColumnNames.ReplaceAllString(strings.ToLower(attribute), "_")
		configuration.Columns = append(configuration.Columns, Column{attribute, name, columnType})
	}
	slices.SortFunc(configuration.Columns, func(a, b Column) int { return strings.Compare(a.Name, b.Name) })
	return nil
}

func (configuration *Configuration) declares(attribute string) bool {
	return slices.ContainsFunc(configuration.Columns, func(column Column) bool { return column.Attribute == attribute })
}
