import { docdbSuite } from '../store/docdb.suite.ts';
import { dynamodbLimit, useDynamodb } from '../store/dynamodb.ts';
import { untilAnswers } from './answers.ts';
import { freePorts, start } from './process.ts';
import { dynamodbLocal } from './tools.ts';

docdbSuite({
  name: 'DynamoDB Local',
  limit: dynamodbLimit,
  async start() {
    const [port = 0] = await freePorts(1);
    const program = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
    const server = start('java', ['-cp', dynamodbLocal(), program, '-inMemory', '-port', `${port}`]);
    await untilAnswers(`http://127.0.0.1:${port}`, server);
    return useDynamodb(port, server.stop);
  },
});
