import { usageError } from '@stark-o/core/errors';
import { StarkCommand } from '../../base/command.js';
import { names } from '../../base/flags.js';
import { printChanged } from '../../base/output.js';
import { findVersions, type VersionRow, versionView } from '../../data/packs.js';

export default class PackWithdraw extends StarkCommand<typeof PackWithdraw> {
  static override summary = 'Take versions of packs back: no new pod gets them, those that run keep them.';
  static override examples = [
    '<%= config.bin %> pack withdraw alpha@1.0.1',
    '<%= config.bin %> pack withdraw alpha@1.0.1 beta@2.0.0 --output json',
  ];
  static override args = { pack: names('version, as pack@version') };

  async run(): Promise<void> {
    const wanted = this.args.pack.map(versionNamed);
    const connection = await this.connection();
    for (const { pack, version } of wanted) {
      await connection.call('withdraw_pack_version', { p_name: pack, p_version: version });
    }
    const all = await findVersions(connection, [...new Set(wanted.map(({ pack }) => pack))]);
    const isMeant = (row: VersionRow) => this.args.pack.includes(`${row.pack_name}@${row.version}`);
    await printChanged(versionView, all.filter(isMeant), 'withdrawn', await this.format());
  }
}

function versionNamed(text: string): { pack: string; version: string } {
  const at = text.lastIndexOf('@');
  if (at < 1) throw usageError(`"${text}" names no version`, `write it as ${text || 'alpha'}@1.0.0`);
  return { pack: text.slice(0, at), version: text.slice(at + 1) };
}
