const DAY_MS = 86_400_000;
const DAYS_BACK = 1;
const DAYS_AHEAD = 3;
const RETENTION_MS = 72 * 3_600_000;

/** What can run a statement: a client or the pool. */
export interface Queryable {
  query(text: string): Promise<{ rows: unknown[] }>;
}

/** Makes the partitions of yesterday to three days ahead. */
export async function createPartitions(client: Queryable, now: Date): Promise<void> {
  for (let offset = -DAYS_BACK; offset <= DAYS_AHEAD; offset++) {
    const day = dayOf(now.getTime() + offset * DAY_MS);
    const next = dayOf(now.getTime() + (offset + 1) * DAY_MS);
    const name = `realtime.messages_${day.replaceAll('-', '_')}`;
    await client.query(`
      do $partition$
      begin
        if to_regclass('${name}') is null then
          create table ${name} partition of realtime.messages for values from ('${day}') to ('${next}');
          alter table ${name} owner to supabase_realtime_admin;
        end if;
      exception
        -- Somebody else made it between the question and the answer.
        when duplicate_table then null;
      end
      $partition$`);
  }
}

/** Drops the partitions whose day is before 72 hours ago; says which. */
export async function dropOldPartitions(client: Queryable, now: Date): Promise<string[]> {
  const { rows } = await client.query(`
    select child.relname as name
    from pg_catalog.pg_inherits
    join pg_catalog.pg_class child on child.oid = inhrelid
    where inhparent = 'realtime.messages'::regclass`);
  const limit = dayOf(now.getTime() - RETENTION_MS);
  const dropped: string[] = [];
  for (const { name } of rows as { name: string }[]) {
    const day = /^messages_(\d{4})_(\d\d)_(\d\d)$/.exec(name)?.slice(1).join('-');
    if (day === undefined || day >= limit) continue;
    await client.query(`drop table if exists realtime.${name}`);
    dropped.push(name);
  }
  return dropped;
}

function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10);
}
