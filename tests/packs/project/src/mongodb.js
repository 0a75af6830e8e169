import { MongoClient, ObjectId } from 'mongodb';

export default async (ctx) => {
  const client = new MongoClient('mongodb://127.0.0.1:9', { serverSelectionTimeoutMS: 200 });
  const error = await client.connect().catch((reason) => reason);
  ctx.log.info(`${error.name} ${new ObjectId('0123456789abcdef01234567')}`);
  await client.close();
};
