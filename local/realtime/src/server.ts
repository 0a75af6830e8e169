import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { handleHttp } from './broadcast/http.js';
import { type RealtimeOptions, settingsOf } from './options.js';
import { Project } from './project.js';
import { Sockets } from './socket/sockets.js';
import { Upgrades } from './socket/upgrade.js';

export interface RealtimeStats {
  sockets: number;
  /** Sockets that joined something. */
  users: number;
  channels: number;
  /** Deliveries and sends a second, averaged over a minute. */
  messagesPerSecond: number;
  /** Deliveries and sends since the start, of broadcasts and of presence: what Supabase bills. */
  messages: { broadcast: number; presence: number };
  /** Whether database broadcasts reach their topics. */
  replicationReady: boolean;
}

export interface RealtimeServer {
  /** Applies schema `realtime`, partitions and publications. */
  start(): Promise<void>;
  /** Takes an upgrade to `/websocket` or `/socket/websocket`; its key is a JWT already. */
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Takes a request to `/api/broadcast…`; the path prefix is stripped. */
  handleRequest(request: IncomingMessage, response: ServerResponse): void;
  /** Connects anew after Postgres was restarted. */
  databaseRestarted(): void;
  /** Says goodbye to all sockets and closes all connections. */
  stop(): Promise<void>;
  stats(): RealtimeStats;
}

/** A Realtime server for one project on one Postgres. */
export function createRealtimeServer(options: RealtimeOptions): RealtimeServer {
  const project = new Project(settingsOf(options));
  const sockets = new Sockets(project);
  const upgrades = new Upgrades(project, sockets);
  let stopping: Promise<void> | null = null;

  async function stop(): Promise<void> {
    await sockets.drain();
    await project.stop();
  }

  return {
    start: () => project.start(),
    handleUpgrade(request, socket, head) {
      if (stopping !== null) socket.destroy();
      else void upgrades.accept(request, socket, head);
    },
    handleRequest: (request, response) => void handleHttp(project, request, response),
    databaseRestarted: () => project.database.restarted(),
    stop() {
      stopping ??= stop();
      return stopping;
    },
    stats: () => ({
      sockets: sockets.size,
      users: project.users,
      channels: project.channels,
      messagesPerSecond: project.messages.average,
      messages: { broadcast: project.messages.total, presence: project.presenceMessages.total },
      replicationReady: project.feed.ready,
    }),
  };
}
