import { Reject } from '../shared/fhir.mjs';

/** An image as a plain object, by the attribute's type and without `unmarshall`. Sets become sorted arrays. */
export function plainItem(attributes) {
  const item = {};
  for (const name in attributes) item[name] = plainValue(attributes[name]);
  return item;
}

function plainValue(attribute) {
  for (const type in attribute) {
    const value = attribute[type];
    switch (type) {
      case 'S':
      case 'B':
      case 'BOOL':
        return value;
      case 'N':
        return Number(value);
      case 'M':
        return plainItem(value);
      case 'L':
        return value.map(plainValue);
      case 'SS':
      case 'BS':
        return [...value].sort();
      case 'NS':
        return value.map(Number).sort((a, b) => a - b);
      case 'NULL':
        return null;
    }
  }
  throw new Reject('record-unreadable', 'dynamodb');
}
