// An agent in a process of its own, so that a test can kill it. Its options come as JSON in the first argument, and what is
// wrong with its machine in the second.
import { breakMachine } from './agent-faults.mjs';

const [, , options, faults] = process.argv;
breakMachine(JSON.parse(faults));
const { createAgentLog, startNodeAgent } = await import('@stark-o/agent/node');
const agent = await startNodeAgent({ ...JSON.parse(options), log: createAgentLog('debug') });
process.on('SIGTERM', () => void agent.stop());
process.stdout.write(`${JSON.stringify({ nodeId: agent.nodeId, incarnation: agent.incarnation })}\n`);
const { reason } = await agent.ended;
process.stdout.write(`${JSON.stringify({ reason })}\n`);
process.exit(0);
