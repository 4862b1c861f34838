import { unmarshall } from '@aws-sdk/util-dynamodb';

/** How `JSON.stringify` writes the sets that `unmarshall` makes. A replacer would be asked for every member. */
Set.prototype.toJSON = function toJSON() {
  return [...this].sort((a, b) => (a < b ? -1 : Number(a > b)));
};

/** An image as a plain object. Numbers become doubles: as BigInt, a large one could not be written as JSON at all. */
export function plainItem(image) {
  return unmarshall(image, { wrapNumbers: Number });
}
