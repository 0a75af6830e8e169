import { ERROR_CODES } from './codes.js';

/** What the `stark` command exits with. */
export const EXIT_CODES = {
  ok: 0,
  failed: 1,
  usage: 2,
  waitTimedOut: 3,
  signIn: 4,
  denied: 5,
  notFound: 6,
  conflict: 7,
  unreachable: 8,
  nodeRemoved: 9,
  unknownCommand: 127,
  interrupted: 130,
} as const;

export type ExitCode = (typeof EXIT_CODES)[keyof typeof EXIT_CODES];

const BY_CODE: Readonly<Record<string, { by: string; exit?: keyof typeof EXIT_CODES } | undefined>> = ERROR_CODES;

/** The exit code of an error: by its code where that is decisive, else by its HTTP status. */
export function exitCodeOf(code: string, status: number | undefined): ExitCode {
  const byCode = Object.hasOwn(BY_CODE, code) ? BY_CODE[code]?.exit : undefined;
  if (byCode !== undefined) return EXIT_CODES[byCode];
  switch (status) {
    case 400:
    case 413:
    case 415:
    case 422:
      return EXIT_CODES.usage;
    case 401:
      return EXIT_CODES.signIn;
    case 403:
      return EXIT_CODES.denied;
    case 404:
    case 410:
      return EXIT_CODES.notFound;
    case 409:
    case 423:
    case 429:
      return EXIT_CODES.conflict;
    case 502:
    case 503:
    case 504:
      return EXIT_CODES.unreachable;
    default:
      return EXIT_CODES.failed;
  }
}
