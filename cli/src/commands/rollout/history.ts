import * as Flags from '@oclif/core/flags';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { names, namespaceFlag } from '../../base/flags.js';
import { toYaml, type View, writeData } from '../../base/output.js';
import { deploymentName, findDeployments } from '../../data/deployments.js';
import { findRevisions, historyColumns, type RevisionRow, revisionObject } from '../../data/rollouts.js';

const view: View<RevisionRow> = {
  kind: 'revision',
  name: ({ revision }) => String(revision),
  object: revisionObject,
  columns: historyColumns,
};

export default class RolloutHistory extends StarkCommand<typeof RolloutHistory> {
  static override summary = 'List the revisions of a deployment, with what made each and how it fared.';
  static override examples = [
    '<%= config.bin %> rollout history web',
    '<%= config.bin %> rollout history web --revision 3 --output yaml',
  ];
  static override args = { deployment: names('deployment') };
  static override flags = {
    ...namespaceFlag,
    revision: Flags.integer({ summary: 'Only this one, with its template.', min: 1 }),
  };

  async run(): Promise<void> {
    const { revision } = this.flags;
    const { namespace } = await this.settings();
    const connection = await this.connection();
    const name = deploymentName(this.args.deployment);
    for (const { id } of await findDeployments(connection, { namespace, names: [name] })) {
      const all = await findRevisions(connection, id);
      const chosen = revision === undefined ? all : all.filter((one) => one.revision === revision);
      if (chosen.length === 0) {
        throw new StarkError(`deployment ${name} has no revision ${revision}`, {
          code: 'REVISION_NOT_FOUND',
          exitCode: EXIT_CODES.notFound,
          hint: `stark rollout history ${name}`,
        });
      }
      await this.printList(view, chosen);
      if (revision !== undefined && (await this.format()) === 'table') {
        await writeData(`\n${await toYaml(chosen[0]?.template)}`);
      }
    }
    this.next(`stark rollout undo ${name}`);
  }
}
