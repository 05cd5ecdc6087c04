import { Server, ServerCredentials, type sendUnaryData, type ServerDuplexStream, type ServerUnaryCall, type ServerWritableStream, type ServiceDefinition } from '@grpc/grpc-js';
import type { DeliverService, Send } from './deliver-service.js';
import { DELIVER_STATUS } from './deliver-service.js';
import type { GatewayService } from './gateway-service.js';
import { asRpcError, RpcError, Status } from './rpc-error.js';
import type { Rope } from './wire.js';

/** Fabric's own default; grpc's 4 MB would stop a reader at the first big block. */
const MAX_RPC_BYTES = 110 * 1024 * 1024;

const WINDOW_BYTES = 8 * 1024 * 1024;
const SHUTDOWN_MS = 1_000;
const asIs = (bytes: Buffer): Buffer => bytes;
const toBytes = (rope: Rope): Buffer => rope.toBytes();

function method(path: string, requestStream: boolean, responseStream: boolean): ServiceDefinition[string] {
  return { path, requestStream, responseStream, requestSerialize: asIs, requestDeserialize: asIs, responseSerialize: toBytes, responseDeserialize: asIs };
}

/** Fabric's services with messages left as bytes: the services read views of them and answer with ropes. */
const GATEWAY: ServiceDefinition = {
  evaluate: method('/gateway.Gateway/Evaluate', false, false),
  endorse: method('/gateway.Gateway/Endorse', false, false),
  submit: method('/gateway.Gateway/Submit', false, false),
  commitStatus: method('/gateway.Gateway/CommitStatus', false, false),
  chaincodeEvents: method('/gateway.Gateway/ChaincodeEvents', false, true),
};
const DELIVER: ServiceDefinition = {
  deliver: method('/protos.Deliver/Deliver', true, true),
  deliverFiltered: method('/protos.Deliver/DeliverFiltered', true, true),
  deliverWithPrivateData: method('/protos.Deliver/DeliverWithPrivateData', true, true),
};

const ENDORSER: ServiceDefinition = { processProposal: method('/protos.Endorser/ProcessProposal', false, false) };
const ORDERER: ServiceDefinition = { broadcast: method('/orderer.AtomicBroadcast/Broadcast', true, true) };

type Unary = ServerUnaryCall<Buffer, Rope>;
type Streaming = ServerWritableStream<Buffer, Rope>;
type Duplex = ServerDuplexStream<Buffer, Rope>;
type Report = (error: unknown) => void;

interface Cancellable {
  readonly cancelled: boolean;
  on(event: 'cancelled', listener: () => void): unknown;
}

function abortOnCancel(call: Cancellable): AbortSignal {
  const controller = new AbortController();
  const abort = (): void => {
    controller.abort(new RpcError(Status.CANCELLED, 'the call was cancelled'));
  };
  call.on('cancelled', abort);
  if (call.cancelled) abort();
  return controller.signal;
}

function unary(run: (request: Uint8Array, signal: AbortSignal) => Rope | Promise<Rope>, report: Report) {
  return (call: Unary, callback: sendUnaryData<Rope>): void => {
    const signal = abortOnCancel(call);
    void (async () => run(call.request, signal))().then(
      (answer) => {
        callback(null, answer);
      },
      (error: unknown) => {
        const shown = asRpcError(error);
        if (shown.code === Status.INTERNAL) report(error);
        callback(shown);
      },
    );
  };
}

/** Writes one message and waits while the receiver is slower than the ledger. */
function sender(call: Streaming | Duplex, signal: AbortSignal): Send {
  return async (answer) => {
    signal.throwIfAborted();
    if (call.write(answer)) return;
    await new Promise<void>((resolve) => {
      const go = (): void => {
        call.removeListener('drain', go);
        signal.removeEventListener('abort', go);
        resolve();
      };
      call.once('drain', go);
      signal.addEventListener('abort', go);
    });
  };
}

function endWithError(call: Streaming | Duplex, signal: AbortSignal, error: unknown, report: Report): void {
  if (signal.aborted) return;
  const shown = asRpcError(error);
  if (shown.code === Status.INTERNAL) report(error);
  call.emit('error', shown);
}

