import { Jimp } from 'jimp';

/** A picture is made smaller and encoded, without an addon. */
export default async (ctx) => {
  const image = new Jimp({ width: 40, height: 20, color: 0xff0000ff });
  image.resize({ w: 10 });
  const png = await image.getBuffer('image/png');
  ctx.log.info(`${image.bitmap.width}x${image.bitmap.height} ${png.subarray(1, 4)}`);
};
