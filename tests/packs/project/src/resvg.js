import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initWasm, Resvg } from '@resvg/resvg-wasm';

const { resolve } = createRequire(import.meta.url);

/** WebAssembly of a package that the pack itself finds and reads. */
export default async (ctx) => {
  await initWasm(readFileSync(resolve('@resvg/resvg-wasm/index_bg.wasm')));
  const image = new Resvg('<svg xmlns="http://www.w3.org/2000/svg" width="3" height="2"/>').render();
  ctx.log.info(`${image.width}x${image.height} ${Buffer.from(image.asPng()).subarray(1, 4)}`);
};
