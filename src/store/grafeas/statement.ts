import {
  isJsonList,
  isJsonObject,
  type Json,
  type JsonObject,
  listAt,
  member,
  objectIn,
} from '../../json.ts';

/** Keeps only what the API has a field for, since it refuses a call with any other. */
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

/** The `BuildOccurrence` of a statement; undefined for a predicate that the API has no field for. */
export function buildOccurrence(statement: JsonObject): JsonObject | undefined {
  const predicate = member(statement, 'predicate');
  switch (member(statement, 'predicateType')) {
    case 'https://slsa.dev/provenance/v0.2': {
      const fields = { ...head, slsaProvenanceZeroTwo: slsaV02 };
      return { intotoStatement: picked({ ...statement, slsaProvenanceZeroTwo: predicate }, fields) };
    }
    case 'https://slsa.dev/provenance/v1':
      return { inTotoSlsaProvenanceV1: picked(statement, { ...head, predicate: slsaV1 }) };
    default:
      return undefined;
  }
}

/** The URIs of a statement's subjects, each once: `name@algorithm:hex`, one for each digest. */
export function subjectUris(statement: JsonObject): readonly string[] {
  const uris = listAt(statement, 'subject').flatMap((subject) => {
    const digests = member(subject, 'digest');
    return Object.entries(objectIn(digests)).map(
      ([algorithm, hex]) => `${String(member(subject, 'name'))}@${algorithm}:${String(hex)}`,
    );
  });
  return [...new Set(uris)];
}
