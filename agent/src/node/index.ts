export type { AgentEnd } from '../agent.js';
export { isJoinToken } from '../control-plane/join.js';
export type { Credentials } from '../control-plane/session.js';
export { createAgentLog } from './log.js';
export type { Acceptance } from './machine.js';
export { hasJoined, type NodeAgent, type NodeAgentOptions, startNodeAgent } from './start-node-agent.js';
export type { Isolation } from './walls/choose-wall.js';
