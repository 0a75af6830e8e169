import * as Flags from '@oclif/core/flags';
import { namespaceFlag } from '../base/flags.js';

/** Which files a command reads. */
export const fileFlags = {
  filename: Flags.string({
    char: 'f',
    summary: 'File or folder to read, - for standard input; may be repeated. Default: the project of this folder.',
    helpValue: '<file|folder|->',
    multiple: true,
    multipleNonGreedy: true,
  }),
  recursive: Flags.boolean({ char: 'R', summary: 'Folders within folders too.' }),
  ...namespaceFlag,
};

/** How objects are applied. */
export const applyFlags = {
  prune: Flags.boolean({
    summary: 'Remove what an earlier apply of this project made, and its files have not any more.',
  }),
  'take-over': Flags.boolean({ summary: 'Take objects that another project has.' }),
};
