// A chain of folders that is longer than any path: built in pieces, each moved below the next.
import fs from 'node:fs';

export default async () => {
  const piece = Array.from({ length: 15 }, () => 'd'.repeat(200)).join('/');
  fs.mkdirSync(piece, { recursive: true });
  for (let n = 0; n < 20; n++) {
    const next = `n${n}`;
    fs.mkdirSync(`${next}/${piece}`, { recursive: true });
    fs.renameSync('d'.repeat(200), `${next}/${piece}/${'d'.repeat(200)}`);
    fs.renameSync(next, 'd'.repeat(200));
  }
  await new Promise(() => setInterval(() => {}, 1_000));
};
