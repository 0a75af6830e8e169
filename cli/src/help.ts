import { CommandHelp, Help } from '@oclif/core/help';

const exitCodes = [
  '0 done, or already so',
  '1 failed',
  '2 wrong usage',
  '3 waiting timed out',
  '4 not signed in',
  '5 not allowed',
  '6 not found',
  '7 conflict or quota',
  '8 control plane unreachable',
  '127 no such command',
  '130 interrupted',
];

class StarkCommandHelp extends CommandHelp {
  override generate(): string {
    return `${super.generate()}\n\n${this.section('EXIT CODES', this.wrap(exitCodes.join(', ')))}`;
  }
}

/** oclif's help with our exit codes under every command. */
export default class StarkHelp extends Help {
  protected override CommandHelpClass = StarkCommandHelp;
}
