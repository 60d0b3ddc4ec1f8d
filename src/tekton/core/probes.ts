import { numberOrName } from '../value.ts';
import { always, int32, int64, list, pointer, struct, text } from '../shape.ts';

const execAction = struct({ command: list(text) });

const grpcAction = struct({ port: always(int32), service: always(pointer(text)) });

const httpHeader = struct({ name: always(text), value: always(text) });

const httpGetAction = struct({
  path: text,
  port: always(numberOrName),
  host: text,
  scheme: text,
  httpHeaders: list(httpHeader),
});

const tcpSocketAction = struct({ port: always(numberOrName), host: text });

const sleepAction = struct({ seconds: always(int64) });

const lifecycleHandler = struct({
  exec: pointer(execAction),
  httpGet: pointer(httpGetAction),
  tcpSocket: pointer(tcpSocketAction),
  sleep: pointer(sleepAction),
});

/** The structure `Lifecycle` of core/v1. */
export const lifecycle = struct({
  postStart: pointer(lifecycleHandler),
  preStop: pointer(lifecycleHandler),
  stopSignal: pointer(text),
});

/** The structure `Probe` of core/v1. */
export const probe = struct({
  exec: pointer(execAction),
  httpGet: pointer(httpGetAction),
  tcpSocket: pointer(tcpSocketAction),
  grpc: pointer(grpcAction),
  initialDelaySeconds: int32,
  timeoutSeconds: int32,
  periodSeconds: int32,
  successThreshold: int32,
  failureThreshold: int32,
  terminationGracePeriodSeconds: pointer(int64),
});
