// Package fhir has the FHIR R4 data types that the peers emit, and what is well-formed in them.
package fhir

// Patient is hl7.org/fhir/R4/patient.html.
type Patient struct {
	ResourceType     string         `json:"resourceType"`
	ID               string         `json:"id"`
	Meta             *Meta          `json:"meta,omitempty"`
	Identifier       []Identifier   `json:"identifier,omitempty"`
	Active           *bool          `json:"active,omitempty"`
	Name             []HumanName    `json:"name,omitempty"`
	Telecom          []ContactPoint `json:"telecom,omitempty"`
	Gender           string         `json:"gender,omitempty"`
	BirthDate        string         `json:"birthDate,omitempty"`
	DeceasedBoolean  *bool          `json:"deceasedBoolean,omitempty"`
	DeceasedDateTime string         `json:"deceasedDateTime,omitempty"`
	Address          []Address      `json:"address,omitempty"`
}

// Meta is hl7.org/fhir/R4/resource.html#Meta.
type Meta struct {
	Tag []Coding `json:"tag"`
}

// Identifier is hl7.org/fhir/R4/datatypes.html#Identifier.
type Identifier struct {
	Type   *CodeableConcept `json:"type,omitempty"`
	System string           `json:"system,omitempty"`
	Value  string           `json:"value"`
}

// CodeableConcept is hl7.org/fhir/R4/datatypes.html#CodeableConcept.
type CodeableConcept struct {
	Coding []Coding `json:"coding"`
}

// Coding is hl7.org/fhir/R4/datatypes.html#Coding.
type Coding struct {
	System string `json:"system"`
	Code   string `json:"code"`
}

// HumanName is hl7.org/fhir/R4/datatypes.html#HumanName.
type HumanName struct {
	Use    string   `json:"use,omitempty"`
	Text   string   `json:"text,omitempty"`
	Family string   `json:"family,omitempty"`
	Given  []string `json:"given,omitempty"`
	Prefix []string `json:"prefix,omitempty"`
	Suffix []string `json:"suffix,omitempty"`
}

// ContactPoint is hl7.org/fhir/R4/datatypes.html#ContactPoint.
type ContactPoint struct {
	System string `json:"system"`
	Value  string `json:"value"`
	Use    string `json:"use,omitempty"`
}

// Address is hl7.org/fhir/R4/datatypes.html#Address.
type Address struct {
	Use        string   `json:"use,omitempty"`
	Type       string   `json:"type,omitempty"`
	Line       []string `json:"line,omitempty"`
	City       string   `json:"city,omitempty"`
	District   string   `json:"district,omitempty"`
	State      string   `json:"state,omitempty"`
	PostalCode string   `json:"postalCode,omitempty"`
	Country    string   `json:"country,omitempty"`
	Period     *Period  `json:"period,omitempty"`
}

// IsEmpty tells whether the address says nothing: FHIR has no element without a value
// (hl7.org/fhir/R4/element.html, ele-1).
func (address Address) IsEmpty() bool {
	return len(address.Line) == 0 && address.Period == nil && address.Use+address.Type+address.City+address.District+
		address.State+address.PostalCode+address.Country == ""
}

// Period is hl7.org/fhir/R4/datatypes.html#Period.
type Period struct {
	Start string `json:"start,omitempty"`
	End   string `json:"end,omitempty"`
}

// MedicalRecordNumber is a code of hl7.org/fhir/R4/valueset-identifier-type.html.
func MedicalRecordNumber() *CodeableConcept {
	return &CodeableConcept{Coding: []Coding{{System: "http://terminology.hl7.org/CodeSystem/v2-0203", Code: "MR"}}}
}

// Subsetted marks a resource that does not hold all that is known (hl7.org/fhir/R4/resource.html#simple-tags).
func Subsetted() *Meta {
	return &Meta{Tag: []Coding{{System: "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", Code: "SUBSETTED"}}}
}
