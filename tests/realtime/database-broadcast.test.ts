import type postgres from 'postgres';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { freshTopic, Service } from './support/service.js';
import { until } from './support/wait.js';
import type { Vsn, WireChannel } from './support/wire.js';

const warnings: string[] = [];
let service: Service;
let sql: postgres.Sql;
let asPostgres: postgres.Sql;
beforeAll(async () => {
  service = await Service.start();
  const collect = (notice: postgres.Notice) => warnings.push(`${notice.severity}: ${notice.message}`);
  sql = service.database.sql('supabase_admin', collect);
  asPostgres = service.database.sql('postgres', collect);
});
afterEach(() => {
  service.closeSockets();
  warnings.length = 0;
});
afterAll(() => service?.stop());

/** A channel under service_role that is told when the feed is up, so that sends will reach it. */
async function listener(topic: string, vsn: Vsn = '2.0.0', isPrivate = true): Promise<WireChannel> {
  const socket = await service.socket({ vsn, apikey: service.keys.serviceJwt });
  const channel = await socket.join(topic, { private: isPrivate, broadcast: { replication_ready: true } });
  await channel.system('Replication connection established', 10_000);
  return channel;
}

describe('§6 replication_ready', () => {
  it('is answered with system ok "Replication connection established" when the feed is up', async () => {
    const channel = await listener(freshTopic());
    expect(channel.all('system').map((frame) => frame.payload)).toEqual([
      { extension: 'system', status: 'ok', message: 'Replication connection established', channel: channel.topic },
    ]);
  });

  it('a channel that did not ask is not told', async () => {
    await listener(freshTopic());
    const quiet = await (await service.socket()).join(freshTopic());
    await sql`select realtime.send('{}', 'marker', ${quiet.topic}, false)`;
    await quiet.hear('marker');
    expect(quiet.all('system')).toEqual([]);
  });
});

