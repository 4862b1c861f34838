import { digest } from '../shared/digest.mjs';
import { fileWriter as writerWith } from '../shared/lake-files.mjs';
import { plainItem } from './plain-item.mjs';

export function fileWriter(lake) {
  return writerWith(lake, { plainItem, digest });
}
