// An agent in a process of its own, so that a test can kill it. Its options come as JSON in the first argument.
import { createAgentLog, startNodeAgent } from '@stark-o/agent/node';

const agent = await startNodeAgent({ ...JSON.parse(process.argv[2]), log: createAgentLog('debug') });
process.on('SIGTERM', () => void agent.stop());
process.stdout.write(`${JSON.stringify({ nodeId: agent.nodeId, incarnation: agent.incarnation })}\n`);
const { reason } = await agent.ended;
process.stdout.write(`${JSON.stringify({ reason })}\n`);
process.exit(0);
