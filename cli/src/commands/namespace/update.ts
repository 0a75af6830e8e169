import { usageError } from '@stark-o/core/errors';
import { checkLabelKey } from '@stark-o/core/model';
import { namespaces } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { argument, repeated } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { namespaceSpecFlags, namespaceSpecOf, quotaNames } from '../../data/namespaces.js';

export default class NamespaceUpdate extends StarkCommand<typeof NamespaceUpdate> {
  static override summary = 'Change labels, quota and limits of a namespace; pods that exist stay.';
  static override examples = [
    '<%= config.bin %> namespace update team-a --quota pods=50 --remove-label trial',
    '<%= config.bin %> namespace update team-a --remove-quota cpu --max memory=2Gi',
  ];
  static override args = { name: argument('Name of the namespace.') };
  static override flags = {
    ...namespaceSpecFlags,
    'remove-label': repeated({ summary: 'Label to remove; may be repeated.', helpValue: '<key>' }),
    'remove-quota': repeated({ summary: 'Amount to limit no longer; may be repeated.', helpValue: '<name>' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const gone = (names: readonly string[] | undefined) =>
      Object.fromEntries((names ?? []).map((name) => [name, null] as const));
    for (const key of flags['remove-label'] ?? []) checkLabelKey(key);
    const unknown = flags['remove-quota']?.find((name) => !quotaNames.includes(name));
    if (unknown !== undefined) throw usageError(`there is no quota ${unknown}`, `known: ${quotaNames.join(', ')}`);
    const spec = namespaceSpecOf(flags);
    const changes = {
      p_labels: { ...spec.p_labels, ...gone(flags['remove-label']) },
      p_quota: { ...spec.p_quota, ...gone(flags['remove-quota']) },
      p_limit_range: spec.p_limit_range,
    };
    if (Object.values(changes).every((patch) => Object.keys(patch).length === 0)) {
      throw usageError('say what to change', 'e.g. --quota pods=50');
    }
    const connection = await this.connection();
    const changed = await connection.call('update_namespace', { p_name: this.args.name, ...changes });
    await printChanged(namespaces, [changed], 'updated', await this.format());
  }
}
