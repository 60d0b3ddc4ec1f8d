import type { AddressInfo } from 'node:net';
import dynalite from 'dynalite';
import { docdbSuite } from './docdb.suite.ts';
import { dynamodbLimit, useDynamodb } from './dynamodb.ts';

docdbSuite({
  name: 'dynalite',
  limit: dynamodbLimit,
  async start() {
    const server = dynalite({ createTableMs: 0 });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    return useDynamodb(port, 'name', () => new Promise((resolve) => server.close(() => resolve())));
  },
});
