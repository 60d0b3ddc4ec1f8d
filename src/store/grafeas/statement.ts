import { isJsonList, isJsonObject, type Json, type JsonObject, listAt, member } from '../../json.ts';

/** Keeps what the API has a field for, since it refuses a call with any other. */
type Field = (value: Json) => Json | undefined;

const scalar: Field = (value) => (typeof value === 'object' ? undefined : value);
/** A `google.protobuf.Struct`, or a map. */
const object: Field = (value) => (isJsonObject(value) ? value : undefined);
const list =
  (item: Field): Field =>
  (value) =>
    isJsonList(value) ? value.flatMap((one) => item(one) ?? []) : undefined;
const message =
  (fields: Readonly<Record<string, Field>>): Field =>
  (value) =>
    isJsonObject(value) ? picked(value, fields) : undefined;

function picked(value: JsonObject, fields: Readonly<Record<string, Field>>): JsonObject {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, field]) => {
      const given = member(value, name);
      const kept = given === undefined ? undefined : field(given);
      return kept === undefined ? [] : [[name, kept] as const];
    }),
  );
}

const head = {
  _type: scalar,
  subject: list(message({ name: scalar, digest: object })),
  predicateType: scalar,
};

/** `SlsaProvenanceZeroTwo` */
const slsaV02 = message({
  builder: message({ id: scalar }),
  buildType: scalar,
  invocation: message({
    configSource: message({ uri: scalar, digest: object, entryPoint: scalar }),
    parameters: object,
    environment: object,
  }),
  buildConfig: object,
  metadata: message({
    buildInvocationId: scalar,
    buildStartedOn: scalar,
    buildFinishedOn: scalar,
    completeness: message({ parameters: scalar, environment: scalar, materials: scalar }),
    reproducible: scalar,
  }),
  materials: list(message({ uri: scalar, digest: object })),
});

const resource = message({
  name: scalar,
  uri: scalar,
  digest: object,
  content: scalar,
  downloadLocation: scalar,
  mediaType: scalar,
  annotations: object,
});

/** `SlsaProvenanceV1` */
const slsaV1 = message({
  buildDefinition: message({
    buildType: scalar,
    externalParameters: object,
    internalParameters: object,
    resolvedDependencies: list(resource),
  }),
  runDetails: message({
    builder: message({ id: scalar, version: object, builderDependencies: list(resource) }),
    metadata: message({ invocationId: scalar, startedOn: scalar, finishedOn: scalar }),
    byproducts: list(resource),
  }),
});

/** How a `BuildOccurrence` shows a statement, by its predicate. */
const shapes: Readonly<Record<string, (statement: JsonObject) => JsonObject>> = {
  'https://slsa.dev/provenance/v0.2': (statement) => ({
    intotoStatement: picked(
      { ...statement, slsaProvenanceZeroTwo: member(statement, 'predicate') },
      { ...head, slsaProvenanceZeroTwo: slsaV02 },
    ),
  }),
  'https://slsa.dev/provenance/v1': (statement) => ({
    inTotoSlsaProvenanceV1: picked(statement, { ...head, predicate: slsaV1 }),
  }),
};

/** The `BuildOccurrence` of a statement; undefined for a predicate that the API has no field for. */
export function buildOccurrence(statement: JsonObject): JsonObject | undefined {
  const predicateType = member(statement, 'predicateType');
  return typeof predicateType === 'string' && Object.hasOwn(shapes, predicateType)
    ? shapes[predicateType]?.(statement)
    : undefined;
}

/** The URIs of what a statement speaks of, each once: `name@algorithm:hex`, one for each digest. */
export function subjectUris(statement: JsonObject): readonly string[] {
  const uris = listAt(statement, 'subject').flatMap((subject) => {
    const digests = member(subject, 'digest');
    return Object.entries(isJsonObject(digests) ? digests : {}).map(
      ([algorithm, hex]) => `${String(member(subject, 'name'))}@${algorithm}:${String(hex)}`,
    );
  });
  return [...new Set(uris)];
}
