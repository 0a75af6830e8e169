import * as Flags from '@oclif/core/flags';
import { usageError } from '@stark-o/core/errors';
import { clusterConfigs } from '@stark-o/core/resources';
import { StarkCommand } from '../../base/command.js';
import { optionalWords } from '../../base/flags.js';
import { describe } from '../../base/output.js';

export default class ServerConfigSet extends StarkCommand<typeof ServerConfigSet> {
  static override summary = 'Change settings of the cluster as a whole.';
  static override description =
    'Settings are those of stark server-config show. With registration enabled, an agent may join that shows neither an account nor a join token.';
  static override examples = [
    '<%= config.bin %> server-config set --enable-registration',
    '<%= config.bin %> server-config set scheduling_policy=bin_pack default_cpu_request=50 --output json',
  ];
  static override args = { setting: optionalWords('A setting and its value, as name=value; several may be given.') };
  static override flags = {
    'enable-registration': Flags.boolean({
      summary: 'Let nodes join by themselves.',
      exclusive: ['disable-registration'],
    }),
    'disable-registration': Flags.boolean({ summary: 'Let nodes join with an account or a join token only.' }),
    'enable-sign-up': Flags.boolean({ summary: 'Let people sign up by themselves.', exclusive: ['disable-sign-up'] }),
    'disable-sign-up': Flags.boolean({ summary: 'Let only stark auth add-user make accounts.' }),
  };

  async run(): Promise<void> {
    const { flags } = this;
    const changes = {
      ...Object.fromEntries((this.args.setting ?? []).map(settingOf)),
      ...(flags['enable-registration'] && { allow_node_registration: true }),
      ...(flags['disable-registration'] && { allow_node_registration: false }),
      ...(flags['enable-sign-up'] && { allow_registration: true }),
      ...(flags['disable-sign-up'] && { allow_registration: false }),
    };
    if (Object.keys(changes).length === 0) throw usageError('say what to change', 'stark server-config show');
    const connection = await this.connection();
    const row = await connection.call('update_cluster_config', { p_changes: changes });
    const lines = describe(clusterConfigs.details(row).filter(([name]) => name in changes));
    await this.printObject(clusterConfigs.object(row), 'clusterconfig/cluster', lines);
  }
}

/** Text stays text; numbers and truths are what they look like, and the cluster says which a setting takes. */
function settingOf(pair: string): [string, string | number | boolean] {
  const [, name, value = ''] = /^([a-z_]+)=(.*)$/.exec(pair) ?? [];
  if (name === undefined) throw usageError(`"${pair}" is no setting`, 'write it as name=value');
  if (value === 'true' || value === 'false') return [name, value === 'true'];
  return [name, /^-?\d{1,15}$/.test(value) ? Number(value) : value];
}
