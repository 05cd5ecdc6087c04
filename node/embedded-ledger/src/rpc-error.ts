import { Metadata, status as Status, type ServiceError } from '@grpc/grpc-js';
import { AccessDeniedError } from './membership.js';
import { ChainStoppedError } from './chain.js';
import { MalformedMessageError, message, repeated } from './wire.js';

/** One endorser's or orderer's part in a failure, as fabric-gateway shows it in `details`. */
export interface ErrorDetail {
  readonly address: string;
  readonly mspId: string;
  readonly message: string;
}

const DETAIL_TYPE = 'type.googleapis.com/gateway.ErrorDetail';
/** gRPC carries details in a header; headers of 16 KiB and more break connections. */
const MAX_DETAIL_TEXT = 1_000;

/** An error with which a call ends, with Fabric's gateway.ErrorDetail in google.rpc.Status. */
export class RpcError extends Error implements ServiceError {
  override readonly name = 'RpcError';
  readonly details: string;
  readonly metadata = new Metadata();

  constructor(
    readonly code: Status,
    text: string,
    details: readonly ErrorDetail[] = [],
  ) {
    super(text);
    this.details = text;
    if (details.length > 0) this.metadata.set('grpc-status-details-bin', encodeStatus(code, text, details));
  }
}

function encodeStatus(code: number, text: string, details: readonly ErrorDetail[]): Buffer {
  const packed = details.map((detail) => {
    const body = message([1, detail.address], [2, detail.mspId], [3, detail.message.slice(0, MAX_DETAIL_TEXT)]);
    return message([1, DETAIL_TYPE], [2, body]);
  });
  return message([1, code], [2, text], ...repeated(3, packed)).toBytes();
}

/** The error as the caller sees it; what is unforeseen says nothing of the inside. */
export function asRpcError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  if (error instanceof MalformedMessageError) return new RpcError(Status.INVALID_ARGUMENT, `failed to read the request: ${error.message}`);
  if (error instanceof AccessDeniedError) return new RpcError(Status.PERMISSION_DENIED, `access denied: ${error.message}`);
  if (error instanceof ChainStoppedError) return new RpcError(Status.UNAVAILABLE, error.message);
  return new RpcError(Status.INTERNAL, 'the ledger failed to answer; its log says why');
}

export { Status };
