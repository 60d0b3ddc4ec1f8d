import { docdbSuite } from '../store/docdb.suite.ts';
import { dynamodbLimit } from '../store/dynamodb.ts';
import { startDynamodbLocal } from './dynamodb.ts';

docdbSuite({ name: 'DynamoDB Local', limit: dynamodbLimit, goCloud: true, start: startDynamodbLocal });
