import { randomUUID } from 'node:crypto';
import { createRealtimeServer, type RealtimeOptions, type RealtimeServer } from '@stark-o/realtime';
import type postgres from 'postgres';
import { type GatewayKeys, startGateway, type TestGateway } from './gateway.js';
import { TestPostgres } from './postgres.js';
import { JWT_SECRET, roleToken, userToken } from './tokens.js';
import { WireSocket, type WireSocketOptions } from './wire.js';

/** Rights a test user may hold on a topic, as policies on realtime.messages read them. */
export type Right = 'broadcast:read' | 'broadcast:write' | 'presence:read' | 'presence:write';

const rights = `
  create table public.rights (subject uuid not null, topic text not null, extension text not null, verb text not null);
  grant select on public.rights to anon, authenticated;
  create policy "holders of the right may read" on realtime.messages for select to authenticated using (
    exists (select 1 from public.rights r where r.subject = auth.uid() and r.topic = realtime.topic()
              and r.extension = messages.extension and r.verb = 'read'));
  create policy "holders of the right may write" on realtime.messages for insert to authenticated with check (
    exists (select 1 from public.rights r where r.subject = auth.uid() and r.topic = realtime.topic()
              and r.extension = messages.extension and r.verb = 'write'));
`;

/** One Postgres, one gateway and one Realtime server; the server can be replaced by one with other options. */
export class Service {
  readonly database: TestPostgres;
  readonly gateway: TestGateway;
  readonly keys: GatewayKeys;
  readonly sql: postgres.Sql;
  readonly #sockets = new Set<WireSocket>();
  server!: RealtimeServer;

  private constructor(database: TestPostgres, gateway: TestGateway, keys: GatewayKeys) {
    this.database = database;
    this.gateway = gateway;
    this.keys = keys;
    this.sql = database.sql();
  }

  static async start(options: Partial<RealtimeOptions> = {}): Promise<Service> {
    const keys = {
      publishable: 'sb_publishable_test',
      secret: 'sb_secret_test',
      anonJwt: roleToken('anon'),
      serviceJwt: roleToken('service_role'),
    };
    const service = new Service(await TestPostgres.start(), await startGateway(keys), keys);
    try {
      await service.use(options);
      await service.sql.unsafe(rights);
    } catch (error) {
      await service.stop();
      throw error;
    }
    return service;
  }

  /** Ends the present server, if any, and starts one with these options on the same database and port. */
  async use(options: Partial<RealtimeOptions> = {}): Promise<void> {
    this.gateway.use(null);
    await this.server?.stop();
    const server = createRealtimeServer({
      databaseUrl: this.database.url(),
      jwtSecret: JWT_SECRET,
      connectErrorBackoffMs: 20,
      channelErrorBackoffMs: 20,
      ...options,
    });
    this.server = server;
    await server.start();
    this.gateway.use(server);
  }

  /** A raw socket under the anon key, of protocol 2.0.0 unless told otherwise. */
  async socket(options: WireSocketOptions = {}): Promise<WireSocket> {
    const socket = await WireSocket.open(this.gateway.url, { apikey: this.keys.anonJwt, ...options });
    this.#sockets.add(socket);
    return socket;
  }

  /** Drops every raw socket a test left open. */
  closeSockets(): void {
    for (const socket of this.#sockets) socket.terminate();
    this.#sockets.clear();
  }

  /** A new user holding these rights on the topic; `token()` makes a fresh token each time. */
  async user(topic: string, held: Right[] = []): Promise<TestUser> {
    const user = new TestUser(this.sql);
    await user.grant(topic, ...held);
    return user;
  }

  async stop(): Promise<void> {
    this.closeSockets();
    this.gateway.use(null);
    await this.server?.stop();
    await this.gateway.close();
    await this.database.stop();
  }
}

export class TestUser {
  readonly id = randomUUID();
  readonly #sql: postgres.Sql;

  constructor(sql: postgres.Sql) {
    this.#sql = sql;
  }

  token(claims: Record<string, unknown> = {}): string {
    return userToken(this.id, claims);
  }

  async grant(topic: string, ...held: Right[]): Promise<void> {
    for (const right of held) {
      const [extension, verb] = right.split(':') as [string, string];
      await this.#sql`insert into public.rights values (${this.id}, ${topic}, ${extension}, ${verb})`;
    }
  }

  async revoke(topic: string, ...lost: Right[]): Promise<void> {
    for (const right of lost) {
      const [extension, verb] = right.split(':') as [string, string];
      await this.#sql`delete from public.rights
        where subject = ${this.id} and topic = ${topic} and extension = ${extension} and verb = ${verb}`;
    }
  }
}

let serial = 0;

/** A topic no other test uses. */
export function freshTopic(name = 'room'): string {
  serial += 1;
  return `${name}-${process.pid}-${serial}`;
}
