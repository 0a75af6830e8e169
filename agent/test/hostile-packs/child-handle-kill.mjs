// A handle that started nothing sends signals to whatever number its memory holds.
import { ChildProcess } from 'node:child_process';

export default () => {
  const { constructor: Handle } = new ChildProcess()._handle;
  for (let n = 0; n < 400; n++) {
    Buffer.alloc(1024).writeInt32LE(process.ppid, (n * 4) % 1020);
    new Handle().kill(n % 2 === 0 ? 10 : 12);
  }
};
