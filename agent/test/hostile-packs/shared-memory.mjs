// Memory that is neither heap nor buffer of this thread.
export default async () => {
  const all = [];
  const memory = new WebAssembly.Memory({ initial: 1, maximum: 32_768 });
  for (;;) {
    const shared = new SharedArrayBuffer(8 * 1024 * 1024);
    new Uint8Array(shared).fill(1);
    all.push(shared);
    memory.grow(128);
    new Uint8Array(memory.buffer).fill(1, memory.buffer.byteLength - 128 * 65_536);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
};
