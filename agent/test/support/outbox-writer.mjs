// Writes entries for ever and prints the number of each that it was told is safe. Killed by the test.
import { openFileOutbox } from '../../dist/node/outbox-file.js';

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const options = { keyOf: ({ pod }) => pod, maxBytes: 100_000_000 };
const outbox = await openFileOutbox(process.argv[2], options, log);
for (let n = 1; ; n++) {
  outbox.add(1, [{ pod: 'a', text: String(n) }]);
  await outbox.flush();
  process.stdout.write(`${n}\n`);
}
