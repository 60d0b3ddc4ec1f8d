import { errorsOf, newKey, openSigning, signRunOf } from './world.ts';

// Signs the image that is its argument, in a process of its own, and prints the errors.
const pipeline = openSigning(newKey().privateKey);
const outcome = await signRunOf(pipeline, process.argv[2] ?? '');
await pipeline.close();
process.stdout.write(`${JSON.stringify(errorsOf(outcome))}\n`);
