import { CommandHelp, Help } from '@oclif/core/help';

export const exitCodes = [
  '0 done, or already so',
  '1 failed',
  '2 wrong usage',
  '3 waiting timed out',
  '4 not signed in',
  '5 not allowed',
  '6 not found',
  '7 conflict or quota',
  '8 control plane unreachable',
  '9 this node is not wanted any more',
  '127 no such command',
  '130 interrupted',
];

class StarkCommandHelp extends CommandHelp {
  // Every flag in the usage line is a wall of brackets: what must be there is, the rest stands below.
  protected override defaultUsage(): string {
    const args = Object.values(this.command.args ?? {})
      .filter((arg) => !arg.hidden)
      .map(({ name, required, multiple }) => {
        const text = `${name.toUpperCase()}${multiple ? '...' : ''}`;
        return required ? text : `[${text}]`;
      });
    const required = Object.values(this.command.flags ?? {})
      .filter((flag) => flag.required)
      .map((flag) => `--${flag.name} ${flag.type === 'option' ? (flag.helpValue ?? '<value>') : ''}`.trim());
    return [this.command.id.replaceAll(':', ' '), ...args, ...required, '[FLAGS]'].join(' ');
  }

  override generate(): string {
    return `${super.generate()}\n\n${this.section('EXIT CODES', this.wrap(exitCodes.join(', ')))}`;
  }
}

/** oclif's help with our exit codes under every command. */
export default class StarkHelp extends Help {
  protected override CommandHelpClass = StarkCommandHelp;
}
