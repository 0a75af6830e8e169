import pg from 'pg';

/** Opens one connection for some work, and closes it after it. */
export async function withSession<T>(databaseUrl: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  const session = new pg.Client({ connectionString: databaseUrl, connectionTimeoutMillis: 30_000 });
  // A connection that is lost fails the query under way; without a listener it would end the process as well.
  session.on('error', () => {});
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
