import { fileWriter as writerWith } from '../shared/lake-files.mjs';
import { digest } from './digest.mjs';
import { plainItem } from './plain-item.mjs';

export function fileWriter(lake) {
  return writerWith(lake, { plainItem, digest });
}
