export type { AgentEnd } from '../agent.js';
export type { LogLine } from '../logs/log-line.js';
export type { BrowserAgentState, BrowserLogLine, BrowserPod } from './protocol.js';
export { type BrowserAgent, type BrowserAgentOptions, startBrowserAgent } from './start-browser-agent.js';
