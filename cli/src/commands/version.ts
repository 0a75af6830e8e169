import { StarkCommand } from '../base/command.js';
import { describe } from '../base/output.js';

export default class Version extends StarkCommand<typeof Version> {
  static override summary = 'Show the version of this command.';
  static override examples = ['<%= config.bin %> version', '<%= config.bin %> version --output json'];

  async run(): Promise<void> {
    const object = {
      version: this.config.version,
      node: process.version,
      platform: `${process.platform}-${process.arch}`,
    };
    await this.printObject(
      object,
      `version/${object.version}`,
      describe([
        ['stark', object.version],
        ['Node.js', object.node],
        ['Platform', object.platform],
      ]),
    );
  }
}
