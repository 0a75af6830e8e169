import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../harness/stack.js';
import { faults } from './faults.mjs';

// Cheap, so that the list cannot rot unseen: whether the tests find the faults is for `npm run test:faults`.
describe('the seeded faults', () => {
  it('are enough, each with a name of its own', () => {
    const ids = faults.map(({ id }) => id);
    expect(ids.length).toBeGreaterThanOrEqual(33);
    expect(ids.filter((id, index) => ids.indexOf(id) !== index || !/^[a-z-]+$/.test(id))).toEqual([]);
  });

  it.each(faults.map((fault) => [fault.id, fault] as const))('%s can be put in', (_id, { file, from, to, tests }) => {
    expect(readFileSync(join(root, file), 'utf8').split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
    expect([1, 2]).toContain(tests.length);
    expect(tests.filter((test) => !/\.test\.(ts|sql)$/.test(test) || !existsSync(join(root, test)))).toEqual([]);
  });
});
