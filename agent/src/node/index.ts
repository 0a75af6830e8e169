export type { AgentEnd } from '../agent.js';
export type { Credentials, OnTokens } from '../control-plane/session.js';
export { createAgentLog } from './log.js';
export { type NodeAgent, type NodeAgentOptions, startNodeAgent } from './start-node-agent.js';
