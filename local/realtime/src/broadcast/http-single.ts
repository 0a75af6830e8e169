import { type Policies, PolicyError, unknownPolicies } from '../authorization/policies.js';
import { bytesTermSize } from '../limits/payload-size.js';
import type { Project } from '../project.js';
import { FieldTooLong, UserBroadcast } from '../wire/fanned.js';
import type { UserPush } from '../wire/message.js';
import { fanOut } from './fan-out.js';
import { type BroadcastRequest, HttpProblem } from './http-problem.js';

/** Sends one message whose topic and event stand in the path. */
export async function broadcastSingle(
  project: Project,
  request: BroadcastRequest,
  topic: string,
  event: string,
  isPrivate: boolean,
): Promise<void> {
  const push = readPush(project, request, topic, event);
  if (project.messages.triggered) {
    project.breaches.warn(topic, 'You have exceeded your rate limit');
    throw new HttpProblem(429, { message: 'You have exceeded your rate limit' });
  }
  if (isPrivate) await authorize(project, request, topic);
  project.messages.add();
  try {
    fanOut(project.messages, project.topics.find(topic, isPrivate), new UserBroadcast(`realtime:${topic}`, push));
  } catch (error) {
    if (!(error instanceof FieldTooLong)) throw error;
    project.log.warn({ topic, err: error }, 'a broadcast could not be encoded and is lost');
  }
}

function readPush(project: Project, request: BroadcastRequest, topic: string, event: string): UserPush {
  const { body, contentType } = request;
  if (topic.trim() === '') throw invalid('topic', "can't be blank");
  if (event.trim() === '') throw invalid('event', "can't be blank");
  if (contentType !== null && /octet-stream/i.test(contentType)) {
    if (!project.payloads.fits(bytesTermSize(body.length))) throw tooLarge(project, topic);
    return { event, encoding: 'binary', body };
  }
  const text = body.length === 0 ? '{}' : body.toString('utf8');
  let payload: unknown;
  try {
    payload = JSON.parse(text);
  } catch {
    throw new HttpProblem(400, { message: 'Bad Request' });
  }
  // Plug has no way to give a bare value to a controller but under this name.
  const isMap = typeof payload === 'object' && payload !== null && !Array.isArray(payload);
  const json = isMap ? text : `{"_json":${text}}`;
  if (!project.payloads.fitsJson(payload, json.length)) throw tooLarge(project, topic);
  return { event, encoding: 'json', body: Buffer.from(json) };
}

function tooLarge(project: Project, topic: string): HttpProblem {
  project.breaches.warn(topic, 'Payload size exceeds tenant limit');
  return invalid('payload', 'Payload size exceeds tenant limit');
}

function invalid(field: string, problem: string): HttpProblem {
  return new HttpProblem(422, { errors: { [field]: [problem] } });
}

async function authorize(project: Project, request: BroadcastRequest, topic: string): Promise<void> {
  if (!(await project.connected())) throw new HttpProblem(422, { message: 'Tenant database unavailable' });
  let policies: Policies;
  try {
    policies = await project.probes.write(unknownPolicies(), {
      topic,
      claims: request.claims,
      headers: request.headers,
    });
  } catch (error) {
    if (!(error instanceof PolicyError)) throw error;
    project.log.error({ topic, fault: error.fault, err: error }, 'UnableToSetPolicies');
    throw problemOf(error);
  }
  if (policies.broadcast.write !== true) throw new HttpProblem(403, { message: 'Unauthorized' });
}

function problemOf(error: PolicyError): HttpProblem {
  switch (error.fault) {
    case 'policy':
      return new HttpProblem(422, { message: 'RLS policy error' });
    case 'partition':
      return new HttpProblem(422, { message: 'Missing messages partition' });
    case 'cancelled':
      return new HttpProblem(422, { message: 'Query canceled' });
    case 'pool':
      return new HttpProblem(429, { message: 'Connection pool exhausted' });
    case 'unavailable':
      return new HttpProblem(422, { message: 'Tenant database unavailable' });
  }
}
