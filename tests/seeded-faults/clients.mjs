// Faults in core and in the command line.

/** @type {import('./faults.mjs').Fault[]} */
export const clientFaults = [
  {
    id: 'conflict-exit-code',
    breaks: 'A script cannot tell a conflict or a full quota from any other failure: stark exits with 1 instead of 7.',
    file: 'core/src/errors/exit-codes.ts',
    from: '    case 409:\n',
    to: '',
    tests: ['core/test/errors.test.ts'],
  },
  {
    id: 'event-gap-unseen',
    breaks: 'After a lost broadcast the dashboard and stark --watch show what is not so, for ever.',
    file: 'core/src/stores/topic-feed.ts',
    from: 'if (batch.previous_seq > this.#last || ',
    to: 'if (batch.previous_seq > this.#last + 1 || ',
    tests: ['core/test/topic-feed.test.ts'],
  },
  {
    id: 'old-event-wins',
    breaks: 'An event that comes late turns a pod back into what it was before.',
    file: 'core/src/stores/object-table.ts',
    from: '    if (seq <= (this.#seqs.get(id) ?? this.#tombstones.get(id) ?? -1)) return false;\n',
    to: '',
    tests: ['core/test/cluster-store.test.ts'],
  },
  {
    id: 'not-in-without-key',
    breaks: "stark pod list -l 'tier!=db' leaves out pods that have no label tier.",
    file: 'core/src/model/label-selector.ts',
    from: 'return value === undefined || !values.includes(value);',
    to: 'return value !== undefined && !values.includes(value);',
    tests: ['core/test/label-selector.test.ts'],
  },
  {
    id: 'name-column-cut',
    breaks: 'In a narrow terminal names are cut, and what is copied from a table is no name.',
    file: 'cli/src/base/table.ts',
    from: 'index > 0 && index !== prose && width > shortest',
    to: 'index !== prose && width > shortest',
    tests: ['cli/test/output.test.ts'],
  },
  {
    id: 'first-page-only',
    breaks: 'stark pod list shows the first thousand pods and says nothing of the others.',
    file: 'cli/src/data/query.ts',
    from: 'if (!mayHaveMore(found.length)) break;',
    to: 'if (mayHaveMore(found.length) || found.length < PAGE_ROWS) break;',
    tests: ['cli/test/pods.test.ts'],
  },
  {
    id: 'session-lost-offline',
    breaks: 'A session is gone when the cluster does not answer for a moment, and everybody has to sign in anew.',
    file: 'cli/src/session/sessions.ts',
    from: "if (error instanceof StarkError && error.code === 'NOT_SIGNED_IN') await this.clear();",
    to: 'await this.clear();',
    tests: ['cli/test/sessions.test.ts'],
  },
];
