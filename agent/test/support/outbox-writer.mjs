// Writes entries for ever and prints the number of each that it was told is safe. Killed by the test.
import { FileOutbox } from '../../dist/node/outbox.js';

const log = { debug() {}, info() {}, warn() {}, error() {}, child: () => log };
const outbox = await FileOutbox.open({
  path: process.argv[2],
  keyOf: ({ pod }) => pod,
  maxBytes: 100_000_000,
  onDrop() {},
  log,
});
for (let n = 1; ; n++) {
  outbox.add(1, [{ pod: 'a', text: String(n) }]);
  await outbox.flush();
  process.stdout.write(`${n}\n`);
}
