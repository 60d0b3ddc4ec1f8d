import { MongoClient } from 'mongodb';
import { startRelay } from '../integration/relay.ts';
import type { DatabaseUnderTest, StoredDocument } from '../store/docdb.suite.ts';
import { readWithGoCloud } from './go-cloud.ts';
import { freePorts, start, temporaryFolder } from './process.ts';
import { tool } from './tools.ts';

const settingsWith = (port: number) => ({
  'storage.docdb.url': 'mongo://ci/chains?id_field=Name',
  'storage.docdb.mongo-server-url': `mongodb://127.0.0.1:${port}/`,
});

/** A FerretDB, and what go-cloud reads of it. */
export async function startFerret(): Promise<DatabaseUnderTest> {
  const [port = 0] = await freePorts(1);
  const folder = await temporaryFolder('tekton-chains-mongo');
  const server = start(tool('ferretdb'), [`127.0.0.1:${port}`, folder.path]);
  const relay = await startRelay(port);
  const client = new MongoClient(`mongodb://127.0.0.1:${port}/`);
  const collection = client.db('ci').collection<{ _id: string }>('chains');
  await client.connect();
  return {
    settings: settingsWith(port),
    detour: settingsWith(relay.port),
    async read(id) {
      const found = await collection.findOne({ _id: id }, { promoteBuffers: true });
      return found === null ? undefined : ({ id, ...found } as unknown as StoredDocument);
    },
    readWithGoCloud: (id) =>
      readWithGoCloud('mongo://ci/chains?id_field=Name', id, {
        MONGO_SERVER_URL: `mongodb://127.0.0.1:${port}/`,
      }),
    count: () => collection.countDocuments(),
    hang: (on) => on && relay.stall(),
    async close() {
      await client.close();
      await relay.close();
      await server.stop();
      await folder.remove();
    },
  };
}
