// Two folders, one of which is listed before the other: what the pod keeps is always in the one that is not being looked at.
import fs from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';

const FOLDERS = ['a', 'b'];
const listed = (folder) => fs.statSync(folder).atimeMs;

function touch(folder) {
  // Else the system does not note that it is listed.
  fs.writeFileSync(join(folder, 'touched'), '');
  fs.rmSync(join(folder, 'touched'));
}

function move(from, to) {
  for (const name of fs.readdirSync(from)) if (name.startsWith('kept')) fs.renameSync(join(from, name), join(to, name));
  for (const folder of FOLDERS) touch(folder);
}

export default async (ctx) => {
  for (const folder of FOLDERS) {
    fs.mkdirSync(folder);
    // They keep the one who looks busy.
    for (let n = 0; n < 300; n++) fs.writeFileSync(join(folder, String(n)), '');
    touch(folder);
  }
  let before = FOLDERS.map(listed);
  const changed = () => FOLDERS.filter((folder, at) => listed(folder) !== before[at]);
  while (changed().length === 0 && !ctx.signal.aborted) await setTimeout(0);
  const [first] = changed();
  const second = FOLDERS.find((folder) => folder !== first);
  await setTimeout(500);
  for (let n = 0; n < 12; n++) fs.writeFileSync(join(second, `kept-${n}`), Buffer.alloc(1024 * 1024, 1));
  while (!ctx.signal.aborted) {
    for (const folder of FOLDERS) touch(folder);
    before = FOLDERS.map(listed);
    while (!changed().includes(first) && !ctx.signal.aborted) await setTimeout(0);
    move(second, first);
    await setTimeout(500);
    move(first, second);
  }
};
