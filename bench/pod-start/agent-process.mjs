// One agent in a process of its own; its options come as JSON. It ends with the benchmark.
import { createAgentLog, startNodeAgent } from '@stark-o/agent/node';

const agent = await startNodeAgent({ ...JSON.parse(process.argv[2]), log: createAgentLog('silent') });
const stop = () => agent.stop().finally(() => process.exit(0));
process.on('message', stop);
process.on('disconnect', stop);
process.send({ nodeId: agent.nodeId });
