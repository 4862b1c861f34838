import type { Construct } from 'constructs';
import { changeEventSource, type ChangeBus } from './change-bus.ts';
import type { Deployment } from './deployment.ts';
import { EventQueue } from './event-queue.ts';
import type { ItemType } from './item-types.ts';

export interface ChangeQueueProps extends Deployment {
  readonly changeBus: ChangeBus;
  readonly itemType: ItemType;
}

/** The changes of one item type. */
export class ChangeQueue extends EventQueue {
  readonly itemType: ItemType;

  constructor(scope: Construct, id: string, props: ChangeQueueProps) {
    const { detailType } = props.itemType;
    super(scope, id, {
      ...props,
      name: `${kebabCase(detailType)}s`,
      events: `${detailType} events`,
      eventPattern: { source: [changeEventSource], detailType: [detailType] },
    });
    this.itemType = props.itemType;
  }
}

/** `RelatedPersonChange` to `related-person-change`. */
function kebabCase(name: string): string {
  return name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, '-').toLowerCase();
}
