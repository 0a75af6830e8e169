import * as Flags from '@oclif/core/flags';
import { readStackState, stopStack } from '@stark-o/local/running-stack';
import { StarkCommand } from '../base/command.js';
import { Progress } from '../base/progress.js';
import { dataDirInForce } from '../stack/place.js';

export default class Down extends StarkCommand<typeof Down> {
  static override summary = 'Stop the cluster of this machine; its data stays.';
  static override examples = ['<%= config.bin %> down', '<%= config.bin %> down --data-dir /tmp/stark'];
  static override flags = {
    'data-dir': Flags.string({ summary: 'The data directory of the cluster. Default: that of the context.' }),
  };

  async run(): Promise<void> {
    const dataDir = await dataDirInForce(this.flags);
    const running = await readStackState(dataDir);
    if (running !== undefined) {
      const progress = new Progress();
      progress.now(`stopping the stack in ${dataDir}`);
      await stopStack(dataDir).finally(() => progress.clear());
    }
    const stopped = running !== undefined;
    const line = stopped ? `stopped the stack in ${dataDir}` : `no stack is running in ${dataDir}`;
    await this.printObject({ data_dir: dataDir, stopped, pid: running?.pid ?? null }, `stack/${dataDir}`, [line]);
  }
}
