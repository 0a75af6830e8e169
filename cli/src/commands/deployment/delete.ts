import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { deployments } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { namespaceFlag, optionalNames, selectorFlag, waitFlags, yesFlag } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { confirm, confirmTyped } from '../../base/prompt.js';
import { say } from '../../base/terminal.js';
import { waitFor, waitTime } from '../../base/wait.js';
import { findDeployments } from '../../data/deployments.js';

export default class DeploymentDelete extends StarkCommand<typeof DeploymentDelete> {
  static override summary = 'Delete deployments with their pods, which are stopped first.';
  static override description =
    'On a terminal it asks for the name; a script says --yes, or --force, which evicts the pods at once. With --cascade orphan the pods run on, managed by nobody.';
  static override examples = [
    '<%= config.bin %> deployment delete web --yes --wait=1m',
    '<%= config.bin %> deployment delete web --cascade orphan --yes',
  ];
  static override args = { deployment: optionalNames('deployment') };
  static override flags = {
    ...namespaceFlag,
    ...selectorFlag,
    force: Flags.boolean({ summary: 'Evict all pods at once, and do not ask.' }),
    cascade: Flags.option({
      options: ['background', 'orphan'] as const,
      summary: 'What becomes of the pods.',
      default: 'background',
    })(),
    ...yesFlag,
    ...waitFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const names = this.args.deployment;
    if ((names === undefined) === (flags.selector === undefined)) {
      throw usageError('name the deployments, or give --selector');
    }
    const timeoutMs = waitTime(flags);
    const { namespace, context } = await this.settings();
    const connection = await this.connection();
    const found = await findDeployments(connection, { namespace, names, selector: flags.selector });
    const [first, ...others] = found;
    if (first === undefined) return say(`no deployments in namespace ${namespace}`);
    const sure = flags.yes || flags.force;
    const list = found.map(({ name }) => name).join(', ');
    if (others.length === 0) {
      await confirmTyped(`This deletes deployment ${list} of namespace ${namespace} in ${context}.`, first.name, sure);
    } else if (!(await confirm(`Delete ${found.length} deployments (${list}) of ${namespace} in ${context}?`, sure))) {
      return;
    }
    for (const { name } of found) {
      const at = { p_namespace: namespace, p_name: name };
      await connection.call('delete_deployment', { ...at, p_cascade: flags.cascade, p_force: flags.force });
    }
    if (timeoutMs !== undefined) {
      const ids = found.map(({ id }) => id);
      await waitFor({
        poll: () => findDeployments(connection, { names: ids, allowMissing: true }),
        judge: ([left, ...more]) =>
          left === undefined
            ? { done: true }
            : { waiting: `${more.length + 1} left; ${left.name}: ${left.current_replicas} pods are there` },
        timeoutMs,
        resume: `stark wait deployment ${found.map(({ name }) => name).join(' ')} --for delete`,
      });
    }
    const done =
      timeoutMs === undefined && flags.cascade === 'background' ? (deployments.remove?.done ?? '') : 'deleted';
    await printChanged(deployments, found, done, await this.format());
  }
}
