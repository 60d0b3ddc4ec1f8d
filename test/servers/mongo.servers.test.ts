import { docdbSuite } from '../store/docdb.suite.ts';
import { startFerret } from './mongo.ts';

docdbSuite({
  name: 'FerretDB',
  limit: 16 * 1024 * 1024,
  goCloud: true,
  without: ['credentials', 'throttling', 'dots'],
  start: startFerret,
});
