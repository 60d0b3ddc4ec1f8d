/** A request that the registry refuses (distribution specification, "Error codes"). */
export class Refusal extends Error {
  readonly status: number;
  readonly code: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, code: string, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
  }

  /** The answer's body. */
  json(): string {
    return JSON.stringify({ errors: [{ code: this.code, message: this.message }] });
  }
}

/** 404 of a kind of content. */
export function unknown(what: 'BLOB' | 'MANIFEST' | 'BLOB_UPLOAD' | 'NAME'): Refusal {
  return new Refusal(404, `${what}_UNKNOWN`, `${what.toLowerCase().replace('_', ' ')} unknown to registry`);
}
