import type { Channel } from '../channels/channel.js';
import type { Project } from '../project.js';

export class PostgresChanges {
  constructor(readonly project: Project) {}
  request(_channel: Channel): object[] {
    return [];
  }
  subscribe(_channel: Channel): void {}
  claimsChanged(_channel: Channel): void {}
  forget(_channel: Channel): void {}
  reconnect(): void {}
  async stop(): Promise<void> {}
}
