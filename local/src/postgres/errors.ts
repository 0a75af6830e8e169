/** Why the embedded Postgres could not be made or started; `code` is stable, the message is for people. */
export type ClusterErrorCode =
  | 'PORT_TAKEN'
  | 'DATA_DIR_IN_USE'
  | 'DATA_DIR_UNREACHABLE'
  | 'NO_BINARIES'
  | 'NO_SYSTEM_USER'
  | 'NAMELESS_ACCOUNT'
  | 'EXTENSIONS_NOT_WRITABLE'
  | 'INITDB_FAILED'
  | 'START_FAILED'
  | 'STOP_TIMED_OUT'
  | 'NOT_RUNNING';

/** An error of the embedded Postgres that a caller can tell apart by `code`. */
export class ClusterError extends Error {
  override readonly name = 'ClusterError';

  constructor(
    readonly code: ClusterErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** The wanted TCP port belongs to somebody else; `pid` and `command` are known where the system tells. */
export class PortTakenError extends ClusterError {
  constructor(
    readonly port: number,
    readonly pid: number | null,
    readonly command: string | null,
  ) {
    const owner = pid === null ? 'another process' : `process ${pid}${command === null ? '' : ` (${command})`}`;
    super('PORT_TAKEN', `port ${port} on 127.0.0.1 is taken by ${owner}`);
  }
}
