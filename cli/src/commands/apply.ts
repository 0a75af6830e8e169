import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import type { AppliedObjects } from '@stark-o/core/model';
import { StarkCommand } from '../base/command.js';
import { waitFlags, yesFlag } from '../base/flags.js';
import { confirm } from '../base/prompt.js';
import { say } from '../base/terminal.js';
import { waitTime } from '../base/wait.js';
import { applyObjects, prepareProject, uploadBundles, waitForApplied } from '../project/apply.js';
import { applyFlags, fileFlags } from '../project/flags.js';
import { loadProject } from '../project/load.js';
import { differs, printAnswer, printChanges, titleOf } from '../project/show.js';

export default class Apply extends StarkCommand<typeof Apply> {
  static override summary = 'Make things as files say that they should be.';
  static override description =
    'All of them in one transaction, or none. Packs are bundled and uploaded first, when their bytes are new. What the last apply stated of a thing and this one does not is removed; what no file states is left alone. Without --filename it is stark.config.ts or stark.yaml of this folder.';
  static override examples = [
    '<%= config.bin %> apply --filename stark.yaml --wait=2m',
    '<%= config.bin %> apply --filename ./deploy --prune --dry-run',
  ];
  static override flags = {
    ...fileFlags,
    ...applyFlags,
    'dry-run': Flags.boolean({ summary: 'Say what would be done, and do nothing.' }),
    ...yesFlag,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const { namespace } = await this.settings();
    const loaded = await loadProject(flags.filename ?? [], { namespace, recursive: flags.recursive });
    const prepared = await prepareProject(loaded);
    const connection = await this.connection();
    const options = { prune: flags.prune, takeOver: flags['take-over'] };
    const looksFirst = flags['dry-run'] || flags.prune || prepared.packs.length > 0;
    const foretold = looksFirst ? await applyObjects(connection, prepared, { ...options, dryRun: true }) : undefined;
    if (flags['dry-run'] && foretold !== undefined) {
      await this.#print(foretold);
      say('nothing was done: --dry-run');
      return;
    }
    if (foretold !== undefined) {
      if (!(await this.#mayPrune(foretold))) return;
      await uploadBundles(connection, prepared, foretold);
    }
    // What was listed is what is pruned, or nothing is done.
    const digest = flags.prune ? foretold?.digest : undefined;
    const done = await applyObjects(connection, prepared, { ...options, digest });
    const timeoutMs = waitTime(flags);
    if (timeoutMs !== undefined) await waitForApplied(connection, done, timeoutMs);
    await this.#print(done);
    for (const { name, token } of done.tokens) say(`join token ${name}: ${token}; it is not shown again`);
    if (differs(done)) this.next('stark get deployments,pods');
  }

  /** Lists what would be removed, and asks; more than half of a set is removed only when somebody says so. */
  async #mayPrune({ changes, members, project }: AppliedObjects): Promise<boolean> {
    const removed = changes.filter(({ action }) => action === 'deleted');
    for (const change of removed) say(`prunes ${titleOf(change)}`);
    if (removed.length === 0) return true;
    if (removed.length * 2 > members && !this.flags.yes) {
      throw usageError(
        `--prune would remove ${removed.length} of the ${members} objects of project ${project}`,
        'if that is meant, add --yes',
      );
    }
    const { context } = await this.settings();
    return (
      process.stdin.isTTY !== true || confirm(`Remove ${removed.length} objects in context ${context}?`, this.flags.yes)
    );
  }

  async #print(answer: AppliedObjects): Promise<void> {
    const { changes } = answer;
    await printAnswer(answer, await this.format(), { table: () => printChanges(changes), listed: changes });
  }
}
