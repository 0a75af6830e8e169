import { PolicyError, unknownPolicies } from '../authorization/policies.js';
import type { Claims } from '../authorization/token.js';
import type { Project } from '../project.js';
import { TextMessage } from '../wire/fanned.js';
import { fanOut } from './fan-out.js';
import { type BroadcastRequest, HttpProblem } from './http-problem.js';

interface BatchMessage {
  topic: string;
  event: string;
  payload: Record<string, unknown>;
  isPrivate: boolean;
  id: string | null;
}

type FieldErrors = Record<string, string[]>;

/** Sends a batch. All messages are checked before the first is sent; private ones without the right are dropped. */
export async function broadcastBatch(project: Project, request: BroadcastRequest): Promise<void> {
  const messages = readBatch(project, request.body);
  limitBatch(project, messages.length);

  for (const message of messages) if (!message.isPrivate) send(project, message);
  const byTopic = new Map<string, BatchMessage[]>();
  for (const message of messages) {
    if (!message.isPrivate) continue;
    const list = byTopic.get(message.topic);
    if (list === undefined) byTopic.set(message.topic, [message]);
    else list.push(message);
  }
  for (const [topic, list] of byTopic) {
    if (await mayWrite(project, topic, request.claims, request.headers))
      for (const message of list) send(project, message);
    else project.breaches.warn(topic, 'dropped private broadcasts of a sender that may not write');
  }
}

function readBatch(project: Project, body: Buffer): BatchMessage[] {
  let batch: unknown;
  try {
    batch = JSON.parse(body.toString('utf8'));
  } catch {
    throw new HttpProblem(400, { message: 'Bad Request' });
  }
  const list = (batch as { messages?: unknown } | null)?.messages;
  if (list === undefined || list === null || (Array.isArray(list) && list.length === 0))
    throw invalid(["can't be blank"]);
  if (!Array.isArray(list)) throw invalid(['is invalid']);
  const errors = list.map((message) => errorsOf(project, message));
  if (errors.some((fields) => Object.keys(fields).length > 0)) throw invalid(errors);
  return list.map(toMessage);
}

function invalid(messages: string[] | FieldErrors[]): HttpProblem {
  return new HttpProblem(422, { errors: { messages } });
}

function errorsOf(project: Project, value: unknown): FieldErrors {
  const errors: FieldErrors = {};
  const message = isMap(value) ? value : {};
  for (const field of ['topic', 'event']) {
    const text = message[field];
    if (text === undefined || text === null || (typeof text === 'string' && text.trim() === '')) {
      errors[field] = ["can't be blank"];
    } else if (typeof text !== 'string') {
      errors[field] = ['is invalid'];
    }
  }
  const { payload } = message;
  if (payload === undefined || payload === null) errors.payload = ["can't be blank"];
  else if (!isMap(payload)) errors.payload = ['is invalid'];
  else if (!project.payloads.fitsJson(payload, JSON.stringify(payload).length)) {
    project.breaches.warn(String(message.topic), 'Payload size exceeds tenant limit');
    errors.payload = ['Payload size exceeds tenant limit'];
  }
  if (message.private !== undefined && asBoolean(message.private) === null) errors.private = ['is invalid'];
  return errors;
}

function toMessage(value: unknown): BatchMessage {
  const message = value as Record<string, unknown>;
  return {
    topic: message.topic as string,
    event: message.event as string,
    payload: message.payload as Record<string, unknown>,
    isPrivate: asBoolean(message.private) ?? false,
    id: typeof message.id === 'string' ? message.id : null,
  };
}

function limitBatch(project: Project, messages: number): void {
  const limit = project.settings.limits.messagesPerSecond;
  const { average } = project.messages;
  if (average > limit) throw tooMany(project, 'You have exceeded your rate limit');
  if (messages + average > limit)
    throw tooMany(project, 'Too many messages to broadcast, please reduce the batch size');
}

function tooMany(project: Project, message: string): HttpProblem {
  project.breaches.warn(null, message, { average: project.messages.average });
  return new HttpProblem(429, { message });
}

async function mayWrite(
  project: Project,
  topic: string,
  claims: Claims,
  headers: Record<string, string>,
): Promise<boolean> {
  if (!(await project.connected())) return false;
  try {
    const policies = await project.probes.write(unknownPolicies(), { topic, claims, headers });
    return policies.broadcast.write === true;
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    project.log.error({ topic, fault: error.fault, err: error }, 'UnableToSetPolicies');
    return false;
  }
}

function send(project: Project, { topic, event, payload, isPrivate, id }: BatchMessage): void {
  const meta = id === null ? {} : { meta: { id } };
  const json = JSON.stringify({ type: 'broadcast', event, payload, ...meta });
  project.messages.add();
  const message = new TextMessage(`realtime:${topic}`, 'broadcast', json, id);
  fanOut(project.messages, project.topics.find(topic, isPrivate), message);
}

function asBoolean(value: unknown): boolean | null {
  if (value === true || value === 'true' || value === '1' || value === 1) return true;
  if (value === false || value === 'false' || value === '0' || value === 0) return false;
  return value === null ? false : null;
}

function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
