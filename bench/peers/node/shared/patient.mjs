// A Patient (hl7.org/fhir/R4/patient.html) of the plain items of a patient's collection.

import { Reject, code, date, dateTime, idOfKey, text } from './fhir.mjs';

const MEDICAL_RECORD_NUMBER = {
  coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }],
};

/** The patient's resource with the addresses of `addressItems`, in their order. */
export function patientResource(item, addressItems) {
  const resource = { resourceType: 'Patient', id: idOfKey(item.id, 'Patient.id') };
  const identifiers = each(item.identifiers, 'Patient.identifier', (stored) => identifier(stored));
  if (item.mrn) identifiers.unshift(...each([item.mrn], 'Patient.identifier', (mrn) => identifier(mrn, MEDICAL_RECORD_NUMBER)));
  if (identifiers.length > 0) resource.identifier = identifiers;
  if (typeof item.active === 'boolean') resource.active = item.active;
  const names = each(item.names, 'Patient.name', humanName);
  if (names.length > 0) resource.name = names;
  const telecom = each(item.telecom, 'Patient.telecom', contactPoint);
  if (telecom.length > 0) resource.telecom = telecom;
  const gender = code(item.gender, 'gender');
  if (gender !== undefined) resource.gender = gender;
  const birthDate = date(item.birthDate, 'Patient.birthDate');
  if (birthDate !== undefined) resource.birthDate = birthDate;
  if (typeof item.deceased === 'boolean') resource.deceasedBoolean = item.deceased;
  else if (item.deceased) resource.deceasedDateTime = dateTime(item.deceased, 'Patient.deceased');
  const addresses = each(addressItems, 'Patient.address', address);
  if (addresses.length > 0) resource.address = addresses;
  return resource;
}

function address(item) {
  return element({
    use: code(item.use, 'address.use'),
    type: code(item.type, 'address.type'),
    line: texts(item.line, 'Address.line'),
    city: text(item.city, 'Address.city'),
    district: text(item.district, 'Address.district'),
    state: text(item.state, 'Address.state'),
    postalCode: text(item.postalCode, 'Address.postalCode'),
    country: text(item.country, 'Address.country'),
    period: item.period && period(item.period),
  });
}

function identifier({ system, value }, type) {
  const number = text(value, 'Patient.identifier.value');
  if (number === undefined) return undefined;
  return { type, system: text(system, 'Patient.identifier.system'), value: number };
}

function humanName(name) {
  return element({
    use: code(name.use, 'name.use'),
    text: text(name.text, 'name.text'),
    family: text(name.family, 'name.family'),
    given: texts(name.given, 'name.given'),
    prefix: texts(name.prefix, 'name.prefix'),
    suffix: texts(name.suffix, 'name.suffix'),
  });
}

function contactPoint({ system, value, use }) {
  const number = text(value, 'telecom.value');
  if (number === undefined) return undefined;
  return { system: code(system, 'telecom.system'), value: number, use: code(use, 'telecom.use') };
}

function period({ start, end }) {
  return element({ start: dateTime(start, 'Address.period'), end: dateTime(end, 'Address.period') });
}

function texts(values, path) {
  const said = each(values, path, (value) => text(value, path));
  return said.length > 0 ? said : undefined;
}

/** Maps each stored value, and leaves out those that say nothing. */
function each(values, path, map) {
  if (values === undefined || values === null) return [];
  if (!Array.isArray(values)) throw new Reject('item-unreadable', path);
  return values.map((value) => map(value)).filter((value) => value !== undefined);
}

/** Undefined for an element without a member: FHIR has none (hl7.org/fhir/R4/element.html, `ele-1`). */
function element(members) {
  return Object.values(members).some((value) => value !== undefined) ? members : undefined;
}
