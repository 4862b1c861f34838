package items

import (
	"errors"

	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"tributary/bench/peers/go/internal/fhir"
)

// PatientType is the itemType of who a patient is, stored under id = sk = PATIENT#<id>.
const PatientType = "Patient"

type patient struct {
	ID          string               `dynamodbav:"id"`
	MRN         *storedIdentifier    `dynamodbav:"mrn"`
	Identifiers []storedIdentifier   `dynamodbav:"identifiers"`
	Names       []storedName         `dynamodbav:"names"`
	BirthDate   string               `dynamodbav:"birthDate"`
	Gender      string               `dynamodbav:"gender"`
	Telecom     []storedContactPoint `dynamodbav:"telecom"`
	Deceased    deceased             `dynamodbav:"deceased"`
	Active      *bool                `dynamodbav:"active"`
}

// deceased is whether the patient has died, or when.
type deceased struct {
	known *bool
	at    string
}

// UnmarshalDynamoDBAttributeValue reads either.
func (deceased *deceased) UnmarshalDynamoDBAttributeValue(value types.AttributeValue) error {
	switch value := value.(type) {
	case *types.AttributeValueMemberBOOL:
		deceased.known = &value.Value
		return nil
	case *types.AttributeValueMemberS:
		deceased.at = value.Value
		return nil
	case *types.AttributeValueMemberNULL:
		return nil
	default:
		return errors.New("neither a boolean nor a time")
	}
}

var _ attributevalue.Unmarshaler = (*deceased)(nil)

// PatientResource is the resource of a patient's item, with the addresses of the patient's collection in the order of
// their sort keys. An address that cannot be mapped is left out, and the resource marked as a part: its own change was
// rejected, and must not reject those of others.
func PatientResource(item map[string]types.AttributeValue, addresses []Address) (*fhir.Patient, error) {
	var stored patient
	if err := decode(item, &stored, PatientType); err != nil {
		return nil, err
	}
	resource, err := stored.resource()
	if err != nil {
		return nil, err
	}
	for _, address := range addresses {
		mapped, err := address.resource()
		switch {
		case err != nil:
			resource.Meta = fhir.Subsetted()
		case mapped != nil:
			resource.Address = append(resource.Address, *mapped)
		}
	}
	return resource, nil
}

func (stored patient) resource() (*fhir.Patient, error) {
	id, err := fhir.IDOfKey(stored.ID, "Patient.id")
	if err != nil {
		return nil, err
	}
	identifiers, err := stored.identifiers()
	if err != nil {
		return nil, err
	}
	names, err := each(stored.Names, storedName.resource)
	if err != nil {
		return nil, err
	}
	telecom, err := each(stored.Telecom, storedContactPoint.resource)
	if err != nil {
		return nil, err
	}
	if err := fhir.AdministrativeGenders.Optional(stored.Gender, "gender"); err != nil {
		return nil, err
	}
	if err := fhir.Date(stored.BirthDate, "Patient.birthDate"); err != nil {
		return nil, err
	}
	if err := fhir.DateTime(stored.Deceased.at, "Patient.deceased"); err != nil {
		return nil, err
	}
	return &fhir.Patient{
		ResourceType:     "Patient",
		ID:               id,
		Identifier:       identifiers,
		Active:           stored.Active,
		Name:             names,
		Telecom:          telecom,
		Gender:           stored.Gender,
		BirthDate:        stored.BirthDate,
		DeceasedBoolean:  stored.Deceased.known,
		DeceasedDateTime: stored.Deceased.at,
	}, nil
}

// identifiers are the medical record number, then the others.
func (stored patient) identifiers() ([]fhir.Identifier, error) {
	others, err := each(stored.Identifiers, func(identifier storedIdentifier) (*fhir.Identifier, error) {
		return identifier.resource(nil)
	})
	if err != nil || stored.MRN == nil {
		return others, err
	}
	mrn, err := stored.MRN.resource(fhir.MedicalRecordNumber())
	if err != nil || mrn == nil {
		return others, err
	}
	return append([]fhir.Identifier{*mrn}, others...), nil
}
