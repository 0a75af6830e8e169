import * as Flags from '@oclif/core/flags';
import { DEPLOYMENT_STATUSES } from '@stark-o/core/model';
import { deployments } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { allNamespacesFlag, namespaceFlag, optionalNames, selectorFlag, watchFlag } from '../../base/flags.js';
import { say } from '../../base/terminal.js';

export default class DeploymentList extends StarkCommand<typeof DeploymentList> {
  static override summary = 'List deployments.';
  static override examples = [
    '<%= config.bin %> deployment list --namespace production --selector app=web',
    '<%= config.bin %> deployment list --all-namespaces --status failed --output wide',
  ];
  static override args = { deployment: optionalNames('deployment') };
  static override flags = {
    ...namespaceFlag,
    ...allNamespacesFlag,
    ...selectorFlag,
    ...watchFlag,
    status: Flags.option({ options: DEPLOYMENT_STATUSES, summary: 'Only those with this status.' })(),
  };

  async run(): Promise<void> {
    const namespace = await this.namespace();
    const { selector, status } = this.flags;
    const filter = { namespace, names: this.args.deployment, selector, equal: { status } };
    if (this.flags.watch) return this.watch(deployments, filter);
    const found = await this.list(deployments, filter);
    if (found.length === 0) {
      say(`no deployments${namespace === undefined ? '' : ` in namespace ${namespace}`}`);
      this.next('stark deployment create web --pack <pack> --replicas 3');
    }
  }
}
