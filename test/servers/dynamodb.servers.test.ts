import { docdbSuite } from '../store/docdb.suite.ts';
import { dynamodbLimit, useDynamodb } from '../store/dynamodb.ts';
import { untilAnswers } from './answers.ts';
import { readWithGoCloud } from './go-cloud.ts';
import { freePorts, start } from './process.ts';
import { dynamodbLocal } from './tools.ts';

docdbSuite({
  name: 'DynamoDB Local',
  limit: dynamodbLimit,
  goCloud: true,
  async start() {
    const [port = 0] = await freePorts(1);
    const program = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
    const server = start('java', ['-cp', dynamodbLocal(), program, '-inMemory', '-port', `${port}`]);
    await untilAnswers(`http://127.0.0.1:${port}`, server);
    const url = `dynamodb://chains?partition_key=Name&region=eu-west-1&endpoint=http://127.0.0.1:${port}`;
    return {
      ...(await useDynamodb(port, 'Name', server.stop)),
      readWithGoCloud: (id) => readWithGoCloud(url, id),
    };
  },
});
