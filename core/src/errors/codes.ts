/** What is said of one code. `exit` names an exit code where the HTTP status does not decide it, or there is none. */
interface CodeEntry {
  status?: number;
  exit?:
    | 'usage'
    | 'waitTimedOut'
    | 'signIn'
    | 'notFound'
    | 'conflict'
    | 'unreachable'
    | 'nodeRemoved'
    | 'interrupted'
    | 'unknownCommand';
  /** Who says it: the client (in the command, in agents, in pages), the command, an agent, the embedded stack, an Edge Function. */
  by: 'client' | 'command' | 'agent' | 'stack' | 'function';
  means: string;
}

/**
 * Every code that no SQL function raises; those stand in `stark.error_codes`. docs/errors.md is made of both, and a test finds
 * a code that stands in neither.
 */
export const ERROR_CODES = {
  AGENT_CRASHED: { by: 'agent', means: 'The worker of an agent in a browser ended by an error of its own.' },
  ALREADY_EXISTS: { status: 409, by: 'client', means: 'A row or a file of this name is there already.' },
  ALREADY_WATCHED: { by: 'client', means: 'This client follows the topic already.' },
  AUTOSCALER_NOT_FOUND: { status: 404, by: 'command', means: 'No deployment of this name is autoscaled.' },
  BAD_SECRET_KEY: { status: 500, by: 'function', means: 'The platform refused the secret key of an Edge Function.' },
  BUNDLE_INVALID: { exit: 'usage', by: 'command', means: 'The pack cannot be bundled, or its bundle exports no pack.' },
  CLOSED: { by: 'client', means: 'The watch was closed before it was complete.' },
  CLUSTER_CONFIG_NOT_FOUND: { status: 404, by: 'command', means: 'The cluster has no configuration of this name.' },
  CONFIG_NOT_FOUND: { exit: 'usage', by: 'stack', means: 'supabase/config.toml cannot be read.' },
  CONFIG_SYNTAX: { exit: 'usage', by: 'stack', means: 'supabase/config.toml is not TOML.' },
  CONFIG_UNKNOWN_KEY: { exit: 'usage', by: 'stack', means: 'supabase/config.toml has a key that nobody knows.' },
  CONFIG_UNWRITABLE: { by: 'command', means: 'A file of the configuration cannot be written.' },
  CONFIG_VALUE: {
    exit: 'usage',
    by: 'stack',
    means: 'A value in supabase/config.toml is of the wrong kind, or not supported.',
  },
  CONTEXT_NOT_FOUND: { status: 404, by: 'command', means: 'No context has this name.' },
  CONTROL_UNSAFE: { by: 'stack', means: 'The folder of the control socket could be used by somebody else.' },
  DATABASE_UNREACHABLE: { by: 'command', means: 'The database cannot be reached by the URL that was given.' },
  DATA_DIR_IN_USE: { exit: 'conflict', by: 'stack', means: 'Another stack runs on the data directory.' },
  DATA_DIR_UNREACHABLE: { by: 'stack', means: 'The account of Postgres cannot get to the data directory.' },
  DATA_DIR_UNWRITABLE: { by: 'stack', means: 'The data directory cannot be written.' },
  DEPLOYMENT_FAILED: { by: 'command', means: 'A deployment that was waited for has failed.' },
  EXTENSIONS_NOT_WRITABLE: {
    by: 'stack',
    means: 'The files of the extensions cannot be put where Postgres looks for them.',
  },
  FIELD_NOT_FOUND: { status: 404, by: 'command', means: 'A kind of thing has no field of this name.' },
  FILE_NOT_FOUND: { status: 404, by: 'command', means: 'A file or folder that was named does not exist.' },
  FUNCTION_MISSING: { by: 'command', means: 'An Edge Function does not answer at the cluster.' },
  HOST_UNKNOWN: { exit: 'usage', by: 'stack', means: 'The machine has no such address to listen on.' },
  INITDB_FAILED: { by: 'stack', means: 'Postgres could not make a database in the data directory.' },
  INTERNAL: {
    status: 500,
    by: 'function',
    means: 'An Edge Function failed; its log has the correlation id of the message.',
  },
  INTERRUPTED: { exit: 'interrupted', by: 'command', means: 'Ctrl-C stopped the command before it was done.' },
  INVALID_CREDENTIALS: {
    exit: 'signIn',
    by: 'client',
    means: 'E-mail address and password do not match, or the token is none.',
  },
  INVALID_INPUT: {
    status: 400,
    by: 'function',
    means: 'A field of the request is missing or wrong; the details name it.',
  },
  INVALID_MANIFEST: {
    exit: 'usage',
    by: 'client',
    means: 'A document breaks the rules of its kind; the details have every field.',
  },
  ISOLATION_UNAVAILABLE: {
    by: 'agent',
    means: 'The machine does not hold the isolation that the agent was started with.',
  },
  KEYS_CORRUPT: { by: 'stack', means: 'The file of the stack’s keys is damaged.' },
  KEYS_EXPOSED: { by: 'stack', means: 'Others could read the stack’s keys.' },
  LOCK_UNAVAILABLE: { by: 'command', means: 'Files cannot be locked on this machine.' },
  METHOD_NOT_ALLOWED: { status: 405, by: 'function', means: 'The path does not take this method.' },
  MIGRATION_FAILED: { by: 'stack', means: 'A migration could not be applied.' },
  NAMELESS_ACCOUNT: { by: 'stack', means: 'The account has no name, and Postgres does not start for it.' },
  NODE_REMOVED: {
    exit: 'nodeRemoved',
    by: 'command',
    means: 'The cluster refuses the agent’s node for good: it was deleted, or its account.',
  },
  NODE_VERSION: { by: 'stack', means: 'Node.js is older than the stack needs.' },
  NOT_CONFIGURED: {
    status: 500,
    by: 'function',
    means: 'An Edge Function lacks the URL or the secret key of its project.',
  },
  NOT_FOUND: {
    status: 404,
    by: 'client',
    means: 'There is no such row, file, path or function, or the caller may not see it.',
  },
  NOT_RUNNING: { by: 'stack', means: 'Postgres was asked for before it was started.' },
  NOT_SIGNED_IN: { status: 401, exit: 'signIn', by: 'client', means: 'There is no session, or it has ended.' },
  NO_BINARIES: { by: 'stack', means: 'No build of Postgres is installed for this platform.' },
  NO_CLUSTER: { exit: 'usage', by: 'command', means: 'No cluster is known: none runs here, and none was named.' },
  NO_PREVIOUS_RUN: {
    exit: 'notFound',
    by: 'command',
    means: 'The pod was not restarted, so there is no log of a run before.',
  },
  NO_SESSION: { by: 'client', means: 'Auth answered without a session.' },
  NO_SYSTEM_USER: { by: 'stack', means: 'There is no account under which Postgres could run, and none can be made.' },
  ORIGIN_NOT_ALLOWED: {
    status: 403,
    by: 'function',
    means: 'A web page of this origin may not call the Edge Function.',
  },
  OTHER_DATABASE: {
    status: 409,
    by: 'function',
    means: 'The watcher was called by a copy of the database, or by one it was made of.',
  },
  OUTPUT_UNWRITABLE: { by: 'command', means: 'What the command prints cannot be written.' },
  PLATFORM_FAILED: { status: 500, by: 'function', means: 'A service of the platform failed and gave no code.' },
  POD_FAILED: { by: 'command', means: 'A pod that was waited for has failed.' },
  PORT_REFUSED: { by: 'stack', means: 'The system does not let the stack listen on the port.' },
  PORT_TAKEN: { exit: 'conflict', by: 'stack', means: 'Another process listens on the port.' },
  POSTGRES_LOST: { by: 'stack', means: 'Postgres ended and cannot be brought back.' },
  ROLE_BINDING_NOT_FOUND: { status: 404, by: 'command', means: 'No role binding has this id.' },
  ROLLOUT_FAILED: { by: 'command', means: 'A rollout that was waited for has failed.' },
  ROLLOUT_SUPERSEDED: {
    status: 409,
    by: 'command',
    means: 'A newer revision took the place of the one that was waited for.',
  },
  SCHEMA_MISMATCH: {
    status: 500,
    by: 'client',
    means: 'The database lacks a function or table of this version of Stark.',
  },
  SCHEMA_NOT_EXPOSED: { status: 500, by: 'client', means: 'Schema stark is not among the schemas that the API shows.' },
  SESSION_LOCKED: { by: 'command', means: 'Another process has held the session’s lock for too long.' },
  STACK_CHANGED: {
    exit: 'unreachable',
    by: 'agent',
    means: 'Another stack answers at the address than the one that was known there.',
  },
  STACK_ENDED: { by: 'command', means: 'The stack ended before it was ready.' },
  STACK_FAILED: { by: 'command', means: 'The stack failed and gave no code.' },
  STACK_NOT_RUNNING: { exit: 'unreachable', by: 'command', means: 'No stack runs on the data directory.' },
  STACK_REFUSED: { by: 'stack', means: 'The running stack refused what it was asked.' },
  STACK_SILENT: { by: 'stack', means: 'The running stack did not answer.' },
  START_FAILED: { by: 'stack', means: 'Postgres did not start.' },
  START_STOPPED: { by: 'stack', means: 'The start of the stack was stopped by Ctrl-C or a signal.' },
  STATEMENT_TIMEOUT: { status: 504, by: 'client', means: 'The statement took longer than the project lets it.' },
  STEP_FAILED: { by: 'stack', means: 'A step of the start failed; the message says why.' },
  STEP_TIMEOUT: { by: 'stack', means: 'A step of the start did not end in its time.' },
  STOP_TIMED_OUT: { by: 'stack', means: 'A Postgres process does not end.' },
  TOO_LARGE: { status: 413, by: 'client', means: 'The body of the request is larger than the service takes.' },
  TOO_MANY_REQUESTS: { status: 429, by: 'client', means: 'The service takes no more requests for now.' },
  UNKNOWN: { by: 'client', means: 'Something failed that gave neither a code nor a status.' },
  UNKNOWN_COMMAND: { exit: 'unknownCommand', by: 'command', means: 'There is no command of this name.' },
  UNREACHABLE: { exit: 'unreachable', by: 'client', means: 'There was no answer from the cluster.' },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, by: 'function', means: 'The body must be sent as application/json.' },
  USAGE: { exit: 'usage', by: 'client', means: 'Flags, arguments or values are not what the command takes.' },
  WAIT_TIMED_OUT: { exit: 'waitTimedOut', by: 'command', means: 'The time of --wait was over before it was so.' },
} as const satisfies Readonly<Record<string, CodeEntry>>;
