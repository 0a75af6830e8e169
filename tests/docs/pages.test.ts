import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { cliPage, cliReference } from '../../scripts/cli-docs.mjs';
import { firstDifference } from '../../scripts/db/command-line.mjs';

describe('docs/cli.md', () => {
  it('is what the commands say of themselves (npm run types)', async () => {
    expect(firstDifference(await cliReference(), await readFile(cliPage, 'utf8'))).toBeUndefined();
  });
});
