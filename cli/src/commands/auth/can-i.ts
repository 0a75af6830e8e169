import { KINDS, kindNamed } from '@stark-o/core/kinds';
import { StarkCommand } from '../../base/command.js';
import { argument, namespaceFlag } from '../../base/flags.js';

export default class AuthCanI extends StarkCommand<typeof AuthCanI> {
  static override summary = 'Ask whether you may do something.';
  static override description =
    'Prints yes or no, and ends with 1 when the answer is no, and with 2 for what no right is about. Without --namespace the question is about the whole cluster.';
  static override examples = [
    '<%= config.bin %> auth can-i create pods --namespace team-a',
    '<%= config.bin %> auth can-i update nodes --output json',
  ];
  static override args = {
    verb: argument('What to do: get, create, update, delete …'),
    kind: argument('To what: pods, nodes, packs, logs, namespaces, users …'),
  };
  static override flags = { ...namespaceFlag };

  async run(): Promise<void> {
    const { verb } = this.args;
    const named = kindNamed(this.args.kind);
    const kind = named === undefined ? this.args.kind : KINDS[named].rights;
    const namespace = this.flags.namespace ?? null;
    const connection = await this.connection();
    const allowed = await connection.call('can_i', { p_verb: verb, p_kind: kind, p_namespace: namespace });
    const answer = allowed ? 'yes' : 'no';
    await this.printObject({ allowed, verb, kind, namespace }, answer, [answer]);
    if (!allowed) process.exitCode = 1;
  }
}
