import type { DatabaseUnderTest } from '../store/docdb.suite.ts';
import { useDynamodb } from '../store/dynamodb.ts';
import { untilAnswers } from './answers.ts';
import { readWithGoCloud } from './go-cloud.ts';
import { freePorts, start, temporaryFolder } from './process.ts';
import { dynamodbLocal } from './tools.ts';

/** A DynamoDB Local, and what go-cloud reads of it. */
export async function startDynamodbLocal(): Promise<DatabaseUnderTest> {
  const [port = 0] = await freePorts(1);
  const program = 'com.amazonaws.services.dynamodbv2.local.main.ServerRunner';
  // It leaves a file where it is started.
  const folder = await temporaryFolder('tekton-chains-dynamodb');
  const server = start(
    'java',
    ['-cp', dynamodbLocal(), program, '-inMemory', '-disableTelemetry', '-port', `${port}`],
    { cwd: folder.path },
  );
  const stop = async (): Promise<void> => {
    await server.stop();
    await folder.remove();
  };
  await untilAnswers(`http://127.0.0.1:${port}`, server);
  const url = `dynamodb://chains?partition_key=Name&region=eu-west-1&endpoint=http://127.0.0.1:${port}`;
  return {
    ...(await useDynamodb(port, 'Name', stop)),
    readWithGoCloud: (id) => readWithGoCloud(url, id),
  };
}