describe('§6 realtime.send', () => {
  it('reaches vsn 2 as kind 4 with metadata {"id": row id}', async () => {
    const channel = await listener(freshTopic());
    await sql`select realtime.send('{"n": 1}', 'e', ${channel.topic})`;
    const frame = await channel.hear('e');
    const [row] = await sql`select * from realtime.messages where topic = ${channel.topic}`;
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 1, metadata: JSON.stringify({ id: row?.id }) });
    expect(frame.payload.payload).toEqual({ n: 1, id: row?.id });
    expect(row).toMatchObject({ extension: 'broadcast', event: 'e', private: true, binary_payload: null });
  });

  it('reaches vsn 1 as {type, event, payload: {..., id}, meta: {id}}', async () => {
    const channel = await listener(freshTopic(), '1.0.0');
    await sql`select realtime.send('{"n": 1}', 'e', ${channel.topic})`;
    const frame = await channel.hear('e');
    const id = frame.payload.meta.id;
    expect(id).toMatch(/^[0-9a-f-]{36}$/);
    expect(frame.payload).toEqual({ type: 'broadcast', event: 'e', payload: { n: 1, id }, meta: { id } });
  });

  it('an id in the payload is kept, meta.id is that of the row', async () => {
    const channel = await listener(freshTopic());
    await sql`select realtime.send('{"id": "mine"}', 'e', ${channel.topic})`;
    const { payload } = await channel.hear('e');
    expect(payload.payload).toEqual({ id: 'mine' });
    expect(payload.meta.id).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('is private unless told otherwise; public messages go to public channels only', async () => {
    const topic = freshTopic();
    const [hidden, open] = [await listener(topic), await listener(topic, '2.0.0', false)];
    await sql`select realtime.send('{}', 'hidden', ${topic})`;
    await sql`select realtime.send('{}', 'open', ${topic}, false)`;
    await sql`select realtime.send('{}', 'hidden end', ${topic}, true)`;
    await sql`select realtime.send('{}', 'open end', ${topic}, false)`;
    await hidden.hear('hidden end');
    await open.hear('open end');
    expect(hidden.heard()).toEqual(['hidden', 'hidden end']);
    expect(open.heard()).toEqual(['open', 'open end']);
  });

  it('is delivered to every subscriber, the sender in the database included in none', async () => {
    const topic = freshTopic();
    const channels = await Promise.all([listener(topic), listener(topic), listener(topic, '1.0.0')]);
    await sql`select realtime.send('{}', 'e', ${topic})`;
    for (const channel of channels) await channel.hear('e');
  });

  it('keeps the settings realtime.topic for the rest of the transaction', async () => {
    const [row] = await sql.begin(async (tx) => {
      await tx`select realtime.send('{}', 'e', 'a-topic')`;
      return tx`select realtime.topic()`;
    });
    expect(row?.topic).toBe('a-topic');
    const [outside] = await sql`select realtime.topic()`;
    expect(outside?.topic).toBeNull();
  });

  it('messages of one transaction arrive in the order of insertion', async () => {
    const channel = await listener(freshTopic());
    await sql`select realtime.send('{}', 'e' || n, ${channel.topic}) from generate_series(1, 50) n`;
    await channel.hear('e50');
    expect(channel.heard()).toEqual(Array.from({ length: 50 }, (_, n) => `e${n + 1}`));
  });

  it('transactions arrive in the order of their commits', async () => {
    const channel = await listener(freshTopic());
    const early = await sql.reserve();
    try {
      await early`begin`;
      await early`select realtime.send('{}', 'sent first', ${channel.topic})`;
      await sql`select realtime.send('{}', 'committed first', ${channel.topic})`;
      await channel.hear('committed first');
      await early`commit`;
    } finally {
      early.release();
    }
    await channel.hear('sent first');
    expect(channel.heard()).toEqual(['committed first', 'sent first']);
  });

  it('a rollback sends nothing, not even of a savepoint', async () => {
    const channel = await listener(freshTopic());
    await sql
      .begin(async (tx) => {
        await tx`select realtime.send('{}', 'rolled back', ${channel.topic})`;
        throw new Error('undo');
      })
      .catch((error) => expect(error.message).toBe('undo'));
    await sql.begin(async (tx) => {
      await tx`select realtime.send('{}', 'kept', ${channel.topic})`;
      await tx
        .savepoint(async (inner) => {
          await inner`select realtime.send('{}', 'rolled back too', ${channel.topic})`;
          throw new Error('undo');
        })
        .catch((error) => expect(error.message).toBe('undo'));
    });
    await sql`select realtime.send('{}', 'marker', ${channel.topic})`;
    await channel.hear('marker');
    expect(channel.heard()).toEqual(['kept', 'marker']);
  });

  it.each(['[1, 2]', '"text"', '7'])('a payload of %s is swallowed with a WARNING', async (payload) => {
    const topic = freshTopic();
    await sql.begin(async (tx) => {
      await tx.unsafe(`select realtime.send('${payload}'::jsonb, 'e', '${topic}')`);
      const [alive] = await tx`select 1 as one`;
      expect(alive?.one).toBe(1);
    });
    expect(await sql`select 1 from realtime.messages where topic = ${topic}`).toHaveLength(0);
    expect(warnings).toEqual([expect.stringMatching(/^WARNING: WarnSendingBroadcastMessage: ./)]);
  });

  it('a null payload inserts a row that is never delivered', async () => {
    const channel = await listener(freshTopic());
    await sql`select realtime.send(null, 'nothing', ${channel.topic})`;
    await sql`select realtime.send('{}', 'marker', ${channel.topic})`;
    await channel.hear('marker');
    expect(channel.heard()).toEqual(['marker']);
    expect(await sql`select 1 from realtime.messages where topic = ${channel.topic}`).toHaveLength(2);
  });

  it('a missing partition is swallowed with a WARNING', async () => {
    await sql
      .begin(async (tx) => {
        await tx.unsafe(`do $$ declare part text; begin
          for part in select inhrelid::regclass from pg_inherits where inhparent = 'realtime.messages'::regclass loop
            execute format('alter table realtime.messages detach partition %s', part);
          end loop; end $$`);
        await tx`select realtime.send('{}', 'e', 'no-partition')`;
        expect(warnings.at(-1)).toMatch(/^WARNING: WarnSendingBroadcastMessage: no partition of relation/);
        throw new Error('undo');
      })
      .catch((error) => expect(error.message).toBe('undo'));
  });

  it('a caller whom the insert policies deny sends nothing and gets a WARNING; one whom they allow sends', async () => {
    const channel = await listener(freshTopic());
    const user = await service.user(channel.topic, ['broadcast:write']);
    const sendAs = (sub: string, event: string) =>
      sql.begin(async (tx) => {
        await tx`select set_config('role', 'authenticated', true),
          set_config('request.jwt.claims', ${JSON.stringify({ sub, role: 'authenticated' })}, true)`;
        await tx`select realtime.send('{}', ${event}, ${channel.topic})`;
      });
    await sendAs('00000000-0000-4000-8000-000000000000', 'denied');
    expect(warnings).toEqual([
      expect.stringMatching(/^WARNING: WarnSendingBroadcastMessage: new row violates row-level/),
    ]);
    await sendAs(user.id, 'allowed');
    await channel.hear('allowed');
    expect(channel.heard()).toEqual(['allowed']);
  });

  it('postgres and service_role pass the policies', async () => {
    const channel = await listener(freshTopic());
    await asPostgres`select realtime.send('{}', 'by postgres', ${channel.topic})`;
    await asPostgres.begin(async (tx) => {
      await tx`set local role service_role`;
      await tx`select realtime.send('{}', 'by service_role', ${channel.topic})`;
    });
    await channel.hear('by service_role');
    expect(channel.heard()).toEqual(['by postgres', 'by service_role']);
  });

  it('is delivered whole when it is large', async () => {
    const channel = await listener(freshTopic());
    await sql`select realtime.send(jsonb_build_object('fill', repeat('x', 2000000)), 'large', ${channel.topic})`;
    expect((await channel.hear('large')).payload.payload.fill).toHaveLength(2_000_000);
  });

  it('is delivered to many topics of one statement, each to its own', async () => {
    const [one, two] = [await listener(freshTopic()), await listener(freshTopic())];
    await sql`select realtime.send('{}', 'e', topic) from unnest(${[one.topic, two.topic]}::text[]) topic`;
    await one.hear('e');
    await two.hear('e');
  });
});

