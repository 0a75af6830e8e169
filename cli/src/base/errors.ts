import { stripVTControlCharacters } from 'node:util';
import { StarkError, toStarkError, usageError } from '@stark-o/core/errors';
import { nearest } from './suggest.js';

interface OclifError extends Error {
  oclif?: { exit?: number };
  code?: string;
  flags?: string[];
  args?: { name: string; description?: string }[] | string[];
  parse?: { input?: { flags?: Record<string, { char?: string; hidden?: boolean; aliases?: string[] }> } };
}

/** Makes the one kind of error we show of everything that can be thrown: oclif's parse errors, the stack's, the API's. */
export function asStarkError(error: unknown, url?: string): StarkError {
  if (error instanceof Error) {
    const usage = asUsageError(error as OclifError);
    if (usage !== undefined) return usage;
    if (error.name === 'StackError') return asStackFailure(error);
    if (error.name === 'ExitPromptError' || error.name === 'AbortPromptError') return interrupted();
  }
  return toStarkError(error, { url });
}

/** What a command ends with that was stopped by Ctrl-C before it was done. */
export function interrupted(): StarkError {
  return new StarkError('interrupted', { code: 'INTERRUPTED' });
}

function asUsageError(error: OclifError): StarkError | undefined {
  // oclif writes this in front of whatever a flag's own parser threw, our StarkErrors included.
  const inFlag = /^Parsing --(\S+) \n\t([\s\S]*?)(?:\nSee more help with --help)?$/.exec(error.message);
  if (inFlag !== null) {
    const hint = error instanceof StarkError ? error.hint : undefined;
    const reason = plain(inFlag[2] ?? '');
    // Some of oclif's own messages name the flag again.
    return usageError(reason.includes(`--${inFlag[1]}`) ? reason : `--${inFlag[1]}: ${reason}`, hint);
  }
  if (error instanceof StarkError || error.oclif === undefined) return undefined;
  switch (error.constructor.name) {
    case 'NonExistentFlagsError':
      return unknownFlag(error);
    case 'RequiredArgsError': {
      const names = (error.args as { name: string }[]).map((arg) => arg.name.toUpperCase());
      return usageError(`missing argument${names.length === 1 ? '' : 's'}: ${names.join(', ')}`);
    }
    case 'UnexpectedArgsError':
      return usageError(`unexpected argument: ${(error.args as string[]).join(' ')}`);
    case 'FailedFlagValidationError': {
      const reasons = plain(error.message).split('\n').slice(1);
      return usageError(
        reasons.map((line) => line.trim().replace(/^Missing required flag (\S+)/, 'missing flag --$1')).join('; '),
      );
    }
    default:
      return usageError(decapitalise(plain(error.message)));
  }
}

function unknownFlag(error: OclifError): StarkError {
  const flags = Object.entries(error.parse?.input?.flags ?? {}).filter(([, flag]) => flag.hidden !== true);
  const known = flags.flatMap(([name, flag]) => [name, ...(flag.aliases ?? [])].map((long) => `--${long}`));
  const typed = (error.flags ?? []).map((flag) => flag.split('=')[0] ?? flag);
  const meant = typed.map((flag) => (flag.startsWith('--') ? nearest(flag, known) : undefined)).find(Boolean);
  const message = `unknown flag${typed.length === 1 ? '' : 's'}: ${typed.join(', ')}`;
  return usageError(meant === undefined ? message : `${message}; did you mean ${meant}?`);
}

function asStackFailure(error: Error & { code?: string; hint?: string; step?: string }): StarkError {
  const code = error.code ?? 'STACK_FAILED';
  return new StarkError(error.message, {
    code,
    hint: error.hint,
    ...(error.step === undefined ? {} : { details: { step: error.step } }),
    cause: error,
  });
}

const plain = (text: string) => stripVTControlCharacters(text).replace(/\nSee more help with --help$/, '');

// Our messages begin in lower case, because they stand behind `error: `.
const decapitalise = (text: string) =>
  text.startsWith('Flag --') ? text.slice('Flag '.length) : text.slice(0, 1).toLowerCase() + text.slice(1);
