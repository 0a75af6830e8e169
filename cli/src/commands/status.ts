import * as Flags from '@oclif/core/flags';
import { EXIT_CODES, StarkError } from '@stark-o/core/errors';
import { readStackState } from '@stark-o/local/running-stack';
import { StarkCommand } from '../base/command.js';
import { Contexts } from '../config/contexts.js';
import { isHealthy, stackLines, stackObject } from '../stack/describe.js';
import { dataDirInForce } from '../stack/place.js';

export default class Status extends StarkCommand<typeof Status> {
  static override summary = 'Show the cluster of this machine: services, URLs, keys, health, versions.';
  static override description = 'Ends with 8 when no cluster is running, and with 1 when a service is not healthy.';
  static override examples = [
    '<%= config.bin %> status',
    '<%= config.bin %> status --data-dir /tmp/stark --output json',
  ];
  static override flags = {
    'data-dir': Flags.string({ summary: 'The data directory of the cluster. Default: that of the context.' }),
    'show-secrets': Flags.boolean({ summary: 'Also the secret key and the password of the database.' }),
  };

  async run(): Promise<void> {
    const dataDir = await dataDirInForce(this.flags);
    const status = await readStackState(dataDir);
    if (status === undefined) {
      throw new StarkError(`no stack is running in ${dataDir}`, {
        code: 'STACK_NOT_RUNNING',
        hint: 'stark up --detach',
      });
    }
    const contexts = await new Contexts((await this.settings()).configDirectory).list();
    const context = contexts.find(({ dataDir: known }) => known === status.dataDir)?.name ?? null;
    const stack = stackObject(status, context);
    await this.printObject(
      stack,
      `stack/${context ?? dataDir}`,
      stackLines(stack, { secrets: this.flags['show-secrets'] }),
    );
    if (!isHealthy(stack)) process.exitCode = EXIT_CODES.failed;
  }
}
