import { isDeepStrictEqual } from 'node:util';
import { asSigned, withoutUserInformation } from '../extract/as-signed.ts';
import { extract } from '../extract/index.ts';
import { quote } from '../text.ts';
import { type ImageArtifact, storageKeyOf } from '../model/artifact.ts';
import { at, isJsonList, type Json, member, parseJson, textIn } from '../json.ts';
import type { Run } from '../model/run.ts';
import { compare, differencesText, exact } from './differences.ts';
import { type Finding, no, yes } from './finding.ts';

/** Whether a payload is the run's status as it is now: the format `tekton`. */
export function isStatusOf(run: Run, payload: Uint8Array): Finding {
  const json = readJson(payload);
  if (json === undefined) return no('the payload is not JSON');
  if (equalsStatus(run, json)) return yes("the payload is the run's status");
  const { differences } = compare(json, member(run.object, 'status'), exact, ['status']);
  return no(`the payload is not the run's status: ${differencesText(differences)}`);
}

/** The images that a run says it built. @param asWritten true to take hints as they are written */
export function imagesOf(run: Run, asWritten = false): readonly ImageArtifact[] {
  const { artifacts } = extract(run, [], { stepResults: false, childResults: false, asWritten });
  return artifacts.flatMap((one) => (one.kind === 'oci' ? [one] : []));
}

/** Whether a payload names this very image, or is the status of the run that built it. */
export function isPayloadOf(run: Run, { image }: ImageArtifact, payload: Uint8Array): boolean {
  const json = readJson(payload);
  if (json === undefined) return false;
  const { reference, digest } = signedImage(json);
  return (image.digest === digest && image.repository === reference) || equalsStatus(run, json);
}

/**
 * Whether the payload under an image's key names an image that the run says it built, or is the status that says so.
 * @param name the image's key, the key that it is stored under, or its full name
 */
export function namesImageOf(run: Run, name: string, payload: Uint8Array): Finding {
  const images = imagesOf(run).filter((one) => [one.key, storageKeyOf(one), one.fullKey].includes(name));
  if (images.length === 0) {
    return no(
      `the run names no image whose digest begins with ${name}: the annotation was changed, or copied from another run`,
    );
  }
  const json = readJson(payload);
  if (json === undefined) return no('the payload is not JSON');
  const { reference, digest } = signedImage(json);
  const named = images.find(({ image }) => image.digest === digest && image.repository === reference);
  if (named !== undefined)
    return yes(`the payload names ${quote(named.fullKey)}, which the run says it built`);
  if (equalsStatus(run, json)) return yes('the payload is the status of the run that built the image');
  const names =
    typeof reference === 'string' && typeof digest === 'string'
      ? quote(`${reference}@${digest}`)
      : 'no image';
  return no(`the payload names ${names}, not an image of this key that the run says it built`);
}

/** The predicate of an image's signature in a Sigstore bundle. */
const bundledSignature = 'https://sigstore.dev/cosign/sign/v1';

/** The image that a signature is of, in cosign's own format or as a statement. */
function signedImage(json: Json): {
  readonly reference?: Json | undefined;
  readonly digest?: Json | undefined;
} {
  if (at(json, 'critical', 'type') === 'cosign container image signature') {
    const critical = member(json, 'critical');
    return {
      reference: at(critical, 'identity', 'docker-reference'),
      digest: at(critical, 'image', 'docker-manifest-digest'),
    };
  }
  const subjects = member(json, 'subject');
  if (member(json, 'predicateType') !== bundledSignature || !isJsonList(subjects)) return {};
  const [subject] = subjects;
  return { reference: member(subject, 'name'), digest: `sha256:${textIn(at(subject, 'digest', 'sha256'))}` };
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The payload as JSON; undefined if it isn't JSON or UTF-8. */
export function readJson(payload: Uint8Array): Json | undefined {
  try {
    return parseJson(utf8.decode(payload));
  } catch {
    // The parser's error would only quote the payload.
    return undefined;
  }
}

/** The status is serialized and parsed, as it was when it was signed, so that both sides lost the same, such as -0. */
function equalsStatus(run: Run, json: Json): boolean {
  const status = member(
    asSigned(run.object, () => {}),
    'status',
  );
  if (status === undefined) return false;
  try {
    return isDeepStrictEqual(
      JSON.parse(JSON.stringify(status)),
      withoutUserInformation(json, () => {}),
    );
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