function events(service: DeliverService, report: Report) {
  return (call: Streaming): void => {
    const signal = abortOnCancel(call);
    service.chaincodeEvents(call.request, sender(call, signal), signal).catch((error: unknown) => {
      endWithError(call, signal, error, report);
    });
  };
}

/** A deliver stream answers one seek after the other and ends after the first that fails. */
function deliver(service: DeliverService, filtered: boolean, report: Report) {
  return (call: Duplex): void => {
    const signal = abortOnCancel(call);
    const send = sender(call, signal);
    let ended = false;
    let work = Promise.resolve();
    const answer = async (envelope: Buffer): Promise<void> => {
      if (ended || signal.aborted) return;
      const status = await service.deliver(envelope, filtered, send, signal);
      if (status === DELIVER_STATUS.SUCCESS) return;
      ended = true;
      call.end();
    };
    call.on('data', (envelope: Buffer) => {
      work = work.then(() => answer(envelope)).catch((error: unknown) => {
        if (!ended) endWithError(call, signal, error, report);
        ended = true;
      });
    });
    call.on('end', () => {
      void work.then(() => {
        if (!ended) call.end();
      });
    });
  };
}

/** One answer for each envelope, in order. */
function broadcast(gateway: GatewayService, report: Report) {
  return (call: Duplex): void => {
    call.on('data', (envelope: Buffer) => {
      try {
        call.write(gateway.broadcast(envelope));
      } catch (error) {
        endWithError(call, abortOnCancel(call), error, report);
      }
    });
    call.on('end', () => {
      call.end();
    });
  };
}

export interface RpcServerOptions {
  /** Whose peer this is; without one it is the ledger's main door, and its orderer. */
  readonly peerOf?: string;
  readonly gateway: GatewayService;
  readonly deliver: DeliverService;
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly onError: Report;
}

export interface RpcServer {
  /** host:port */
  readonly address: string;
  close(): Promise<void>;
}

function credentials({ tls }: RpcServerOptions): ServerCredentials {
  if (!tls) return ServerCredentials.createInsecure();
  return ServerCredentials.createSsl(null, [{ cert_chain: Buffer.from(tls.cert), private_key: Buffer.from(tls.key) }]);
}

function bind(server: Server, options: RpcServerOptions): Promise<number> {
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return new Promise((resolve, reject) => {
    server.bindAsync(`${host}:${String(options.port)}`, credentials(options), (error, port) => {
      if (error) reject(error);
      else resolve(port);
    });
  });
}

export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { gateway, deliver: service, onError } = options;
  const server = new Server({ 'grpc.max_receive_message_length': MAX_RPC_BYTES, 'grpc.max_send_message_length': -1, 'grpc-node.flow_control_window': WINDOW_BYTES } as Record<string, number>);
  server.addService(GATEWAY, {
    evaluate: unary((request) => gateway.evaluate(request), onError),
    endorse: unary((request) => gateway.endorse(request), onError),
    submit: unary((request) => gateway.submit(request), onError),
    commitStatus: unary((request, signal) => gateway.commitStatus(request, signal), onError),
    chaincodeEvents: events(service, onError),
  });
  server.addService(DELIVER, {
    deliver: deliver(service, false, onError),
    deliverFiltered: deliver(service, true, onError),
    deliverWithPrivateData: (call: Duplex) => {
      call.emit('error', new RpcError(Status.UNIMPLEMENTED, 'the embedded ledger holds no private data'));
    },
  });
  const { peerOf } = options;
  if (peerOf === undefined) server.addService(ORDERER, { broadcast: broadcast(gateway, onError) });
  else server.addService(ENDORSER, { processProposal: unary((request) => gateway.processProposal(request, peerOf), onError) });
  const port = await bind(server, options);
  const host = options.host.includes(':') ? `[${options.host}]` : options.host;
  return {
    address: `${host}:${String(port)}`,
    close: () => shutDown(server),
  };
}

/** Lets the answers under way leave, for a moment. */
async function shutDown(server: Server): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => { timer = setTimeout(resolve, SHUTDOWN_MS); });
  await Promise.race([late, new Promise<void>((resolve) => { server.tryShutdown(() => { resolve(); }); })]);
  clearTimeout(timer);
  server.forceShutdown();
}
