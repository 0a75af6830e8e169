/** Server settings, given on the command line so that one place shows all of them; roles and databases may still override. */
export function serverSettings(options: {
  directory: string;
  port: number;
  durable: boolean;
  settings?: Readonly<Record<string, string>> | undefined;
}): string[] {
  const settings: Record<string, string> = {
    // Only this machine may connect.
    listen_addresses: '127.0.0.1',
    port: String(options.port),
    unix_socket_directories: socketDirectory(options.directory),
    max_connections: '100',
    wal_level: 'logical',
    max_wal_senders: '20',
    max_replication_slots: '20',
    // A forgotten replication slot must not fill the disk.
    max_slot_wal_keep_size: '1GB',
    timezone: 'UTC',
    log_timezone: 'UTC',
    password_encryption: 'scram-sha-256',
    shared_preload_libraries: 'pg_stat_statements',
    // For all that has no limit of its own, jobs of pg_cron and migrations among them.
    statement_timeout: '120000',
    log_line_prefix: '%m [%p] %q%u@%d ',
    // Statement texts can hold secrets and the caller already has the error.
    log_min_error_statement: 'panic',
    // Sessions of a client that died must not keep locks for the two hours TCP allows.
    tcp_keepalives_idle: '60',
    tcp_keepalives_interval: '10',
    tcp_keepalives_count: '3',
    ...options.settings,
  };
  if (!options.durable) {
    // A commit still reaches the operating system before it is reported (synchronous_commit stays on): only a crash of
    // the machine loses data, a killed server does not, and tests kill servers.
    settings.fsync = 'off';
    settings.full_page_writes = 'off';
    // Tests read every statement that has run, and one file of them runs more than the 5,000 that are kept by default.
    settings['pg_stat_statements.max'] = '20000';
  }
  return Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
}

/** Options of initdb: like a hosted project sorted by ICU en-US, so that order does not depend on this machine's locales. */
export function initdbOptions(options: { directory: string; passwordFile: string; durable: boolean }): string[] {
  return [
    `--pgdata=${options.directory}`,
    '--username=supabase_admin',
    `--pwfile=${options.passwordFile}`,
    '--auth-host=scram-sha-256',
    // The socket stands in the data folder, which only the server's account (and root) may enter. See superuserRules.
    '--auth-local=trust',
    '--encoding=UTF8',
    '--locale=C',
    '--locale-provider=icu',
    '--icu-locale=en-US',
    ...(options.durable ? [] : ['--no-sync']),
  ];
}

/**
 * What stands in pg_hba.conf before initdb's own rules. The server's account may open the socket, and the server itself
 * runs as that account: without a password, `postgres` would be superuser by connecting back with dblink.
 */
export const superuserRules = `local all supabase_admin scram-sha-256
local replication supabase_admin scram-sha-256
`;

/**
 * The data folder, for the socket by which jobs log in as roles whose password nobody here knows; '' where socket
 * files do not exist or the name would be longer than the system allows (104 bytes on macOS, 108 on Linux).
 */
function socketDirectory(directory: string): string {
  const longest = Buffer.byteLength(`${directory}/.s.PGSQL.65535`);
  return process.platform === 'win32' || longest > 103 ? '' : directory;
}
