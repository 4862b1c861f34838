package attributes

import (
	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// SDKItem is an image of a stream record as the SDK's own types, which is what its package attributevalue decodes. The
// types of aws-lambda-go are others.
func SDKItem(image map[string]events.DynamoDBAttributeValue) map[string]types.AttributeValue {
	item := make(map[string]types.AttributeValue, len(image))
	for name, value := range image {
		item[name] = sdkValue(value)
	}
	return item
}

func sdkValue(value events.DynamoDBAttributeValue) types.AttributeValue {
	switch value.DataType() {
	case events.DataTypeString:
		return &types.AttributeValueMemberS{Value: value.String()}
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: value.Number()}
	case events.DataTypeBoolean:
		return &types.AttributeValueMemberBOOL{Value: value.Boolean()}
	case events.DataTypeBinary:
		return &types.AttributeValueMemberB{Value: value.Binary()}
	case events.DataTypeMap:
		return &types.AttributeValueMemberM{Value: SDKItem(value.Map())}
	case events.DataTypeList:
		list := make([]types.AttributeValue, len(value.List()))
		for position, member := range value.List() {
			list[position] = sdkValue(member)
		}
		return &types.AttributeValueMemberL{Value: list}
	case events.DataTypeStringSet:
		return &types.AttributeValueMemberSS{Value: value.StringSet()}
	case events.DataTypeNumberSet:
		return &types.AttributeValueMemberNS{Value: value.NumberSet()}
	case events.DataTypeBinarySet:
		return &types.AttributeValueMemberBS{Value: value.BinarySet()}
	default:
		return &types.AttributeValueMemberNULL{Value: true}
	}
}