describe('§6 realtime.send_binary', () => {
  it('reaches vsn 2 as kind 4 with encoding 0 and metadata, vsn 1 not at all', async () => {
    const topic = freshTopic();
    const [recent, old] = [await listener(topic), await listener(topic, '1.0.0')];
    await sql`select realtime.send_binary('\\x00ff10'::bytea, 'raw', ${topic})`;
    await sql`select realtime.send('{}', 'marker', ${topic})`;
    const frame = await recent.hear('raw');
    const [row] = await sql`select id from realtime.messages where topic = ${topic} and event = 'raw'`;
    expect(frame.binary).toMatchObject({ kind: 4, encoding: 0, metadata: JSON.stringify({ id: row?.id }) });
    expect(frame.binary?.bytes.toString('hex')).toBe('00ff10');
    await old.hear('marker');
    expect(old.heard()).toEqual(['marker']);
  });
});

describe('§6 realtime.broadcast_changes', () => {
  beforeAll(async () => {
    await sql.unsafe(`
      create table public.notes (id int primary key, body text);
      create function public.announce() returns trigger language plpgsql as $$ begin
        perform realtime.broadcast_changes('notes', tg_op, tg_op, tg_table_name, tg_table_schema, new, old);
        return null;
      end $$;
      create trigger announce after insert or update or delete on public.notes
        for each row execute function public.announce();`);
  });

  it('sends {operation, table, schema, record, old_record} for each row', async () => {
    const channel = await listener('notes');
    await sql`insert into public.notes values (1, 'a')`;
    await sql`update public.notes set body = 'b'`;
    await sql`delete from public.notes`;
    const common = { id: expect.any(String), table: 'notes', schema: 'public' };
    const expected = [
      { ...common, operation: 'INSERT', record: { id: 1, body: 'a' }, old_record: null },
      { ...common, operation: 'UPDATE', record: { id: 1, body: 'b' }, old_record: { id: 1, body: 'a' } },
      { ...common, operation: 'DELETE', record: null, old_record: { id: 1, body: 'b' } },
    ];
    await channel.hear('DELETE');
    expect(channel.all('broadcast').map((frame) => frame.payload.payload)).toEqual(expected);
  });

  it.each([
    ['statement level', `'INSERT', 'STATEMENT'`],
    ['an unknown operation', `'MERGE', 'ROW'`],
  ])('%s raises and so aborts the transaction', async (_name, operationAndLevel) => {
    const [operation, level] = operationAndLevel.split(', ');
    await expect(
      sql.unsafe(
        `select realtime.broadcast_changes('t', 'e', ${operation}, 'notes', 'public', row(1), row(1), ${level})`,
      ),
    ).rejects.toThrow();
  });
});

