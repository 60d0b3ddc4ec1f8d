import type { Traces } from '../model/span.ts';
import type { Log } from './logs.ts';
import { plainText } from './text.ts';

/** The standard variables of OpenTelemetry that decide whether traces are sent. */
type Variables = Readonly<Record<string, string | undefined>>;

const samplers = ['always_on', 'always_off', 'traceidratio'].flatMap((name) => [name, `parentbased_${name}`]);

/**
 * Opens traces where the environment names a collector (`OTEL_EXPORTER_OTLP_ENDPOINT`); loads OpenTelemetry then and not
 * before. A setting that can't be used is logged and leaves them off, since signing must not depend on them.
 * @param replica the name of this replica
 */
export async function openTraces(
  log: Log,
  replica: string | undefined,
  environment: Variables = process.env,
): Promise<Traces | undefined> {
  const endpoint = endpointIn(environment);
  if (endpoint === undefined) return undefined;
  const trouble = troubleWith(endpoint, environment);
  if (trouble !== undefined) {
    log.error(`no traces are sent: ${trouble}`);
    return undefined;
  }
  const { OtlpTraces } = await import('./otlp.ts');
  return new OtlpTraces(log, replica);
}

function endpointIn(environment: Variables): string | undefined {
  const named = (name: string) => environment[name]?.trim() || undefined;
  const exporters = named('OTEL_TRACES_EXPORTER')?.split(',') ?? ['otlp'];
  if (named('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || !exporters.some((one) => one.trim() === 'otlp'))
    return undefined;
  return named('OTEL_EXPORTER_OTLP_TRACES_ENDPOINT') ?? named('OTEL_EXPORTER_OTLP_ENDPOINT');
}

/** What OpenTelemetry would take for something else, or not at all, without saying so. */
function troubleWith(endpoint: string, environment: Variables): string | undefined {
  if (!/^https?:/i.test(endpoint) || !URL.canParse(endpoint))
    return 'OTEL_EXPORTER_OTLP_ENDPOINT is not an http or https URL, such as http://collector:4318';
  const protocol =
    environment['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL'] || environment['OTEL_EXPORTER_OTLP_PROTOCOL'];
  if (protocol && protocol.trim() !== 'http/protobuf')
    return `OTEL_EXPORTER_OTLP_PROTOCOL is "${plainText(protocol, 40)}": only http/protobuf is supported, mostly on port 4318`;
  const sampler = environment['OTEL_TRACES_SAMPLER']?.trim();
  return sampler && !samplers.includes(sampler)
    ? `OTEL_TRACES_SAMPLER is "${plainText(sampler, 40)}": use one of ${samplers.join(', ')}`
    : undefined;
}
