import { setTimeout as sleep } from 'node:timers/promises';
import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { parseDuration } from '@stark-o/core/model';
import { RESOURCES } from '@stark-o/core/resources';
import { targetsOf } from '../base/argv.js';
import { StarkCommand } from '../base/command.js';
import { allNamespacesFlag, namespaceFlag, optionalThings } from '../base/flags.js';
import { interruptSignal } from '../base/interrupt.js';
import { renderList, toJson, toYaml, type View, writeData } from '../base/output.js';
import { table } from '../base/table.js';
import { fittingWidth, say } from '../base/terminal.js';
import {
  type EventRow,
  type EventSelection,
  eventObject,
  eventsAfter,
  eventTable,
  lastEvents,
} from '../data/events.js';
import { findObjects } from '../data/query.js';

/** How long news may stay unseen where nobody tells of them. */
const lookAgainMs = 2_000;

const view: View<EventRow> = {
  kind: 'event',
  name: ({ seq }) => String(seq),
  object: eventObject,
  columns: eventTable,
};

export default class Events extends StarkCommand<typeof Events> {
  static override summary = 'Show what happened, oldest first: of a namespace, of everything, or of some things.';
  static override description =
    'Who may see a thing may see its events, for as long as events are kept. With --follow it goes on as things happen; JSON is then one object a line.';
  static override examples = [
    '<%= config.bin %> events --for pod/alpha-x1y2z --follow',
    '<%= config.bin %> events --all-namespaces --since 10m --output json',
  ];
  static override args = { what: optionalThings() };
  static override flags = {
    for: Flags.string({ summary: 'Only those of this thing.', helpValue: '<type/name>' }),
    ...namespaceFlag,
    ...allNamespacesFlag,
    follow: Flags.boolean({ char: 'f', summary: 'Go on as things happen; Ctrl-C ends it.' }),
    since: Flags.string({ summary: 'Only those younger than this, e.g. 10m.', helpValue: '<duration>' }),
    tail: Flags.integer({ summary: 'How many of the last.', default: 50, min: 0, max: 1000, helpValue: '<events>' }),
  };

  async run(): Promise<void> {
    const which = await this.#selection();
    const connection = await this.connection();
    const events = this.flags.tail === 0 ? [] : await lastEvents(connection, which, this.flags.tail);
    if (!this.flags.follow) {
      await this.printList(view, events);
      if (events.length === 0) say('no events');
      return;
    }
    const widths: number[] = [];
    await this.#print(events, widths, true);
    const newest = events.at(-1)?.seq ?? (await lastEvents(connection, {}, 1)).at(-1)?.seq ?? 0;
    await this.#follow(which, newest, widths);
  }

  async #selection(): Promise<EventSelection> {
    const { since } = this.flags;
    const from = since === undefined ? undefined : new Date(Date.now() - parseDuration(since)).toISOString();
    const words = [...(this.args.what ?? []), ...(this.flags.for === undefined ? [] : [this.flags.for])];
    if (words.length === 0) return { namespace: await this.namespace(), since: from };
    const [target, ...others] = targetsOf(words);
    if (target === undefined || others.length > 0) throw usageError('events are of one kind at a time');
    const resource = RESOURCES[target.kind];
    if (resource.eventKind === undefined) throw usageError(`${resource.plural} have no events`, 'stark events');
    const { eventKind: kind, namespaced } = resource;
    const namespace = await this.namespace();
    if (target.names === undefined)
      return { about: { kind }, namespace: namespaced ? namespace : undefined, since: from };
    const connection = await this.connection();
    const rows = await findObjects(connection, resource, { namespace, names: target.names, allowMissing: true });
    // What is gone has events under its id, and by name where that is its id.
    const ids = [...rows.map((row) => resource.id(row)), ...target.names];
    return { about: { kind, ids }, since: from };
  }

  async #follow(which: EventSelection, from: number, widths: number[]): Promise<void> {
    const connection = await this.connection();
    const { signal, dispose } = interruptSignal();
    let after = from;
    try {
      while (!signal.aborted) {
        const events = await eventsAfter(connection, which, after);
        after = events.at(-1)?.seq ?? after;
        await this.#print(events, widths, false);
        await sleep(lookAgainMs, undefined, { signal }).catch(() => {});
      }
    } finally {
      dispose();
    }
  }

  async #print(events: readonly EventRow[], widths: number[], headers: boolean): Promise<void> {
    const format = await this.format();
    if (format === 'json') await writeData(events.map((event) => `${toJson(eventObject(event))}\n`).join(''));
    else if (format === 'yaml') for (const event of events) await writeData(`---\n${await toYaml(eventObject(event))}`);
    else if (format !== 'table' && format !== 'wide') await writeData(await renderList(view, events, format));
    else {
      const lines = table(eventTable, events, {
        ...{ wide: format === 'wide', headers, widths },
        ...(format === 'table' && { width: fittingWidth() }),
      });
      if (lines.length > 0) await writeData(`${lines.join('\n')}\n`);
    }
  }
}
