package lake

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// defaultPartition is the folder of a value that is absent or empty (Apache Hive, hive.exec.default.partition.name).
const defaultPartition = "__HIVE_DEFAULT_PARTITION__"

// units are the folders of a time, from the outermost.
var units = []struct{ name, layout string }{
	{"year", "2006"}, {"month", "01"}, {"day", "02"}, {"hour", "15"}, {"minute", "04"},
}

func (partition Partition) folder(item map[string]any, changedAt time.Time) string {
	var path []string
	for _, attribute := range partition.Attributes {
		value := text(item[attribute])
		if value == "" {
			path = append(path, escaped(attribute)+"="+defaultPartition)
		} else {
			path = append(path, escaped(attribute)+"="+escaped(value))
		}
	}
	if partition.Time != nil {
		for _, unit := range units {
			path = append(path, unit.name+"="+changedAt.UTC().Format(unit.layout))
			if unit.name == partition.Time.Unit {
				break
			}
		}
	}
	return strings.Join(path, "/")
}

// text is empty for a value that cannot name a folder.
func text(value any) string {
	switch value := value.(type) {
	case string:
		return value
	case json.Number:
		return value.String()
	case bool:
		return strconv.FormatBool(value)
	default:
		return ""
	}
}

// escaped writes "%" and two hexadecimal digits for each character that Hive escapes (Apache Hive,
// FileUtils.escapePathName).
func escaped(text string) string {
	if !strings.ContainsFunc(text, isEscaped) {
		return text
	}
	var path strings.Builder
	for _, character := range text {
		if isEscaped(character) {
			fmt.Fprintf(&path, "%%%02X", character)
		} else {
			path.WriteRune(character)
		}
	}
	return path.String()
}

func isEscaped(character rune) bool {
	return character < ' ' || character == 0x7f || strings.ContainsRune(`"#%'*/:=?\{[]^`, character)
}
