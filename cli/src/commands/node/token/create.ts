import * as Flags from '@oclif/core/flags';
import { parseDuration, parseLabels, parseTaint } from '@stark-o/core/model';
import { StarkCommand } from '../../../base/command.js';
import { acceptance, acceptFlags, repeated } from '../../../base/flags.js';
import { say } from '../../../base/terminal.js';
import { Contexts } from '../../../config/contexts.js';

export default class NodeTokenCreate extends StarkCommand<typeof NodeTokenCreate> {
  static override summary = 'Make a token by which machines join as nodes of yours.';
  static override description =
    'The token is shown this once. A machine that joins by it gets an account of its own, which speaks for that one node.';
  static override examples = [
    '<%= config.bin %> node token create --ttl 1h --label zone=b',
    '<%= config.bin %> node token create --uses 20 --taint dedicated=gpu:NoSchedule > join.token',
  ];
  static override flags = {
    ttl: Flags.string({ summary: 'How long it is good for: 30m, 1h, at most 30d.', default: '1h' }),
    uses: Flags.integer({ summary: 'How many nodes may join by it.', default: 1, min: 1, max: 1000 }),
    label: repeated({
      char: 'l',
      summary: 'Label of the nodes that join by it; may be repeated.',
      helpValue: '<key=value>',
    }),
    taint: repeated({
      summary: 'Taint of the nodes that join by it; may be repeated.',
      helpValue: '<key=value:Effect>',
    }),
    ...acceptFlags,
  };

  async run(): Promise<void> {
    const { flags } = this;
    const request = {
      p_ttl_seconds: Math.round(parseDuration(flags.ttl) / 1000),
      p_labels: parseLabels(flags.label ?? []),
      p_taints: (flags.taint ?? []).map(parseTaint),
      p_uses: flags.uses,
      ...acceptance(flags),
    };
    const connection = await this.connection();
    const made = await connection.call('create_join_token', request);
    await this.printObject(made, `token/${made.id}`, [made.token]);
    const nodes = made.max_uses === 1 ? 'one node' : `${made.max_uses} nodes`;
    const end = made.expires_at.replace(/\.\d+/, '');
    say(`join token ${made.id}, for ${nodes} until ${end}; it is not shown again`);
    const { url, problem } = await this.#fromElsewhere(connection.url);
    this.next(`stark node agent start --url ${url} --key ${connection.key} --token ${made.token}`);
    if (problem !== undefined) this.say(problem);
  }

  /** Where the machine that joins finds the cluster; a loopback address is that machine itself. */
  async #fromElsewhere(url: string): Promise<{ url: string; problem?: string }> {
    if (!/^http:\/\/(127\.|localhost[:/]|\[::1\])/.test(url)) return { url };
    const { configDirectory } = await this.settings();
    const { readStackState } = await import('@stark-o/local/running-stack');
    for (const { dataDir, url: known } of await new Contexts(configDirectory).list()) {
      if (dataDir === undefined || known !== url) continue;
      const [first] = (await readStackState(dataDir))?.reachableAt ?? [];
      if (first !== undefined) return { url: first };
    }
    return {
      url,
      problem: `${url} is reached on this machine only; for another one: stark down, then stark up --detach --host 0.0.0.0, then stark node token create`,
    };
  }
}
