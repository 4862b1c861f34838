package enrichment

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tributary/bench/peers/go/internal/items"
)

// record of a patient, with an attribute of the image as DynamoDB writes it.
func record(operation, image, birthDate string) string {
	return fmt.Sprintf(`{"eventID": %q, "eventName": %q, "eventSourceARN": "arn", "dynamodb": {
		"ApproximateCreationDateTime": 1795331640, "SequenceNumber": "400",
		"Keys": {"id": {"S": "PATIENT#1"}, "sk": {"S": "PATIENT#1"}},
		%q: {"id": {"S": "PATIENT#1"}, "sk": {"S": "PATIENT#1"}, "itemType": {"S": "Patient"}, "birthDate": %s}}}`,
		operation+birthDate, operation, image, birthDate)
}

func outcomes(t *testing.T, addresses map[string][]items.Address, records ...string) []Outcome {
	t.Helper()
	decoded, err := Decode([]byte("[" + strings.Join(records, ",") + "]"))
	if err != nil {
		t.Fatal(err)
	}
	return Outcomes(decoded, addresses)
}

func TestARecordThatCannotBecomeAnEventFailsNoOther(t *testing.T) {
	good := record("INSERT", "NewImage", `{"S": "1980-03-17"}`)
	for _, bad := range []string{
		record("INSERT", "NewImage", `{"S": "17.03.1980"}`),
		record("INSERT", "NewImage", `{"X": "no type of DynamoDB"}`),
		record("INSERT", "OldImage", `{"S": "1980-03-17"}`),
		strings.Replace(record("UPSERT", "NewImage", `{"S": "1980-03-17"}`), `"Keys"`, `"OldImage": {}, "Keys"`, 1),
	} {
		found := outcomes(t, nil, good, bad, good)
		if found[0].Event == nil || found[0].Event.FHIR.BirthDate != "1980-03-17" || found[2].Event == nil {
			t.Error("a good record was lost with", bad)
		}
		if found[1].Event != nil || found[1].Rejected == nil || found[1].Rejected.Record == nil {
			t.Error("not rejected:", bad)
		}
	}
}

func TestAnAddressOfTheTableGoesIntoThePatient(t *testing.T) {
	addresses, err := items.Addresses([]map[string]types.AttributeValue{address("ADDRESS#1", "Exampleville"),
		address("ADDRESS#2", "Sampleton")})
	if err != nil {
		t.Fatal(err)
	}
	found := outcomes(t, map[string][]items.Address{"PATIENT#1": addresses}, record("INSERT", "NewImage", `{"S": "1980"}`))
	text, err := json.Marshal(found[0].Event.FHIR.Address)
	if err != nil || string(text) != `[{"city":"Exampleville"},{"city":"Sampleton"}]` {
		t.Error(string(text), err)
	}
}

func address(sortKey, city string) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{
		"sk":   &types.AttributeValueMemberS{Value: sortKey},
		"city": &types.AttributeValueMemberS{Value: city},
	}
}

func TestOnlyPatientsWhoStayAreReadAndEachOnce(t *testing.T) {
	removed := strings.ReplaceAll(record("REMOVE", "OldImage", `{"S": "1980"}`), "PATIENT#1", "PATIENT#2")
	encounter := strings.NewReplacer("PATIENT#1", "PATIENT#3", `"Patient"`, `"Encounter"`).
		Replace(record("INSERT", "NewImage", `{"S": "1980"}`))
	records, err := Decode([]byte("[" + removed + "," + encounter + "," + record("INSERT", "NewImage", `{"S": "1980"}`) +
		"," + record("INSERT", "NewImage", `{"S": "1981"}`) + "]"))
	if patients := Patients(records); err != nil || len(patients) != 1 || patients[0] != "PATIENT#1" {
		t.Error(patients, err)
	}
}

func TestAnAttributeWithoutAValueIsNull(t *testing.T) {
	found := outcomes(t, nil, record("INSERT", "NewImage", `{"NULL": true}, "other \"one\"": {"L": [{"NULL": true}]}`))
	text, err := json.Marshal(found[0].Event)
	for _, part := range []string{`"birthDate":null`, `"other \"one\"":[null]`, `"fhir":{"resourceType":"Patient","id":"1"}`} {
		if err != nil || !strings.Contains(string(text), part) {
			t.Error(part, "is not in", string(text), err)
		}
	}
}
