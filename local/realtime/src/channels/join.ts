import { readReplay, replay } from '../broadcast/replay.js';
import { announceReplication } from '../broadcast/replication-ready.js';
import { pushPresenceState } from '../presence/handler.js';
import type { Project } from '../project.js';
import type { Inbound } from '../wire/message.js';
import { Channel } from './channel.js';
import type { Connection } from './connection.js';
import { readJoin } from './join-request.js';
import { cannotRead, databaseUnreachable, Refusal, refusalOf } from './refusal.js';
import { mayReadSomething, readPolicies, verifyToken } from './token.js';

/**
 * Works on one `phx_join` up to the channel that may be opened. Throws Refusal; the checks stand in the order in which
 * the real server makes them, the first failure is the answer.
 */
export async function prepareJoin(project: Project, connection: Connection, message: Inbound): Promise<Channel> {
  const channel = new Channel(project, connection, message.topic, message.joinRef, readJoin(message.payload));
  try {
    if (channel.topicName === '') throw new Refusal('TopicNameRequired: You must provide a topic name');
    if (project.settings.privateOnly && !channel.isPrivate) {
      throw new Refusal('PrivateOnly: This project only allows private channels');
    }
    checkLimits(project, connection, channel.topicName);
    await verifyToken(project, channel);
    if (!(await project.connected())) throw new Refusal(`UnableToConnectToProject: ${databaseUnreachable}`);
    await readPolicies(project, channel);
    if (!mayReadSomething(channel)) throw new Refusal(`Unauthorized: ${cannotRead(channel.topicName)}`);
    await prepareReplay(project, channel);
    return channel;
  } catch (error) {
    channel.end();
    throw refusalOf(error, channel.topicName);
  }
}

/** Opens a prepared channel: the answer first, then all that may follow it. */
export function openChannel(project: Project, channel: Channel, message: Inbound): void {
  const { request } = channel;
  const changes = project.changes.request(channel);
  channel.reply(message, 'ok', { postgres_changes: changes });
  project.enter(channel);
  project.countUser(channel.connection);

  channel.sendReplay();
  if (channel.presenceEnabled) channel.run(() => pushPresenceState(project, channel));
  if (request.replicationReady) announceReplication(project, channel);
  project.changes.subscribe(channel);
}

function checkLimits(project: Project, connection: Connection, topic: string): void {
  const { limits } = project.settings;
  if (!project.isCounted(connection) && project.users >= limits.connections) {
    project.breaches.warn(topic, 'ConnectionRateLimitReached: Too many connected users', { limit: limits.connections });
    throw new Refusal('ConnectionRateLimitReached: Too many connected users');
  }
  if (project.joins.triggered) {
    project.breaches.warn(topic, 'ClientJoinRateLimitReached: Too many joins per second', {
      limit: limits.joinsPerSecond,
    });
    throw new Refusal('ClientJoinRateLimitReached: Too many joins per second', true);
  }
  project.joins.add();
  if (connection.channelCount >= limits.channelsPerConnection) {
    project.breaches.warn(topic, 'ChannelRateLimitReached: Too many channels', { limit: limits.channelsPerConnection });
    throw new Refusal('ChannelRateLimitReached: Too many channels');
  }
}

async function prepareReplay(project: Project, channel: Channel): Promise<void> {
  if (channel.request.replay === undefined) return;
  if (!channel.isPrivate) throw new Refusal('UnableToReplayMessages: Replay is not allowed for public channels');
  if (!channel.hearsBroadcasts) throw new Refusal(`Unauthorized: ${cannotRead(channel.topicName)}`);
  const request = readReplay(channel.request.replay);
  if (request !== null) await replay(project, channel, request);
}
