import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';

const registrySchema = z.strictObject({
  itemTypes: z
    .array(
      z.strictObject({
        itemType: z.string().regex(/^[A-Z][A-Za-z0-9]*$/),
        detailType: z.string().regex(/^[A-Z][A-Za-z0-9]*Change$/),
        resourceType: z.string().optional(),
      }),
    )
    .min(1),
});

/** An item type of the registry; `resourceType` is absent for the catch-all, which carries no FHIR. */
export type ItemType = z.infer<typeof registrySchema>['itemTypes'][number];

const registryPath = fileURLToPath(new URL('../../schemas/item-types.json', import.meta.url));

/**
 * The registry of item types, generated from the `domain` crate. Reading it here is what gives a new item type its
 * rule, queue and dead-letter queue without a change to this app.
 */
export function readItemTypes(path: string = registryPath): readonly ItemType[] {
  return registrySchema.parse(JSON.parse(readFileSync(path, 'utf8'))).itemTypes;
}