describe('§6 the feed comes back', () => {
  const arrivesAgain = async (channel: WireChannel) => {
    let attempt = 0;
    await until(
      'a send to arrive again',
      async () => {
        attempt += 1;
        await service.sql`select realtime.send('{}', ${`again ${attempt}`}, ${channel.topic})`;
        return channel.heard().length > 0;
      },
      20_000,
      250,
    );
  };
  const joinAgain = async () => {
    const socket = await service.socket({ apikey: service.keys.serviceJwt });
    return socket.join(freshTopic(), { private: true, broadcast: { replication_ready: true } });
  };

  it('after its connections were cut', async () => {
    await listener(freshTopic());
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
      where pid <> pg_backend_pid() and (backend_type = 'walsender' or application_name ilike '%realtime%')`;
    // A join in the very moment is refused, and tried again, as the official client would.
    await arrivesAgain(await until('a join', () => joinAgain().catch(() => undefined), 15_000, 250));
  });

  it('also when they are cut again and again under joins, without an uncaught error', async () => {
    // Slow policies, so that the cut finds connections in the middle of a check.
    await sql.unsafe(`
      create policy "slow readers" on realtime.messages for select to authenticated
        using (realtime.topic() like 'slow-%' and pg_catalog.pg_sleep(0.02) is not null);
      create policy "slow writers" on realtime.messages for insert to authenticated
        with check (realtime.topic() like 'slow-%' and pg_catalog.pg_sleep(0.02) is not null)`);
    const token = (await service.user('nothing')).token();
    const cut = setInterval(() => {
      sql`select pg_terminate_backend(pid) from pg_stat_activity
        where pid <> pg_backend_pid() and application_name ilike '%realtime%'`.execute();
    }, 40);
    const answers: string[] = [];
    const uncaught: string[] = [];
    const collect = (error: Error) => uncaught.push(error.message);
    process.on('uncaughtException', collect);
    try {
      const sockets = await Promise.all([1, 2, 3, 4].map(() => service.socket()));
      const joins = sockets.map(async (socket) => {
        for (let n = 0; n < 20; n += 1) {
          const topic = freshTopic('slow');
          const reply = await socket.tryJoin(topic, { private: true }, { access_token: token });
          answers.push(reply.payload.response.reason ?? 'ok');
          socket.send(`realtime:${topic}`, 'broadcast', { type: 'broadcast', event: 'e', payload: {} });
        }
      });
      await Promise.all(joins);
    } finally {
      clearInterval(cut);
      process.off('uncaughtException', collect);
      await sql.unsafe(`drop policy "slow readers" on realtime.messages;
        drop policy "slow writers" on realtime.messages`);
    }
    expect(uncaught).toEqual([]);
    // Refusals have to be those of a database that cannot be reached, nothing unforeseen.
    const reasons = new Set(answers.map((answer) => answer.replace(/:.*/, '')));
    const allowed = ['ok', 'UnableToConnectToProject', 'InitializingProjectConnection', 'DatabaseLackOfConnections'];
    expect([...reasons].filter((reason) => !allowed.includes(reason))).toEqual([]);
    await arrivesAgain(await until('a join', () => joinAgain().catch(() => undefined), 15_000, 250));
  });

  it('after Postgres was restarted and databaseRestarted() called; meanwhile joins, public too, are refused', async () => {
    await service.database.halt();
    const reply = await (await service.socket()).tryJoin(freshTopic());
    expect(reply.payload.status).toBe('error');
    expect(reply.payload.response.reason).toMatch(/^(UnableToConnectToProject|InitializingProjectConnection): ./);
    await service.database.resume();
    service.server.databaseRestarted();
    await until('Postgres to answer', () => service.sql`select 1`.catch(() => undefined), 10_000, 200);
    await arrivesAgain(await until('a join', () => joinAgain().catch(() => undefined), 15_000, 250));
  });
});
