import * as Flags from '@oclif/core/flags';
import { StarkCommand } from '../../base/command.js';
import type { Column } from '../../base/table.js';
import { type Setting, type SettingName, settingNames } from '../../config/settings.js';
import { mask } from '../../session/debug-fetch.js';

interface Row extends Setting {
  name: SettingName;
}

const origin: Column<Row> = { header: 'ORIGIN', value: (row) => row.origin };

export default class ConfigView extends StarkCommand<typeof ConfigView> {
  static override summary = 'Show the settings in force.';
  static override description =
    'A flag stands above a STARK_* variable, that above the stark.json of the project, that above the context, that above the default.';
  static override examples = [
    '<%= config.bin %> config view --show-origin',
    '<%= config.bin %> config view --output json',
  ];
  static override flags = {
    'show-origin': Flags.boolean({ summary: 'Also say where each setting comes from.' }),
  };

  async run(): Promise<void> {
    const { all } = await this.settings();
    const secrets = new Set<SettingName>(['key', 'token']);
    const rows: Row[] = settingNames.map((name) => {
      const { value, origin: from } = all[name];
      return { name, value: secrets.has(name) && value !== undefined ? mask(value) : value, origin: from };
    });
    await this.printList(
      {
        kind: 'setting',
        name: (row) => row.name,
        object: (row) => ({ name: row.name, value: row.value ?? null, origin: row.origin }),
        columns: [
          { header: 'NAME', value: (row) => row.name },
          { header: 'VALUE', value: (row) => row.value },
          { ...origin, wide: !this.flags['show-origin'] },
        ],
      },
      rows,
    );
  }
}
