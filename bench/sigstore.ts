import { mapAtMost } from '../src/concurrency.ts';
import { parseRun } from '../src/model/run.ts';
import { builtRun, startSigstoreWorld } from '../test/servers/sigstore-world.ts';
import { median, say } from './report.ts';

/** Runs for each measurement, each with two signatures, and runs at once. */
const [runs, atOnce] = [200, 32];

/** Of one round, for each signature where it isn't a rate or a count. */
interface Figures {
  readonly rate: number;
  readonly processor: number;
  readonly certificates: number;
  readonly stamps: number;
  readonly entries: number;
}

/** What confirming signatures costs, with the private Sigstore of the test servers: calls and processor time. */
export async function sigstore(rounds: number): Promise<void> {
  const world = await startSigstoreWorld();
  const keyless = { ...world.keyless, ...world.timestamps };
  const cases: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    'nothing confirmed': {},
    'a key of our own, log v1': world.log('v1'),
    'no key, log v1': { ...world.keyless, ...world.log('v1') },
    'no key, log v2, timestamps': { ...keyless, ...world.log('v2') },
  };
  const imageOf = (index: number) =>
    `registry.example.com/app@sha256:${index.toString(16).padStart(64, '0')}`;
  for (const [name, data] of Object.entries(cases)) {
    const figures: Figures[] = [];
    for (let round = 0; round < rounds; round += 1) {
      world.reset();
      const pipeline = world.open({
        'artifacts.taskrun.format': 'slsa/v2alpha4',
        'artifacts.oci.storage': 'tekton',
        ...data,
      });
      const [started, before] = [performance.now(), process.cpuUsage()];
      const all = Array.from({ length: runs }, (_, index) =>
        parseRun(builtRun(imageOf(round * runs + index))),
      );
      const outcomes = await mapAtMost(atOnce, all, (run) => pipeline.process(run));
      const { user, system } = process.cpuUsage(before);
      const seconds = (performance.now() - started) / 1_000;
      const failures = outcomes.flatMap((outcome) => outcome.failures);
      if (failures[0] !== undefined) throw failures[0].error;
      const { fulcio, timestamps, rekorV1, rekorV2 } = world.gates;
      const signatures = runs * 2;
      figures.push({
        rate: signatures / seconds,
        processor: (user + system) / 1_000 / signatures,
        certificates: fulcio.requests.length,
        stamps: timestamps.requests.length / signatures,
        entries: (rekorV1.requests.length + rekorV2.requests.length) / signatures,
      });
      await pipeline.close();
    }
    const of = (key: keyof Figures): number => median(figures.map((one) => one[key]));
    say(
      `${name}: ${of('rate').toFixed(0)} signatures/s, ${of('processor').toFixed(1)} ms of processor each (with the gates that count), ` +
        `${of('certificates')} certificates, ${of('stamps').toFixed(2)} timestamps and ${of('entries').toFixed(2)} calls to the log a signature`,
    );
  }
  await world.close();
}
