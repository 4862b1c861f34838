// Package attributes turns DynamoDB's attribute values into values that Go programs work with.
// Types: Amazon DynamoDB API reference, "AttributeValue".
package attributes

import (
	"cmp"
	"encoding/json"
	"slices"
	"strconv"

	"github.com/aws/aws-lambda-go/events"
)

// PlainItem is an item that encoding/json writes as plain JSON. Numbers keep every digit, sets are sorted arrays, binary
// is base64.
func PlainItem(image map[string]events.DynamoDBAttributeValue) map[string]any {
	item := make(map[string]any, len(image))
	for name, value := range image {
		item[name] = plain(value)
	}
	return item
}

func plain(value events.DynamoDBAttributeValue) any {
	switch value.DataType() {
	case events.DataTypeString:
		return value.String()
	case events.DataTypeNumber:
		return json.Number(value.Number())
	case events.DataTypeBoolean:
		return value.Boolean()
	case events.DataTypeBinary:
		return value.Binary()
	case events.DataTypeMap:
		return PlainItem(value.Map())
	case events.DataTypeList:
		list := make([]any, len(value.List()))
		for position, member := range value.List() {
			list[position] = plain(member)
		}
		return list
	case events.DataTypeStringSet:
		return slices.Sorted(slices.Values(value.StringSet()))
	case events.DataTypeNumberSet:
		return sortedNumbers(value.NumberSet())
	case events.DataTypeBinarySet:
		return slices.SortedFunc(slices.Values(value.BinarySet()), slices.Compare[[]byte])
	default:
		return nil
	}
}

// sortedNumbers are in the order of their values, and numbers that a double cannot tell apart in that of their texts.
func sortedNumbers(texts []string) []json.Number {
	numbers := make([]json.Number, len(texts))
	for position, text := range texts {
		numbers[position] = json.Number(text)
	}
	slices.SortFunc(numbers, func(a, b json.Number) int {
		return cmp.Or(cmp.Compare(approximate(a), approximate(b)), cmp.Compare(a, b))
	})
	return numbers
}

func approximate(number json.Number) float64 {
	value, _ := strconv.ParseFloat(number.String(), 64)
	return value
}
