import { clusterConfigs } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { describe } from '../../base/output.js';
import { findObjects } from '../../data/query.js';

export default class ServerConfigShow extends StarkCommand<typeof ServerConfigShow> {
  static override summary = 'Show the settings of the cluster as a whole.';
  static override examples = [
    '<%= config.bin %> server-config show',
    '<%= config.bin %> server-config show --output json',
  ];

  async run(): Promise<void> {
    for (const row of await findObjects(await this.connection(), clusterConfigs, {})) {
      await this.printObject(
        clusterConfigs.object(row),
        'clusterconfig/cluster',
        describe(clusterConfigs.details(row)),
      );
    }
    this.next('stark server-config set --help');
  }
}
