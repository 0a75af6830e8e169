// Faults that a hurried edit would make, and that the tests must find: scripts/seeded-faults.mjs puts them in one by one.
import { agentFaults } from './agent.mjs';
import { clientFaults } from './clients.mjs';
import { databaseFaults } from './database.mjs';
import { neighbourFaults } from './neighbours.mjs';
import { stackFaults } from './stack.mjs';

export const faults = [...databaseFaults, ...neighbourFaults, ...agentFaults, ...stackFaults, ...clientFaults];
