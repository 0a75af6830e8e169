import { startTestDatabase } from '../scripts/db/test-database.mjs';
import { cases, setup } from './limits/cases.mjs';
import { LimitsWorld, SIZES } from './limits/world.mjs';

export const title = 'What the largest calls cost, and what that would be on a Micro database of a hosted project';

/** A core of a Micro database is taken to be a third as fast as one here; its disk has 500 reads and 11 MB a second. */
const MICRO = { cpu: 3, readsPerSecond: 500, bytesPerSecond: 11e6 };
const AIM_S = 2;

export async function measure({ say }) {
  const wanted = process.env.STARK_BENCH_CASES && new RegExp(process.env.STARK_BENCH_CASES);
  const database = await startTestDatabase();
  const world = await LimitsWorld.open(database);
  const results = [];
  const details = [];
  try {
    await world.fill();
    await setup(world);
    const speed = await calibration(world);
    for (const { name, prepare, call, undo } of cases) {
      await prepare?.(world);
      if (!wanted || wanted.test(name)) {
        const statement = await call(world);
        // Twice from memory, the better of the two counts, and once with nothing in memory.
        const runs = [await world.measure(statement), await world.measure(statement)];
        const cold = await world.measure(statement, { cold: true });
        const run = runs[0].cpu < runs[1].cpu ? runs[0] : runs[1];
        const detail = {
          name,
          ...run,
          coldReads: cold.reads,
          model: run.cpu * MICRO.cpu + run.wal / MICRO.bytesPerSecond + 1 / MICRO.readsPerSecond,
          atWorst:
            cold.cpu * MICRO.cpu +
            cold.walAfterCheckpoint / MICRO.bytesPerSecond +
            (cold.reads + 1) / MICRO.readsPerSecond,
        };
        details.push(detail);
        results.push({ name, value: round(detail.model, 2), unit: 's', aim: `≤ ${AIM_S}`, met: detail.model <= AIM_S });
        say(line(detail));
      }
      await undo?.(world);
    }
    return {
      notes: [
        `The cluster has ${SIZES.nodes} nodes, ${SIZES.pods} running pods, ${SIZES.namespaces} namespaces, ${SIZES.users} users and ${SIZES.events} events of today.`,
        'Each call is made in a session of its own, as the first call of a new connection, and rolled back.',
        `Model of a Micro database: ${MICRO.cpu} times the processor seconds here, the write-ahead log at 11 MB/s, and its flush at 500 a second.`,
        'At worst (in the lines of progress): nothing is in memory, each block is a read of its own at 500 a second, and a checkpoint was just made, so that the log has whole pages.',
        `To compare: ${round(speed, 2)} s of this machine for the statement "calibrate" (bench/limits/world.mjs), so ${round(speed * MICRO.cpu, 1)} s of a core of the model. Measure yours.`,
      ],
      results,
      details: { calibration: speed, cases: details },
    };
  } finally {
    await world.close();
    await database.stop();
  }
}

async function calibration(world) {
  const runs = [await world.calibrate(), await world.calibrate(), await world.calibrate()];
  return Math.min(...runs);
}

const round = (value, digits) => Number(value.toFixed(digits));
const megabytes = (bytes) => round(bytes / 1e6, 1);

/** One line of the table in docs/limits.md: processor seconds, rows, log in MB, the model; and at worst reads and the model. */
function line({ name, cpu, rows, wal, coldReads, model, atWorst }) {
  return `| ${[name, round(cpu, 2), rows, megabytes(wal), round(model, 1), coldReads, round(atWorst, 1)].join(' | ')} |`;
}
